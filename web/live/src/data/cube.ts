/**
 * Every cell in typed columns: by the minute as they came, and summed by the hour in one column a combo and measure.
 * Any selection is a run over the hours' columns and, at its two ends, over the minutes.
 */

import type { Clock } from "./store";
import { Names } from "./names";
import { type Frame, MEASURES, readCursor } from "./wire";

export const WIDTH = MEASURES.length;
const MOST_NAMES = 2 ** 26;
/** hours in a page of columns */
export const PAGE = 512;

/** What a cell is divided by, with its branch. */
export interface Combo {
  branch: string;
  product_line: string;
  customer_type: string;
  payment: string;
}

/** The minutes of one hour (or of a part of one, where the store's hours do not begin with UTC's), row by row. */
export class Span {
  size = 0;
  combos = new Uint16Array(4);
  minutes = new Uint8Array(4);
  values = new Float64Array(4 * WIDTH);
  readonly #rows = new Map<number, number>();
  readonly #versions = new Map<number, number>();

  /** `start`: UTC minute since 1970. `slot`: its place in the columns. */
  constructor(
    readonly start: number,
    readonly slot: number,
  ) {}

  /** Whether this version of a minute's cell is newer than what is held, which it then is held to be. */
  renews(minute: number, branch: number, version: number): boolean {
    const key = minute * 65_536 + branch;
    if ((this.#versions.get(key) ?? 0) >= version) return false;
    this.#versions.set(key, version);
    return true;
  }

  /** Where in `values` a combo's measures in a minute begin. */
  row(minute: number, combo: number): number {
    const key = minute * 65_536 + combo;
    let row = this.#rows.get(key);
    if (row === undefined) {
      row = this.size++;
      if (row === this.combos.length) this.#grow();
      this.combos[row] = combo;
      this.minutes[row] = minute;
      this.#rows.set(key, row);
    }
    return row * WIDTH;
  }

  #grow(): void {
    const length = this.combos.length * 2;
    const [combos, minutes, values] = [new Uint16Array(length), new Uint8Array(length), new Float64Array(length * WIDTH)];
    combos.set(this.combos);
    minutes.set(this.minutes);
    values.set(this.values);
    [this.combos, this.minutes, this.values] = [combos, minutes, values];
  }
}

/** A product line in a branch: what stock is kept by, and what most filters take or leave whole. */
export interface Shelf {
  branch: string;
  product_line: string;
  combos: number[];
  columns: Columns;
}

/** Sums: pages of columns over the hours, and over all time. */
export class Columns {
  /** of each page the column of each measure, one after another; no page where nothing was sold */
  readonly pages: (Float64Array | undefined)[] = [];
  readonly total = new Float64Array(WIDTH);

  page(place: number): Float64Array {
    return (this.pages[place] ??= new Float64Array(WIDTH * PAGE));
  }
}

export class Cube {
  /** hours in the order in which they came; a span's slot is its place */
  readonly spans: Span[] = [];
  /** of each slot the store's minute at which it begins */
  locals = new Int32Array(PAGE);
  readonly combos: Combo[] = [];
  readonly columns: Columns[] = [];
  readonly shelves: Shelf[] = [];
  readonly #shelfOf: Shelf[] = [];
  /** measures that are not 0 everywhere */
  readonly used = new Uint8Array(WIDTH);
  /** rises with every change */
  changes = 0;
  newest: number | null = null;
  oldest: number | null = null;
  readonly spanMinutes: number;
  /** of a branch and product line, and of a customer type and payment: a combo's place */
  readonly #places = new Map<number, Map<number, number>>();
  readonly #starts = new Map<number, Span>();

  constructor(
    readonly clock: Clock,
    private readonly names = new Names(),
  ) {
    this.spanMinutes = clock.spanMinutes();
  }

  /** Takes what is newer than what is held. */
  merge(frame: Pick<Frame, "cursor" | "names" | "cells">): void {
    const told = this.names.learn(readCursor(frame.cursor).epoch, ...frame.names);
    const own = (place: number): number => {
      const number = told[place];
      if (number === undefined) throw new RangeError(`the server told no name ${place}`);
      return number;
    };
    for (const [minute, place, version, rows] of frame.cells) {
      const branch = own(place);
      const span = this.#span(minute);
      if (!span.renews(minute - span.start, branch, version)) continue;
      this.changes++;
      if (this.newest === null || minute > this.newest) this.newest = minute;
      if (this.oldest === null || minute < this.oldest) this.oldest = minute;
      for (const row of rows) {
        const [line = -1, customer = -1, payment = -1] = row;
        this.#set(span, minute - span.start, this.#combo(branch, own(line), own(customer), own(payment)), row);
      }
    }
  }

  /** The span that a UTC minute lies in, if anything was sold in it. */
  spanAt(minute: number): Span | undefined {
    return this.#starts.get(minute - (minute % this.spanMinutes));
  }

  /** The sum over all time. */
  total(): Float64Array {
    const sum = new Float64Array(WIDTH);
    for (const { total } of this.columns) for (let i = 0; i < WIDTH; i++) sum[i] = (sum[i] as number) + (total[i] as number);
    return sum;
  }

  #set(span: Span, minute: number, combo: number, told: number[]): void {
    const row = span.row(minute, combo);
    const held = span.values;
    const columns = this.columns[combo] as Columns;
    const page = columns.page(Math.floor(span.slot / PAGE));
    const shelf = (this.#shelfOf[combo] as Shelf).columns.page(Math.floor(span.slot / PAGE));
    const slot = span.slot % PAGE;
    for (let i = 0; i < WIDTH; i++) {
      const value = told[3 + i] ?? 0;
      const more = value - (held[row + i] as number);
      if (more === 0) continue;
      held[row + i] = value;
      page[i * PAGE + slot] = (page[i * PAGE + slot] as number) + more;
      shelf[i * PAGE + slot] = (shelf[i * PAGE + slot] as number) + more;
      columns.total[i] = (columns.total[i] as number) + more;
      this.used[i] = 1;
    }
  }

  #span(minute: number): Span {
    const start = minute - (minute % this.spanMinutes);
    let span = this.#starts.get(start);
    if (span === undefined) {
      span = new Span(start, this.spans.length);
      if (span.slot === this.locals.length) {
        const locals = new Int32Array(this.locals.length * 2);
        locals.set(this.locals);
        this.locals = locals;
      }
      this.locals[span.slot] = this.clock.local(start);
      this.#starts.set(start, span);
      this.spans.push(span);
    }
    return span;
  }

  #combo(branch: number, line: number, customer: number, payment: number): number {
    const shelved = branch * MOST_NAMES + line;
    const paid = customer * MOST_NAMES + payment;
    let places = this.#places.get(shelved);
    if (places === undefined) this.#places.set(shelved, (places = new Map<number, number>()));
    let place = places.get(paid);
    if (place === undefined) {
      place = this.combos.length;
      const name = (number: number): string => this.names.texts[number] as string;
      const combo = { branch: name(branch), product_line: name(line), customer_type: name(customer), payment: name(payment) };
      this.combos.push(combo);
      this.columns.push(new Columns());
      const { branch: where, product_line } = combo;
      let shelf = this.shelves.find((found) => found.branch === where && found.product_line === product_line);
      if (shelf === undefined) this.shelves.push((shelf = { branch: where, product_line, combos: [], columns: new Columns() }));
      shelf.combos.push(place);
      this.#shelfOf.push(shelf);
      places.set(paid, place);
    }
    return place;
  }
}
