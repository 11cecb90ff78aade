/** The sums of a selection, from one walk over the cube: whole hours column by column, what is left row by row. */

import { type Columns, type Cube, PAGE, type Shelf, WIDTH } from "./cube";
import type { Days } from "./kpis";
import { comboFails, FAILS, hourFails, hourOfWeek, open, type Selection, walk } from "./select";
import { Slots, sumColumns } from "./slots";
import { DAY } from "./store";
import { at, type Measures } from "./wire";

/** Minutes in a bar of the chart over time. */
export type Grain = 1 | 5 | 15 | 60 | 1440 | 10080;

const GRAINS: Grain[] = [1, 5, 15, 60, 1440, 10080];
const [FEWEST_BARS, MOST_BARS] = [20, 170];
const MONDAY = 4 * DAY; // day 4 was a Monday: weeks begin there

const COGS = at("cogs");
const RETURNED_COGS = at("returned_cogs");
const TICKETS = at("tickets");
const RETURNS = at("returns");
/** filters that do not touch a shelf: stock is kept by branch and product line */
export const NOT_SHELVED = FAILS.customer_type | FAILS.payment;

/** The measures of the `place`-th of sums that lie one after another. */
export const sumAt = (sums: Float64Array, place: number): Float64Array => sums.subarray(place * WIDTH, (place + 1) * WIDTH);

/** The widest bars that are not too few, or else the narrowest that are not too many. */
function grainOf(minutes: number): Grain {
  const fit = GRAINS.filter((grain) => minutes / grain <= MOST_BARS);
  return fit.findLast((grain) => minutes / grain >= FEWEST_BARS) ?? fit[0] ?? 10080;
}

interface BranchSum {
  branch: string;
  /** it passes the filter on branches */
  passes: boolean;
  shelves: ShelfSum[];
  /** by bar */
  over: Float64Array;
}

interface ShelfSum {
  shelf: Shelf;
  /** what stands for its combos that pass every category's filter, the one on branches left aside */
  passing: Columns[];
  /** the same, customer and payment left aside */
  stocked: Columns[];
  /** by day from the first day of the range on */
  sold: Float64Array;
  /** whether anything of it was sold, or came back, in the range */
  moved: boolean;
}

/** The sums of a selection. Each row counts in every view whose own filter is the only one that it fails. */
export class Sums {
  readonly all = new Float64Array(WIDTH);
  readonly grain: Grain;
  /** the store's minute at which the first bar begins */
  readonly start: number;
  readonly bars: number;
  readonly days: Days = { first: Infinity, last: -Infinity };
  /** the first day of the range */
  readonly firstDay: number;
  /** by combo: the category filters that it fails */
  readonly fails: Uint8Array;
  /** by hour of the week: the time filters that it fails */
  readonly hourFails: Uint8Array;
  /** of what passes the time filters, by combo */
  readonly byCombo: Float64Array;
  /** of what passes the category filters, by hour of the week */
  readonly week = new Float64Array(7 * 24 * WIDTH);
  readonly shelves: ShelfSum[];
  readonly branches: BranchSum[];
  readonly #since: number;
  readonly #until: number;
  readonly #shelfOf: ShelfSum[];
  readonly #branchOf: BranchSum[];

