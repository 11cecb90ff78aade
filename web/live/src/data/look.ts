/** What the page shows of the selected sales: every view of them, from one walk over the cube. */

import { type Cube, WIDTH } from "./cube";
import { type Kpis, report } from "./kpis";
import { CATEGORIES, type Category, FAILS, open, type Selection } from "./select";
import { closings } from "./stock";
import type { Store } from "./store";
import { add, entry, type Grain, NOT_SHELVED, Sums, sumAt } from "./sums";
import type { Measures } from "./wire";

/** What was sold from a shelf, at cost, and what is left on it. Units of 1/10,000. */
export interface ShelfView {
  branch: string;
  product_line: string;
  sold: number;
  left: number;
}

export interface View {
  kpis: Kpis;
  sum: Measures;
  grain: Grain;
  /** the store's minutes at which the bars begin, without holes */
  bars: number[];
  /** the sum of each bar: measures after measures */
  over: Float64Array;
  /** the same by branch, the filter on branches left aside */
  overByBranch: Map<string, Float64Array>;
  /** of each category the sums by value, its own filter left aside */
  by: Record<Category, Map<string, Float64Array>>;
  /** payment to customer type to sum, both their filters left aside */
  matrix: Map<string, Map<string, Float64Array>>;
  /** 24 sums, the filter on hours left aside */
  hours: Float64Array;
  /** 7 sums, Monday first, the filter on weekdays left aside */
  weekdays: Float64Array;
  shelves: ShelfView[];
}

/** Everything that the page shows of a selection; bars go on to `reach` (a UTC minute) where the selection ends before. */
export function look(cube: Cube, selection: Selection, store: Store, reach: number | null = null): View {
  const sums = new Sums(cube, selection, reach);
  const any = sums.days.first !== Infinity;
  const { closing, shelves } = any ? shelvesOf(sums, selection, store) : { closing: 0n, shelves: [] };
  return {
    kpis: report(sums.all, any ? sums.days : null, closing, store, selection),
    sum: sums.all,
    grain: sums.grain,
    bars: Array.from({ length: sums.bars }, (_, place) => sums.start + place * sums.grain),
    shelves,
    ...overTime(sums),
    ...byCategory(sums, cube),
    ...byHour(sums),
  };
}

/** The sum of what is selected. */
export const sumOf = (cube: Cube, selection: Selection): Float64Array => new Sums(cube, selection).all;

/** What is left on the shelves that passes, and what stood there at the end of each of the days, summed. */
function shelvesOf({ shelves, days, firstDay }: Sums, selection: Selection, store: Store): { closing: bigint; shelves: ShelfView[] } {
  let closing = 0n;
  const views: ShelfView[] = [];
  for (const { shelf, sold, moved } of shelves) {
    const { branch, product_line } = shelf;
    if (!moved || !open(selection.branch, branch) || !open(selection.product_line, product_line)) continue;
    const { sum, left } = closings(sold, firstDay, days.first, days.last, store.stock_at_cost);
    closing += sum;
    views.push({ branch, product_line, sold: sold.reduce((so, day) => so + day, 0), left });
  }
  return { closing, shelves: views };
}

function overTime({ bars, branches }: Sums): Pick<View, "over" | "overByBranch"> {
  const over = new Float64Array(bars * WIDTH);
  for (const one of branches) {
    if (one.passes) for (let i = 0; i < over.length; i++) over[i] = (over[i] as number) + (one.over[i] as number);
  }
  return { over, overByBranch: new Map(branches.map((one) => [one.branch, one.over])) };
}

function byCategory({ fails, byCombo }: Sums, cube: Cube): Pick<View, "by" | "matrix"> {
  const by = { branch: new Map(), product_line: new Map(), customer_type: new Map(), payment: new Map() } as View["by"];
  const matrix: View["matrix"] = new Map();
  cube.combos.forEach((combo, place) => {
    const failed = fails[place] as number;
    const own = sumAt(byCombo, place);
    for (const name of CATEGORIES) if ((failed & ~FAILS[name]) === 0) add(entry(by[name], combo[name], zero), 0, own, 0);
    if ((failed & ~NOT_SHELVED) !== 0) return;
    const row = entry(matrix, combo.payment, () => new Map<string, Float64Array>());
    add(entry(row, combo.customer_type, zero), 0, own, 0);
  });
  return { by, matrix };
}

function byHour({ hourFails, week }: Sums): Pick<View, "hours" | "weekdays"> {
  const [hours, weekdays] = [new Float64Array(24 * WIDTH), new Float64Array(7 * WIDTH)];
  for (let place = 0; place < 7 * 24; place++) {
    const failed = hourFails[place] as number;
    if ((failed & ~FAILS.hour) === 0) add(hours, place % 24, week, place * WIDTH);
    if ((failed & ~FAILS.weekday) === 0) add(weekdays, Math.floor(place / 24), week, place * WIDTH);
  }
  return { hours, weekdays };
}

const zero = (): Float64Array => new Float64Array(WIDTH);
