/** Which sales are meant, and the walk over the cube that sums them. */

import { type Cube, WIDTH } from "./cube";
import { type Clock, DAY, weekday } from "./store";

export const CATEGORIES = ["branch", "product_line", "customer_type", "payment"] as const;
export type Category = (typeof CATEGORIES)[number];

/** An empty set is any. Minutes are UTC since 1970, `until` exclusive; weekday 0 is Monday; hours are the store's. */
export interface Selection extends Record<Category, ReadonlySet<string>> {
  weekday: ReadonlySet<number>;
  hour: ReadonlySet<number>;
  since: number | null;
  until: number | null;
}

const NONE: ReadonlySet<never> = new Set<never>();

export const EVERYTHING: Selection = {
  branch: NONE, product_line: NONE, customer_type: NONE, payment: NONE, weekday: NONE, hour: NONE, since: null, until: null,
};

/** One bit a filter: of a row, the filters that it does not pass. */
export const FAILS = { branch: 1, product_line: 2, customer_type: 4, payment: 8, weekday: 16, hour: 32 } as const;

/** Whether a filter lets a value through. */
export const open = <T>(set: ReadonlySet<T>, value: T): boolean => set.size === 0 || set.has(value);

/** Whether a sale of this UTC minute passes the filters on time. */
export function passesTime({ weekday: days, hour, since, until }: Selection, minute: number, clock: Clock): boolean {
  const place = hourOfWeek(clock.local(minute));
  const chosen = minute >= (since ?? -Infinity) && minute < (until ?? Infinity);
  return chosen && open(days, Math.floor(place / 24)) && open(hour, place % 24);
}

/** Of each combo the filters that it does not pass. */
export function comboFails(cube: Cube, selection: Selection): Uint8Array {
  return Uint8Array.from(cube.combos, (combo) =>
    CATEGORIES.reduce((fails, name) => fails | (open(selection[name], combo[name]) ? 0 : FAILS[name]), 0),
  );
}

/** Of each of the 168 hours of a week, Monday first, the time filters that it does not pass. */
export function hourFails(selection: Selection): Uint8Array {
  return Uint8Array.from({ length: 7 * 24 }, (_, place) => {
    const day = open(selection.weekday, Math.floor(place / 24)) ? 0 : FAILS.weekday;
    return day | (open(selection.hour, place % 24) ? 0 : FAILS.hour);
  });
}

/** The place of a store's minute in the 168 hours of its week. */
export const hourOfWeek = (local: number): number =>
  weekday(Math.floor(local / DAY)) * 24 + Math.floor((local - Math.floor(local / DAY) * DAY) / 60);

/** Calls `visit` with each row of the minutes from `since` to `until - 1` (UTC): the store's minute, the combo, and where
 * in `values` its measures begin. */
export function walk(
  cube: Cube,
  since: number,
  until: number,
  visit: (local: number, combo: number, values: Float64Array, first: number) => void,
): void {
  if (cube.oldest === null || cube.newest === null) return;
  const [begin, end] = [Math.max(since, cube.oldest), Math.min(until, cube.newest + 1)];
  for (let at = begin - (begin % cube.spanMinutes); at < end; at += cube.spanMinutes) {
    const span = cube.spanAt(at);
    if (span === undefined) continue;
    const local = cube.locals[span.slot] as number;
    for (let row = 0; row < span.size; row++) {
      const minute = span.minutes[row] as number;
      if (at + minute < begin || at + minute >= end) continue;
      visit(local + minute, span.combos[row] as number, span.values, row * WIDTH);
    }
  }
}
