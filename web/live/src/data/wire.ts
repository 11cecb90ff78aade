/** What the server tells: names once, then cells as numbers. The counterpart of `ws_server/truth.py`. */

export const MEASURES = [
  "tickets", "items", "sales", "cogs", "tax", "returns", "returned_items", "returned_sales", "returned_cogs",
  "anomalies", "rating_sum", "rating_count",
] as const;

export type Measure = (typeof MEASURES)[number];

/** What the measures of a sum are, in the order of `MEASURES`; money and ratings in units of 1/10,000. */
export type Measures = ArrayLike<number>;

export const at = (measure: Measure): number => MEASURES.indexOf(measure);

/** product line, customer type, payment (places in the names), then the measures */
export type WireRow = number[];

/** minute (UTC, since 1970), branch (a place in the names), version, rows */
export type WireCell = [number, number, number, WireRow[]];

export interface Anomaly {
  invoice_id: string;
  minute: number;
  branch: string;
  product_line: string;
  total: string;
  flags: string[];
  score: number | null;
}

export interface Frame {
  cursor: string;
  /** the place of the first of these names, and the names */
  names: [number, string[]];
  cells: WireCell[];
  anomalies: Anomaly[];
}

export interface Snapshot extends Frame {
  /** all there is, and not only what is new */
  whole: boolean;
}

export interface Tick extends Frame {
  /** the cursor that this follows on */
  before: string;
  /** when the oldest of these sales was received, milliseconds since 1970 on the server's clock; 0 of a reload */
  oldest: number;
  /** what the newest of the posts in it is known by in every log; missing or empty where nobody said */
  request?: string;
}

/** How far somebody has read: tick `number` of the process `epoch`, which had read the live stream up to `position`. */
export interface Cursor {
  epoch: string;
  number: number;
  position: [number, number];
}

export function readCursor(text: string): Cursor {
  const [epoch = "", number = "", position = ""] = text.split(".");
  const [milliseconds = "", within = ""] = position.split("-");
  return { epoch, number: Number(number), position: [Number(milliseconds), Number(within)] };
}

/** Whether whoever is at `a` has all that was told up to `b`. */
export function covers(a: Cursor, b: Cursor): boolean {
  if (a.epoch === b.epoch) return a.number >= b.number;
  return a.position[0] > b.position[0] || (a.position[0] === b.position[0] && a.position[1] >= b.position[1]);
}
