import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type Cell, Cells } from "../src/cells";
import { ratioUnits, text } from "../src/exact";
import { kpis, type Kpis } from "../src/kpis";
import type { Store } from "../src/store";

interface Vector {
  name: string;
  store: Store;
  selection: Record<"branch" | "product_line" | "customer_type" | "payment", string[]> & {
    since: number | null;
    until: number | null;
  };
  cells: Cell[];
  expected: Kpis;
}

const path = new URL("../../../tests/vectors/kpis.json", import.meta.url);
const vectors = JSON.parse(readFileSync(path, "utf8")) as Vector[];

describe("the KPIs are those of Python", () => {
  it("has vectors", () => {
    expect(vectors.length).toBeGreaterThan(8);
  });

  it.each(vectors)("$name", ({ cells, selection, store, expected }) => {
    const { since, until } = selection;
    const sets = {
      branch: new Set(selection.branch),
      product_line: new Set(selection.product_line),
      customer_type: new Set(selection.customer_type),
      payment: new Set(selection.payment),
    };
    expect(kpis(cells, { ...sets, since, until }, store)).toEqual(expected);
  });
});

describe("merging cells", () => {
  const cell = (version: number): Cell => ({ minute: 1, branch: "A", writer: "w", version, rows: [] });

  it("keeps the highest version, whatever the order", () => {
    const cells = new Cells();
    expect(cells.merge([cell(2), cell(3), cell(1)])).toBe(true);
    expect(cells.merge([cell(3), cell(2)])).toBe(false);
    expect([...cells].map((held) => held.version)).toEqual([3]);
  });
});

describe("exact numbers", () => {
  it("rounds halves to even", () => {
    expect([1n, 3n, 5n, -1n, -3n].map((n) => ratioUnits(n, 2n, 0))).toEqual([0n, 2n, 2n, 0n, -2n]);
  });

  it("writes units without needless digits", () => {
    expect([3229667490n, 0n, -5n, 10000n].map((units) => text(units))).toEqual(["322966.749", "0", "-0.0005", "1"]);
  });
});
