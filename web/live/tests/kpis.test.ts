import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Cube } from "../src/data/cube";
import { ratioUnits, text } from "../src/data/exact";
import type { Kpis } from "../src/data/kpis";
import { look } from "../src/data/look";
import { EVERYTHING } from "../src/data/select";
import { Clock, type Store } from "../src/data/store";
import { cubeOf, type PlainCell } from "./cubes";

interface Vector {
  name: string;
  store: Store;
  selection: Record<"branch" | "product_line" | "customer_type" | "payment", string[]> & {
    since: number | null;
    until: number | null;
  };
  cells: PlainCell[];
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
    const cube = cubeOf(cells, new Cube(new Clock(store.zone)));
    expect(look(cube, { ...EVERYTHING, ...sets, since, until }, store).kpis).toEqual(expected);
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