  constructor(
    private readonly cube: Cube,
    private readonly selection: Selection,
    reach: number | null = null,
  ) {
    const { first, last } = rangeOf(cube, { ...selection, until: reach ?? selection.until });
    this.#since = selection.since ?? -Infinity;
    this.#until = selection.until ?? Infinity;
    this.grain = grainOf(last - first + 1);
    this.start = this.grain === 10080 ? floorTo(first - MONDAY, this.grain) + MONDAY : floorTo(first, this.grain);
    this.bars = last < first ? 0 : Math.floor((last - this.start) / this.grain) + 1;
    this.firstDay = Math.floor(first / DAY);
    const dayCount = Math.max(0, Math.floor(last / DAY) - this.firstDay + 1);
    this.fails = comboFails(cube, selection);
    this.hourFails = hourFails(selection);
    this.byCombo = new Float64Array(cube.combos.length * WIDTH);
    this.shelves = cube.shelves.map((shelf) => ({
      shelf,
      passing: this.#columns(shelf, FAILS.branch),
      stocked: this.#columns(shelf, NOT_SHELVED),
      sold: new Float64Array(dayCount),
      moved: false,
    }));
    const branches = new Map<string, BranchSum>();
    this.#shelfOf = [];
    this.#branchOf = [];
    for (const sum of this.shelves) {
      const { branch, combos } = sum.shelf;
      const passes = open(selection.branch, branch);
      const found = entry(branches, branch, () => ({ branch, passes, shelves: [], over: new Float64Array(this.bars * WIDTH) }));
      found.shelves.push(sum);
      for (const combo of combos) [this.#shelfOf[combo], this.#branchOf[combo]] = [sum, found];
    }
    this.branches = [...branches.values()].sort((a, b) => (a.branch < b.branch ? -1 : 1));
    this.#run();
  }

  /** The columns that sum what passes of a shelf, the filters `aside` left aside: the shelf's own where all of it does. */
  #columns(shelf: Shelf, aside: number): Columns[] {
    const passing = shelf.combos.filter((combo) => ((this.fails[combo] as number) & ~aside) === 0);
    if (passing.length === shelf.combos.length) return [shelf.columns];
    return passing.map((combo) => this.cube.columns[combo] as Columns);
  }

