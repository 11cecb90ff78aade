/** What the server sends: a header that says what is drawn, and the cube. */

/** A column as it is drawn. `places`: its zones, `bars` of 2 ** `fine` zones each, then what is missing. */
export interface Axis {
  readonly name: string;
  readonly kind: "number" | "time" | "category";
  /** How it is cut, where not evenly. */
  readonly note: "" | "logarithmic" | "equal counts";
  readonly places: number;
  readonly bars: number;
  readonly fine: number;
  /** The code, the bar and the cell of what is missing; whether there is any. */
  readonly missing: number;
  readonly coarse: number;
  readonly gaps: boolean;
  /** Where on the axis, 0 to 1, stands which text. */
  readonly ticks: readonly (readonly [number, string])[];
  /** Of numbers and times, the edges of the zones; of categories, their names. As people read them, and as SQL does. */
  readonly texts: readonly string[];
  readonly literals: readonly string[];
  readonly identifier: string;
}

/** A view: a histogram of `x`, with `y` a grid of both. `part`: where its bins stand, null where it is brushed over. */
export interface View {
  readonly key: string;
  readonly x: Axis;
  readonly y: Axis | null;
  readonly part: readonly [number, number] | null;
}

export type Span = readonly [first: number, end: number];
export type Spans = readonly Span[];
/** What is selected, by the views' keys. */
export type Selected = Readonly<Record<string, Spans>>;

export interface Header {
  readonly look: number;
  /** Another number: what is selected here is given up for what the header says. */
  readonly opened: number;
  readonly table: string;
  readonly source: string;
  readonly counted: number;
  readonly rows: number;
  readonly active: string;
  /** In all views but the active one; what is selected in that. */
  readonly selected: Selected;
  readonly brushed: Spans;
  readonly shape: readonly number[];
  readonly views: readonly View[];
}

export interface Frame extends Header {
  readonly sums: Uint32Array;
}

/** Reads [length of the header, uint32][header as JSON, padded to 4 bytes][sums, uint32], all little-endian. */
export function decode(bytes: Uint8Array): Frame {
  const whole = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  const length = new DataView(whole.buffer, whole.byteOffset).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(whole.subarray(4, 4 + length))) as Header;
  const bins = header.shape.reduce((product, size) => product * size, 1);
  const sums = new Uint32Array(whole.buffer, whole.byteOffset + 4 + length, bins);
  return { ...header, sums };
}
