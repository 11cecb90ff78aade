/** The slots of the cube's columns, an hour each where clocks differ by hours: what is walked column by column. */

import { type Columns, type Cube, PAGE } from "./cube";
import { hourOfWeek } from "./select";
import { DAY } from "./store";

/** Of each slot of the columns: its hour of the week (-1 outside the range), the time filters it fails, its bar, its day. */
export class Slots {
  readonly place: Int16Array;
  readonly fails: Uint8Array;
  readonly bar: Int32Array;
  readonly day: Int32Array;
  /** every slot passes */
  readonly all: boolean;

  constructor(cube: Cube, begin: number, end: number, hourFails: Uint8Array, barOf: (local: number) => number) {
    this.place = new Int16Array(cube.spans.length).fill(-1);
    this.fails = new Uint8Array(cube.spans.length).fill(255);
    this.bar = new Int32Array(cube.spans.length);
    this.day = new Int32Array(cube.spans.length);
    let passing = 0;
    cube.spans.forEach(({ start }, slot) => {
      if (start < begin || start >= end) return;
      const local = cube.locals[slot] as number;
      const place = hourOfWeek(local);
      this.place[slot] = place;
      this.bar[slot] = barOf(local);
      this.day[slot] = Math.floor(local / DAY);
      this.fails[slot] = hourFails[place] as number;
      if (this.fails[slot] === 0) passing++;
    });
    this.all = passing === cube.spans.length;
  }

  any(first: number, size: number): boolean {
    for (let i = first; i < first + size; i++) if ((this.place[i] as number) >= 0) return true;
    return false;
  }

  /** The sum of a column over the slots that pass. */
  sum(page: Float64Array, measure: number, first: number, size: number): number {
    let sum = 0;
    const begin = measure * PAGE;
    for (let i = 0; i < size; i++) if (this.fails[first + i] === 0) sum += page[begin + i] as number;
    return sum;
  }
}

/** The sum of one measure's columns, into `into`; returns whether any of them has that page. */
export function sumColumns(columns: Columns[], page: number, measure: number, into: Float64Array, size: number): boolean {
  let any = false;
  const begin = measure * PAGE;
  for (const { pages } of columns) {
    const values = pages[page];
    if (values === undefined) continue;
    if (any) for (let i = 0; i < size; i++) into[i] = (into[i] as number) + (values[begin + i] as number);
    else into.set(values.subarray(begin, begin + size));
    any = true;
  }
  return any;
}