  #run(): void {
    const { cube } = this;
    if (cube.oldest === null || cube.newest === null) return;
    if (this.grain < 60) {
      this.#minutes(this.#since, this.#until);
      return;
    }
    const span = cube.spanMinutes;
    const begin = Math.ceil(Math.max(this.#since, cube.oldest - span) / span) * span;
    const end = Math.max(begin, Math.floor(Math.min(this.#until, cube.newest + span) / span) * span);
    this.#minutes(this.#since, Math.min(begin, this.#until));
    this.#hours(begin, end);
    if (end < this.#until) this.#minutes(end, this.#until);
  }

  /** Adds the minutes from `since` to `until - 1`, row by row. */
  #minutes(since: number, until: number): void {
    walk(this.cube, since, until, (local, combo, values, first) => {
      const place = hourOfWeek(local);
      const timeFails = this.hourFails[place] as number;
      const fails = this.fails[combo] as number;
      if (timeFails === 0) add(this.byCombo, combo, values, first);
      const day = Math.floor(local / DAY);
      if ((fails & ~NOT_SHELVED) === 0) {
        const shelf = this.#shelfOf[combo] as ShelfSum;
        const { sold } = shelf;
        shelf.moved = true;
        const net = (values[first + COGS] as number) - (values[first + RETURNED_COGS] as number);
        sold[day - this.firstDay] = (sold[day - this.firstDay] as number) + net;
      }
      if ((fails & ~FAILS.branch) !== 0) return;
      if (timeFails === 0) add((this.#branchOf[combo] as BranchSum).over, Math.floor((local - this.start) / this.grain), values, first);
      if (fails !== 0) return;
      add(this.week, place, values, first);
      if (timeFails !== 0) return;
      add(this.all, 0, values, first);
      this.#extend(day);
    });
  }

  #extend(day: number): void {
    if (day < this.days.first) this.days.first = day;
    if (day > this.days.last) this.days.last = day;
  }

  /** Adds the whole hours from `begin` to `end - 1`, column by column. */
  #hours(begin: number, end: number): void {
    const { cube } = this;
    const slots = new Slots(cube, begin, end, this.hourFails, (local) => Math.floor((local - this.start) / this.grain));
    const used = [...cube.used.keys()].filter((measure) => cube.used[measure] === 1);
    const everything = slots.all && this.selection.since === null && this.selection.until === null;
    if (everything) for (const [combo, { total }] of cube.columns.entries()) add(this.byCombo, combo, total, 0);
    const column = new Float64Array(PAGE);
    for (let page = 0; page * PAGE < cube.spans.length; page++) {
      const first = page * PAGE;
      const size = Math.min(PAGE, cube.spans.length - first);
      if (!slots.any(first, size)) continue;
      for (const branch of this.branches) {
        const passing = branch.shelves.flatMap((shelf) => shelf.passing);
        for (const measure of used) {
          if (sumColumns(passing, page, measure, column, size)) this.#spread(slots, column, measure, first, size, branch);
        }
      }
      for (const shelf of this.shelves) {
        const { stocked, sold } = shelf;
        for (const measure of [TICKETS, RETURNS]) {
          if (shelf.moved || !sumColumns(stocked, page, measure, column, size)) continue;
          shelf.moved = column.subarray(0, size).some((value, i) => value !== 0 && (slots.place[first + i] as number) >= 0);
        }
        for (const [measure, sign] of [[COGS, 1], [RETURNED_COGS, -1]] as const) {
          if (cube.used[measure] === 0 || !sumColumns(stocked, page, measure, column, size)) continue;
          for (let i = 0; i < size; i++) {
            if ((slots.place[first + i] as number) < 0) continue;
            const day = (slots.day[first + i] as number) - this.firstDay;
            sold[day] = (sold[day] as number) + sign * (column[i] as number);
          }
        }
      }
      if (everything) continue;
      for (const [combo, { pages }] of cube.columns.entries()) {
        const values = pages[page];
        if (values === undefined) continue;
        for (const measure of used) {
          const place = combo * WIDTH + measure;
          this.byCombo[place] = (this.byCombo[place] as number) + slots.sum(values, measure, first, size);
        }
      }
    }
  }

  /** Adds one measure's column of a branch to the hours of the week, to the branch's bars and to the whole. */
  #spread(slots: Slots, column: Float64Array, measure: number, first: number, size: number, { over, passes }: BranchSum): void {
    const week = this.week;
    const counts = measure === TICKETS || measure === RETURNS;
    let sum = 0;
    for (let i = 0; i < size; i++) {
      const value = column[i] as number;
      const place = slots.place[first + i] as number;
      if (value === 0 || place < 0) continue;
      if (passes) week[place * WIDTH + measure] = (week[place * WIDTH + measure] as number) + value;
      if (slots.fails[first + i] !== 0) continue;
      const bar = (slots.bar[first + i] as number) * WIDTH + measure;
      over[bar] = (over[bar] as number) + value;
      if (!passes) continue;
      sum += value;
      if (counts) this.#extend(slots.day[first + i] as number);
    }
    this.all[measure] = (this.all[measure] as number) + sum;
  }
}

const floorTo = (value: number, step: number): number => Math.floor(value / step) * step;


/** Adds measures, which stand in `values` from `first` on, to the `place`-th of sums that lie one after another. */
export function add(to: Float64Array, place: number, values: Measures, first: number): void {
  const begin = place * WIDTH;
  for (let i = 0; i < WIDTH; i++) to[begin + i] = (to[begin + i] as number) + (values[first + i] as number);
}

export function entry<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let found = map.get(key);
  if (found === undefined) map.set(key, (found = make()));
  return found;
}

/** The first and the last of the store's minutes that charts reach over: what was chosen, or else from sale to sale. */
function rangeOf(cube: Cube, { since, until }: Selection): { first: number; last: number } {
  if (cube.newest === null || cube.oldest === null) return { first: 0, last: -1 };
  const first = since === null ? cube.oldest : since;
  const last = until === null ? cube.newest : until - 1;
  const { clock } = cube;
  return { first: clock.local(first), last: Math.max(clock.local(last), clock.local(first) - 1) };
}
