import type { Axis, Frame, View } from "../src/frame";

export function axis(part: Partial<Axis> = {}): Axis {
  return {
    name: "x",
    kind: "number",
    note: "",
    places: 11,
    bars: 10,
    fine: 0,
    missing: 10,
    coarse: 0,
    gaps: true,
    ticks: [],
    texts: Array.from({ length: 11 }, (_, edge) => `${edge * 5}`),
    literals: Array.from({ length: 11 }, (_, edge) => `${edge * 5}`),
    identifier: "x",
    ...part,
  };
}

export function view(key: string, x: Axis, y: Axis | null = null, part: View["part"] = null): View {
  return { key, x, y, part };
}

export function frame(part: Partial<Frame>): Frame {
  return {
    look: 0,
    opened: 0,
    table: "t",
    source: "sales",
    counted: 100,
    rows: 100,
    active: "x",
    selected: {},
    brushed: [],
    shape: [],
    views: [],
    sums: new Uint32Array(),
    ...part,
  };
}
