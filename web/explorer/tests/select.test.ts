import { describe, expect, it } from "vitest";
import { quoted } from "../src/save";
import { dragged, moved, put, python, said, same, sql, toggled } from "../src/select";
import { axis, view } from "./frames";

const price = axis({ name: "price", identifier: "price" });
const branch = axis({
  name: "branch",
  kind: "category",
  bars: 3,
  places: 4,
  missing: 3,
  texts: ["A", "B", "(other)"],
  literals: ["'A'", "'B'", ""],
  identifier: "branch",
});

describe("a selection", () => {
  it("holds both ends of a drag, within the axis", () => {
    expect(dragged(7, 3, 10)).toEqual([3, 8]);
    expect(dragged(-2, 99, 10)).toEqual([0, 10]);
  });

  it("keeps its width where it is moved against an end", () => {
    expect(moved([2, 5], -9, 10)).toEqual([0, 3]);
    expect(moved([2, 5], 9, 10)).toEqual([7, 10]);
  });

  it("takes a category in, and out again", () => {
    expect(toggled([[2, 3]], 0)).toEqual([[0, 1], [2, 3]]);
    expect(toggled([[0, 3]], 1)).toEqual([[0, 1], [2, 3]]);
  });

  it("is forgotten where it is empty", () => {
    expect(put({ x: [[1, 2]] }, "x", [])).toEqual({});
    expect(put({}, "x", [[2, 2]])).toEqual({});
    expect(same({ a: [[1, 2]], b: [[3, 4]] }, { b: [[3, 4]], a: [[1, 2]] })).toBe(true);
  });

  it.each([
    [price, [[2, 5]], "10 – 25"],
    [price, [[0, 5]], "below 25"],
    [price, [[2, 10]], "from 10"],
    [price, [[2, 11]], "from 10 or missing"],
    [price, [[10, 11]], "missing"],
    [branch, [[0, 1], [2, 3]], "A or (other)"],
    [branch, [[3, 4]], "missing"],
  ] as const)("is said as people do: %#", (on, spans, words) => {
    expect(said(on, spans)).toBe(words);
  });

  it.each([
    [price, [[2, 5]], "price >= 10 AND price < 25"],
    [price, [[0, 5]], "price < 25"],
    [price, [[0, 10]], "price IS NOT NULL"],
    [price, [[2, 11]], "(price >= 10 OR price IS NULL)"],
    [price, [[10, 11]], "price IS NULL"],
    [branch, [[0, 2]], "branch IN ('A', 'B')"],
    [branch, [[0, 1], [2, 3]], "(branch IN ('A') OR branch NOT IN ('A', 'B'))"],
    [branch, [[3, 4]], "branch IS NULL"],
  ] as const)("is written as SQL: %#", (on, spans, condition) => {
    const one = view("v", on);
    expect(sql("sales", [one], { v: spans })).toBe(`SELECT *\nFROM sales\nWHERE ${condition}`);
    expect(python("sales", [one], { v: spans })).toContain(condition);
  });

  it("of a grid is written by both its columns", () => {
    const cells = axis({ name: "y", identifier: "y", places: 21, bars: 20, missing: 20, coarse: 1 });
    const one = view("v", price, cells);
    expect(sql("sales", [one], { v: [[1, 3], [0, 4]] })).toContain("WHERE price >= 5 AND price < 15 AND y < 40");
  });
});

describe("a cell of a saved table", () => {
  it.each([
    ["=1+1", `"'=1+1"`],
    ["＠A1", `"'＠A1"`],
    ["a;=1+1", `"a;'=1+1"`],
    ['a "b"', '"a ""b"""'],
    ["10 – 25", '"10 – 25"'],
  ])("cannot be taken for a formula: %s", (text, cell) => {
    expect(quoted(text)).toBe(cell);
  });
});
