import { describe, expect, it } from "vitest";
import { csv, field, viewCsv } from "../src/export";
import { look } from "../src/data/look";
import { EVERYTHING } from "../src/data/select";
import { cubeOf } from "./cubes";

describe("what is exported", () => {
  it("is no formula to a spreadsheet", () => {
    for (const harmful of ["=1+1", "+cmd", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "＝1+1", "＋1", "－1", "＠A1"]) expect(field(harmful).replace(/^"/, "")[0]).toBe("'");
    expect(field("a;=1+1")).toBe(`"a;'=1+1"`); // where a spreadsheet parts by semicolons
    expect([field("-12.5"), field(-3), field("A & B")]).toEqual(["-12.5", "-3", "A & B"]);
  });

  it("is RFC 4180", () => {
    expect(csv([["a", 'b"c', "d,e"], [1, "x\ny", ""]])).toBe('a,"b""c","d,e"\r\n1,"x\ny",\r\n');
  });

  it("is exact", () => {
    const measures = [2, 3, 9_007_199_254_740_991, 5, 0, 0, 0, 0, 0, 1, 81_000, 1];
    const cube = cubeOf([{ minute: 25_771_800, branch: "A", rows: [{ line: "l", customer: "c", payment: "p", measures }] }]);
    const store = { zone: "UTC", currency: "USD", opens: 10, closes: 21, stock_at_cost: 1, branches: [], product_lines: [], customer_types: [], payments: [] };
    const rows = viewCsv(look(cube, EVERYTHING, store), "branch=A").split("\r\n");
    expect(rows[1]).toBe("selected,branch=A");
    expect(rows[2]).toBe("all,,,,2,3,900719925474.0991,0.0005,0,0,0,0,0,1,8.1,1");
    expect(rows.filter((row) => row.startsWith("branch,A"))).toHaveLength(1);
  });
});
