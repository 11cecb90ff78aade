import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { barred, brush, estimate, everything, places, width, within } from "../src/cube";
import { decode, type Frame } from "../src/frame";
import { axis, frame, view } from "./frames";

interface Vectors {
  readonly cubes: readonly {
    readonly shape: number[];
    readonly sums: number[];
    readonly brushes: readonly { readonly spans: [number, number][]; readonly bins: number[] }[];
  }[];
  readonly estimates: readonly { found: number; counted: number; rows: number; told: [number, number, number] }[];
}

const path = new URL("../../../tests/vectors/cubes.json", import.meta.url);
const vectors = JSON.parse(readFileSync(path, "utf8")) as Vectors;

describe("the arithmetic of cubes", () => {
  it.each(vectors.cubes)("tells brushes of shape $shape as Python does", ({ shape, sums, brushes }) => {
    const held = frame({ shape, sums: Uint32Array.from(sums) });
    for (const { spans, bins } of brushes) {
      const found = new Uint32Array(width(held));
      brush(held, spans, found);
      expect([...found]).toEqual(bins);
    }
  });

  it.each(vectors.estimates)("estimates $found of $counted as Python does", ({ found, counted, rows, told }) => {
    const { rows: about, least, most } = estimate(found, counted, rows);
    for (const [ours, theirs] of [[about, told[0]], [least, told[1]], [most, told[2]]] as const) {
      expect(Math.abs(ours - theirs)).toBeLessThanOrEqual(1e-9 * Math.max(1, theirs));
    }
  });

  it("shows the view that is brushed over by its own places", () => {
    // two places, bins [all, other]
    const held = frame({ shape: [3, 2], sums: Uint32Array.from([0, 0, 5, 1, 12, 4]) });
    expect([...places(held)]).toEqual([5, 7]);
    expect([...everything(held)]).toEqual([12, 4]);
  });

  it("draws places as bars, what is missing apart", () => {
    const one = view("x", axis({ bars: 2, fine: 1, missing: 4, places: 5 }));
    const counts = Uint32Array.from([1, 2, 3, 4, 9]);
    expect([...barred(one, counts)]).toEqual([3, 7, 9]);
    expect([...within(one, counts, [[1, 3]])]).toEqual([0, 2, 3, 0, 0]);
  });
});

describe("a frame", () => {
  it("is read wherever its bytes begin", () => {
    const header = { look: 3, shape: [2, 2], views: [] };
    const text = new TextEncoder().encode(JSON.stringify(header).padEnd(80));
    const bytes = new Uint8Array(4 + text.length + 16 + 1);
    const whole = bytes.subarray(1);
    new DataView(whole.buffer, 1).setUint32(0, text.length, true);
    whole.set(text, 4);
    new DataView(whole.buffer, 1 + 4 + text.length).setUint32(12, 77, true);
    const found: Frame = decode(whole);
    expect([found.look, ...found.sums]).toEqual([3, 0, 0, 0, 77]);
  });
});
