/**
 * Whether the parts of a whole differ, judged by their days: a difference is named only where chance would not make it.
 *
 * A part's basket is a ratio of sums (sales over tickets), its variance the ratio estimator's over days (Cochran, Sampling
 * Techniques, 6.3); several baskets are held against their weighted mean by a chi-square (Cochran's Q). A trend is the
 * second half of the days against the first, by Welch's t.
 */

import { type Cube, PAGE } from "./cube";
import { type Category, comboFails, FAILS, hourFails, hourOfWeek, type Selection } from "./select";
import { DAY } from "./store";
import { at } from "./wire";

export interface Part {
  name: string;
  /** by day: units of 1/10,000 */
  sales: Float64Array;
  tickets: Float64Array;
}

const SALES = at("sales");
const TICKETS = at("tickets");
const SURE = 0.01;
const FEWEST_DAYS = 6;
const FEWEST_TICKETS = 30; // below, the ratio of sums has no normal look

/** The parts of the selected sales by a category's values, day by day; whole hours only. */
export function partsOf(cube: Cube, selection: Selection, category: Category): Part[] {
  const fails = comboFails(cube, selection);
  const failing = hourFails(selection);
  const [since, until] = [selection.since ?? -Infinity, selection.until ?? Infinity];
  const days = cube.spans.map(({ start }, slot) => {
    const local = cube.locals[slot] as number;
    return start < since || start + cube.spanMinutes > until || failing[hourOfWeek(local)] !== 0 ? -Infinity : Math.floor(local / DAY);
  });
  let [first, last] = [Infinity, -Infinity];
  for (const day of days) if (day !== -Infinity) [first, last] = [Math.min(first, day), Math.max(last, day)];
  if (last < first) return [];
  const parts = new Map<string, Part>();
  cube.combos.forEach((combo, place) => {
    if (((fails[place] as number) & ~FAILS[category]) !== 0) return;
    const name = combo[category];
    const part = parts.get(name) ?? { name, sales: new Float64Array(last - first + 1), tickets: new Float64Array(last - first + 1) };
    parts.set(name, part);
    cube.columns[place]?.pages.forEach((page, number) => {
      if (page === undefined) return;
      for (let i = 0; i < PAGE; i++) {
        const day = days[number * PAGE + i] ?? -Infinity;
        if (day === -Infinity) continue;
        part.sales[day - first] = (part.sales[day - first] as number) + (page[SALES * PAGE + i] as number);
        part.tickets[day - first] = (part.tickets[day - first] as number) + (page[TICKETS * PAGE + i] as number);
      }
    });
  });
  return [...parts.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

const total = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0);

/** The chance that baskets which are the same differ as much as these; null where there are too few sales or days
 * to say. */
export function sameBaskets(parts: Part[]): number | null {
  const baskets = parts.flatMap(({ sales, tickets }) => {
    const [sold, count, days] = [total(sales), total(tickets), sales.length];
    if (count < FEWEST_TICKETS || days < FEWEST_DAYS) return [];
    const basket = sold / count;
    let squares = 0;
    for (let day = 0; day < days; day++) squares += ((sales[day] as number) - basket * (tickets[day] as number)) ** 2;
    const variance = ((days / (days - 1)) * squares) / count ** 2;
    return variance > 0 ? [{ basket, weight: 1 / variance }] : [];
  });
  if (baskets.length < 2) return null;
  const weights = baskets.reduce((sum, { weight }) => sum + weight, 0);
  const mean = baskets.reduce((sum, { basket, weight }) => sum + basket * weight, 0) / weights;
  const q = baskets.reduce((sum, { basket, weight }) => sum + weight * (basket - mean) ** 2, 0);
  return chiSquareAbove(q, baskets.length - 1);
}

/** How much more a part sells a day in the second half of its days: a share, or 0 where chance would do as much. */
export function trend({ sales }: Part): number | null {
  const half = Math.floor(sales.length / 2);
  if (half < FEWEST_DAYS / 2) return null;
  const [before, after] = [meanOf(sales.subarray(0, half)), meanOf(sales.subarray(sales.length - half))];
  const spread = Math.sqrt((before.variance + after.variance) / half);
  if (spread === 0 || before.mean === 0) return null;
  const t = Math.abs(after.mean - before.mean) / spread;
  const freedom = ((before.variance + after.variance) ** 2 * (half - 1)) / (before.variance ** 2 + after.variance ** 2);
  return twoSided(t, freedom) < SURE ? after.mean / before.mean - 1 : 0;
}

export const differ = (chance: number | null): boolean => chance !== null && chance < SURE;

function meanOf(values: Float64Array): { mean: number; variance: number } {
  const mean = total(values) / values.length;
  return { mean, variance: values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1) };
}

/** The chance that a chi-square of so many degrees is above x (Wilson and Hilferty, 1931). */
export function chiSquareAbove(x: number, degrees: number): number {
  const spread = 2 / (9 * degrees);
  return normalAbove(((x / degrees) ** (1 / 3) - (1 - spread)) / Math.sqrt(spread));
}

/** The chance that a t of so many degrees is further from 0 than t (Hill's normal approximation, 1970). */
function twoSided(t: number, degrees: number): number {
  const z = Math.sqrt(degrees * Math.log1p((t * t) / degrees)) * (1 - 3 / (4 * degrees + 1.5));
  return 2 * normalAbove(z);
}

/** The chance that a standard normal is above z (Abramowitz and Stegun, 26.2.17). */
function normalAbove(z: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(z));
  const tail = t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  const above = (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * tail;
  return z >= 0 ? above : 1 - above;
}
