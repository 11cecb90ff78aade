/** Cubes for tests. */

import { Cube } from "../src/data/cube";
import { Clock } from "../src/data/store";
import type { WireCell } from "../src/data/wire";

export interface PlainCell {
  minute: number;
  branch: string;
  rows: { line: string; customer: string; payment: string; measures: number[] }[];
}

/** A cube of cells as a server would tell them: what several writers counted in one place is told as one. */
export function cubeOf(cells: PlainCell[], cube: Cube = new Cube(new Clock("UTC"))): Cube {
  const names: string[] = [];
  const place = (name: string): number => (names.includes(name) ? names.indexOf(name) : names.push(name) - 1);
  const told = new Map<string, WireCell>();
  for (const { minute, branch, rows } of cells) {
    const key = `${minute} ${branch}`;
    const cell = told.get(key) ?? ([minute, place(branch), 1, []] as WireCell);
    told.set(key, cell);
    for (const { line, customer, payment, measures } of rows) {
      const names = [place(line), place(customer), place(payment)];
      const same = cell[3].find((row) => names.every((name, i) => row[i] === name));
      if (same === undefined) cell[3].push([...names, ...measures]);
      else measures.forEach((value, i) => (same[3 + i] = (same[3 + i] ?? 0) + value));
    }
  }
  cube.merge({ cursor: "tests.1.0-0", names: [0, names], cells: [...told.values()] });
  return cube;
}
