import { describe, expect, it } from "vitest";
import { Cube } from "../src/data/cube";
import { Names } from "../src/data/names";
import { Clock } from "../src/data/store";
import { MEASURES, type Tick } from "../src/data/wire";

const frame = (): Tick => ({
  before: "e.0.0-0",
  cursor: "e.1.0-1",
  oldest: 0,
  names: [0, ["A", "line", "customer", "payment"]],
  cells: [[25_772_286, 0, 1, [[1, 2, 3, ...MEASURES.map(() => 1)]]]],
  anomalies: [],
});

function sums(tick: Tick): number[] {
  const cube = new Cube(new Clock("UTC"), new Names());
  cube.merge(tick);
  return Array.from(cube.total());
}

describe("a frame of another version", () => {
  it("is read without what was added since", () => {
    expect(sums(frame())).toEqual(MEASURES.map(() => 1));
  });
  it("is read with a field that nobody here knows", () => {
    expect(sums({ ...frame(), request: "till-0001", tomorrow: { a: 1 } } as Tick)).toEqual(sums(frame()));
  });
});
