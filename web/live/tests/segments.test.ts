import { describe, expect, it } from "vitest";
import { EVERYTHING } from "../src/data/select";
import { chiSquareAbove, differ, type Part, partsOf, sameBaskets, trend } from "../src/data/segments";
import { DAY } from "../src/data/store";
import { cubeOf, type PlainCell } from "./cubes";

function drawn(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
}

/** Days on which a part sells some tickets of about this basket. */
function part(name: string, days: number, basket: number, seed: number, growth = 0): Part {
  const draw = drawn(seed);
  const tickets = Float64Array.from({ length: days }, () => 5 + Math.floor(draw() * 6));
  const sales = tickets.map((count, day) => {
    let sum = 0;
    for (let i = 0; i < count; i++) sum += basket * (0.2 + 1.6 * draw());
    return sum * (1 + growth * day);
  });
  return { name, sales, tickets };
}

describe("whether parts differ", () => {
  it("has the chances of the chi-square", () => {
    // From the tables: the 5 % points of 1, 2, 5 and 10 degrees, and the 1 % point of 2.
    for (const [x, degrees, chance] of [[3.841, 1, 0.05], [5.991, 2, 0.05], [11.07, 5, 0.05], [18.307, 10, 0.05], [9.21, 2, 0.01]] as const) {
      expect(chiSquareAbove(x, degrees)).toBeCloseTo(chance, 2);
    }
  });

  it("calls noise no difference about as often as it says", () => {
    let wrong = 0;
    for (let seed = 1; seed <= 400; seed++) {
      if (differ(sameBaskets([part("a", 40, 300, seed), part("b", 40, 300, seed + 1000), part("c", 40, 300, seed + 2000)]))) wrong++;
    }
    expect(wrong / 400).toBeLessThan(0.04); // 1 % by chance, and some for 40 days being few
  });

  it("sees a difference that is there", () => {
    let seen = 0;
    for (let seed = 1; seed <= 50; seed++) {
      if (differ(sameBaskets([part("a", 60, 300, seed), part("b", 60, 400, seed + 1000)]))) seen++;
    }
    expect(seen).toBeGreaterThan(45);
  });

  it("says nothing of few days, or of one part", () => {
    expect(sameBaskets([part("a", 4, 300, 1), part("b", 4, 600, 2)])).toBeNull();
    expect(sameBaskets([part("a", 60, 300, 1)])).toBeNull();
    expect(trend(part("a", 4, 300, 1))).toBeNull();
  });

  it("sees a trend, and none where there is none", () => {
    expect(trend(part("a", 60, 300, 3, 0.03))).toBeGreaterThan(0.3);
    const flat = Array.from({ length: 100 }, (_, seed) => trend(part("a", 60, 300, seed + 1))).filter((one) => one !== 0);
    expect(flat.length).toBeLessThan(6);
  });
});

it("sums parts by day, their own filter left aside", () => {
  const cell = (day: number, customer: string, tickets: number): PlainCell => ({
    minute: 17_900 * DAY + day * DAY + 720, branch: "A",
    rows: [{ line: "l", customer, payment: "p", measures: [tickets, 0, tickets * 100, 0, 0, 0, 0, 0, 0, 0, 0, 0] }],
  });
  const cube = cubeOf([cell(0, "m", 1), cell(2, "m", 2), cell(2, "n", 3)]);
  const parts = partsOf(cube, { ...EVERYTHING, customer_type: new Set(["m"]) }, "customer_type");
  expect(parts.map(({ name, tickets }) => [name, [...tickets]])).toEqual([["m", [1, 0, 2]], ["n", [0, 0, 3]]]);
  expect([...(parts[0]?.sales ?? [])]).toEqual([100, 0, 200]);
});
