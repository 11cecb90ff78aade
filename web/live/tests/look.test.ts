import { describe, expect, it } from "vitest";
import { Cube, WIDTH } from "../src/data/cube";
import { look, type View } from "../src/data/look";
import { sumAt } from "../src/data/sums";
import { CATEGORIES, type Category, EVERYTHING, open, type Selection } from "../src/data/select";
import { Clock, DAY, type Store, weekday } from "../src/data/store";
import type { Measures } from "../src/data/wire";
import { cubeOf, type PlainCell } from "./cubes";

const STORE: Store = {
  zone: "UTC", currency: "USD", opens: 10, closes: 21, stock_at_cost: 5e7, branches: [], product_lines: [], customer_types: [],
  payments: [],
};
const FIRST = 25_771_800;

function drawing(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((state / 2_147_483_648) * below);
  };
}

function cellsOf(seed: number, count: number, days: number): PlainCell[] {
  const draw = drawing(seed);
  return Array.from({ length: count }, () => ({
    minute: FIRST + draw(days * DAY),
    branch: "AB"[draw(2)] ?? "A",
    rows: Array.from({ length: 1 + draw(3) }, () => ({
      line: `l${draw(3)}`,
      customer: `c${draw(2)}`,
      payment: `p${draw(2)}`,
      measures: Array.from({ length: WIDTH }, (_, i) => (i === 0 ? 1 : draw(1000))),
    })),
  }));
}

/** The same sums, sale by sale. */
function plainly(cells: PlainCell[], selection: Selection, clock: Clock): Record<string, number[]> {
  const sums: Record<string, number[]> = {};
  const add = (key: string, measures: number[]): void => {
    sums[key] = (sums[key] ?? measures.map(() => 0)).map((sum, i) => sum + (measures[i] ?? 0));
  };
  for (const { minute, branch, rows } of cells) {
    if (minute < (selection.since ?? -Infinity) || minute >= (selection.until ?? Infinity)) continue;
    const local = clock.local(minute);
    const [day, hour] = [weekday(Math.floor(local / DAY)), Math.floor((local % DAY) / 60)];
    for (const { line, customer, payment, measures } of rows) {
      const names: Record<Category, string> = { branch, product_line: line, customer_type: customer, payment };
      const failed: string[] = CATEGORIES.filter((name) => !open(selection[name], names[name]));
      if (!open(selection.weekday, day)) failed.push("weekday");
      if (!open(selection.hour, hour)) failed.push("hour");
      const only = (...aside: string[]): boolean => failed.every((name) => aside.includes(name));
      if (only()) add("all", measures);
      if (only("branch")) add(`over ${branch}`, measures);
      for (const name of CATEGORIES) if (only(name)) add(`${name} ${names[name]}`, measures);
      if (only("customer_type", "payment")) add(`matrix ${payment} ${customer}`, measures);
      if (only("hour")) add(`hour ${hour}`, measures);
      if (only("weekday")) add(`weekday ${day}`, measures);
    }
  }
  return sums;
}

/** A view's sums under the same names. */
function flat(view: View): Record<string, number[]> {
  const sums: Record<string, number[]> = {};
  const put = (key: string, sum: Measures): void => {
    if (Array.from(sum).some((value) => value !== 0)) sums[key] = Array.from(sum);
  };
  put("all", view.sum);
  for (const name of CATEGORIES) for (const [value, sum] of view.by[name]) put(`${name} ${value}`, sum);
  for (const [payment, row] of view.matrix) for (const [customer, sum] of row) put(`matrix ${payment} ${customer}`, sum);
  for (let hour = 0; hour < 24; hour++) put(`hour ${hour}`, sumAt(view.hours, hour));
  for (let day = 0; day < 7; day++) put(`weekday ${day}`, sumAt(view.weekdays, day));
  for (const [branch, over] of view.overByBranch) put(`over ${branch}`, summed(over));
  return sums;
}

function summed(bars: Float64Array): number[] {
  return Array.from({ length: WIDTH }, (_, i) => bars.reduce((so, value, place) => (place % WIDTH === i ? so + value : so), 0));
}

const set = <T>(...values: T[]): ReadonlySet<T> => new Set(values);

describe("every view is the plain sum of its sales", () => {
  const selections: [string, Partial<Selection>][] = [
    ["everything", {}],
    ["a branch", { branch: set("A") }],
    ["a line and a payment", { product_line: set("l1", "l2"), payment: set("p0") }],
    ["members on Mondays at noon", { customer_type: set("c0"), weekday: set(0, 3), hour: set(12, 13) }],
    ["a range with ends within hours", { since: FIRST + 3 * DAY + 17, until: FIRST + 29 * DAY + 31, branch: set("B") }],
    ["two hours", { since: FIRST + 5 * DAY + 125, until: FIRST + 5 * DAY + 245 }],
    ["within one hour", { since: FIRST + 65, until: FIRST + 68 }],
    ["three days", { since: FIRST + 5 * DAY, until: FIRST + 8 * DAY, hour: set(11) }],
    ["what nothing passes", { branch: set("nowhere"), payment: set("p1") }],
    ["before everything", { until: FIRST - DAY }],
  ];
  for (const zone of ["UTC", "Asia/Yangon", "America/New_York", "Asia/Kathmandu"]) {
    it.each(selections)(`%s, ${zone}`, (_, part) => {
      const selection: Selection = { ...EVERYTHING, ...part };
      for (const [seed, count, days] of [[1, 400, 60], [2, 300, 8], [3, 900, 400]] as const) {
        const cells = cellsOf(seed, count, days);
        const clock = new Clock(zone);
        const view = look(cubeOf(cells, new Cube(clock)), selection, STORE);
        expect(flat(view)).toEqual(plainly(cells, selection, clock));
        expect(summed(view.over)).toEqual(Array.from(view.sum));
        expect(view.bars.length).toBeLessThanOrEqual(171);
      }
    });
  }

  it("is so however the cells come", () => {
    const cells = cellsOf(4, 500, 30);
    const cube = new Cube(new Clock("UTC"));
    const names = ["A", "l", "c", "p"];
    const measures = Array.from({ length: WIDTH }, (_, i) => i);
    cubeOf(cells, cube);
    const told = cubeOf(cells);
    expect(flat(look(told, EVERYTHING, STORE))).toEqual(flat(look(cube, EVERYTHING, STORE)));
    const one = new Cube(new Clock("UTC"));
    for (const version of [2, 3, 1, 3]) {
      one.merge({ cursor: "tests.1.0-0", names: [0, names], cells: [[FIRST, 0, version, [[1, 2, 3, ...measures.map((m) => m * version)]]]] });
    }
    expect(Array.from(look(one, EVERYTHING, STORE).sum)).toEqual(measures.map((m) => m * 3));
    expect(one.changes).toBe(2);
  });
});
