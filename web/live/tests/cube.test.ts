import { describe, expect, it } from "vitest";
import { Cube, WIDTH } from "../src/data/cube";
import { look } from "../src/data/look";
import { Names } from "../src/data/names";
import { EVERYTHING } from "../src/data/select";
import { Clock } from "../src/data/store";
import type { WireCell } from "../src/data/wire";
import { cubeOf } from "./cubes";

const STORE = {
  zone: "UTC", currency: "USD", opens: 10, closes: 21, stock_at_cost: 5e7, branches: [], product_lines: [], customer_types: [], payments: [],
};
const MINUTE = 25_771_800;
const tickets = (count: number): number[] => Array.from({ length: WIDTH }, (_, i) => (i === 0 ? count : 0));

describe("cells that two servers tell", () => {
  it("are one truth, though each server numbers the names in its own order", () => {
    const names = new Names();
    const cube = new Cube(new Clock("UTC"), names);
    const told = (epoch: string, order: string[], branch: string, version: number, count: number): void => {
      const at = (name: string): number => order.indexOf(name);
      const cell: WireCell = [MINUTE, at(branch), version, [[at("line"), at("member"), at("cash"), ...tickets(count)]]];
      cube.merge({ cursor: `${epoch}.${version}.0-0`, names: [0, order], cells: [cell] });
    };
    const one = ["A", "line", "member", "cash", "B"];
    const other = ["cash", "B", "member", "A", "line"];
    told("one", one, "A", 1, 5);
    told("one", one, "B", 1, 7);
    told("other", other, "A", 2, 6);
    told("other", other, "B", 2, 8);
    told("one", one, "B", 1, 7); // late, and older
    const { by, sum } = look(cube, EVERYTHING, STORE);
    expect(sum[0]).toBe(14);
    expect([by.branch.get("A")?.[0], by.branch.get("B")?.[0]]).toEqual([6, 8]);
  });

  it("are refused where they speak of names that were never told", () => {
    const cube = new Cube(new Clock("UTC"));
    const cells: WireCell[] = [[MINUTE, 9, 1, [[0, 0, 0, ...tickets(1)]]]];
    expect(() => { cube.merge({ cursor: "one.1.0-0", names: [0, ["A"]], cells }); }).toThrow("told no name 9");
  });
});

describe("the store's clock", () => {
  it("gives the first of two like minutes, and the first after a leap", () => {
    const at = (text: string): number => Date.parse(`${text}Z`) / 60_000;
    for (const [zone, local, utc] of [
      ["Europe/Berlin", "2019-10-27T02:00", "2019-10-27T00:00"], // shown twice
      ["Europe/Berlin", "2019-10-27T03:00", "2019-10-27T02:00"],
      ["Europe/Berlin", "2019-03-31T02:00", "2019-03-31T01:00"], // never shown
      ["America/New_York", "2019-11-03T01:30", "2019-11-03T05:30"], // shown twice
      ["America/New_York", "2019-07-01T12:00", "2019-07-01T16:00"],
      ["Asia/Yangon", "2019-07-01T12:00", "2019-07-01T05:30"],
    ] as const) {
      expect(new Clock(zone).utc(at(local))).toBe(at(utc));
    }
  });

  it("chooses both of an hour that comes twice", () => {
    const clock = new Clock("Europe/Berlin");
    const at = (text: string): number => Date.parse(`${text}Z`) / 60_000;
    const rows = [{ line: "l", customer: "c", payment: "p", measures: tickets(1) }];
    const cells = ["2019-10-27T00:15", "2019-10-27T01:15", "2019-10-27T02:15"].map((text) => ({ minute: at(text), branch: "A", rows }));
    const chosen = { ...EVERYTHING, since: clock.utc(at("2019-10-27T02:00")), until: clock.utc(at("2019-10-27T03:00")) };
    expect(look(cubeOf(cells, new Cube(clock)), chosen, STORE).sum[0]).toBe(2);
  });
});
