/** Cells as the server tells them, and the merge: of each, the highest version. The counterpart of `tidemark/cells.py`. */

export const MEASURES = [
  "tickets", "items", "sales", "cogs", "tax", "returns", "returned_items", "returned_sales", "returned_cogs",
  "anomalies", "rating_sum", "rating_count",
] as const;

export type Measure = (typeof MEASURES)[number];

/** What a measure's number means: money and ratings are units of 1/10,000. */
export type Measures = number[];

export const at = (measure: Measure): number => MEASURES.indexOf(measure);

/** A row of a cell: product line, customer type, payment (places in `names`), then the measures. */
export type WireRow = number[];

/** minute (UTC, since 1970), branch, writer (places in `names`), version, rows */
export type WireCell = [number, number, number, number, WireRow[]];

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
  names: string[];
  cells: WireCell[];
  anomalies: Anomaly[];
}

export interface Row {
  line: string;
  customer: string;
  payment: string;
  measures: Measures;
}

export interface Cell {
  minute: number;
  branch: string;
  writer: string;
  version: number;
  rows: Row[];
}

/** A frame's cells with their names in place. */
export function read(frame: Pick<Frame, "names" | "cells">): Cell[] {
  const name = (place: number | undefined): string => {
    const found = frame.names[place ?? -1];
    if (found === undefined) throw new RangeError(`the frame has no name ${String(place)}`);
    return found;
  };
  return frame.cells.map(([minute, branch, writer, version, rows]) => ({
    minute,
    branch: name(branch),
    writer: name(writer),
    version,
    rows: rows.map(([line, customer, payment, ...measures]) => ({
      line: name(line),
      customer: name(customer),
      payment: name(payment),
      measures,
    })),
  }));
}

/** Every cell in its newest version. */
export class Cells {
  readonly #held = new Map<string, Cell>();

  /** Takes what is newer than what is held; says whether anything was. */
  merge(cells: Iterable<Cell>): boolean {
    let changed = false;
    for (const cell of cells) {
      const key = `${cell.minute}\n${cell.writer}\n${cell.branch}`;
      const held = this.#held.get(key);
      if (held === undefined || held.version < cell.version) {
        this.#held.set(key, cell);
        changed = true;
      }
    }
    return changed;
  }

  get size(): number {
    return this.#held.size;
  }

  [Symbol.iterator](): MapIterator<Cell> {
    return this.#held.values();
  }
}
