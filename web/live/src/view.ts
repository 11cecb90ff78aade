/** What the page shows of the selected sales: summed in one walk over the cells. */

import { addTo, cellSelected, KpiSum, type Kpis, rowSelected, type Selection, zero } from "./kpis";
import { at, type Cell, type Measures } from "./cells";
import { type Clock, type Store } from "./store";

export type Grain = "minute" | "hour" | "day";

export interface View {
  kpis: Kpis;
  grain: Grain;
  /** Store's minute at which a bucket begins, in order, without holes. */
  buckets: number[];
  /** Branch to sales (units) in each bucket. */
  salesByBranch: Map<string, number[]>;
  byLine: Map<string, Measures>;
  byCustomer: Map<string, Measures>;
  /** Payment to customer type to measures. */
  byPayment: Map<string, Map<string, Measures>>;
  /** Store's hour of the day to measures. */
  byHour: Measures[];
  /** Store's minute of the newest sale, whatever is selected. */
  newest: number | null;
}

const GRAIN_MINUTES: Record<Grain, number> = { minute: 1, hour: 60, day: 1440 };
const MOST_BUCKETS = 400;
const SALES = at("sales");

export function look(cells: Iterable<Cell>, selection: Selection, store: Store, clock: Clock): View {
  const sum = new KpiSum(store, clock, selection);
  const byLine = new Map<string, Measures>();
  const byCustomer = new Map<string, Measures>();
  const byPayment = new Map<string, Map<string, Measures>>();
  const byHour = Array.from({ length: 24 }, zero);
  const byMinute = new Map<string, Map<number, number>>();
  let newest: number | null = null;
  let first = Infinity;
  let last = -Infinity;
  for (const cell of cells) {
    if (newest === null || cell.minute > newest) newest = cell.minute;
    if (!cellSelected(cell, selection)) continue;
    sum.add(cell);
    const local = clock.local(cell.minute);
    const hour = byHour[Math.floor(local / 60) % 24] ?? zero();
    for (const row of cell.rows) {
      if (!rowSelected(row, selection)) continue;
      addTo(entry(byLine, row.line, zero), row.measures);
      addTo(entry(byCustomer, row.customer, zero), row.measures);
      addTo(entry(entry(byPayment, row.payment, () => new Map<string, Measures>()), row.customer, zero), row.measures);
      addTo(hour, row.measures);
      const minutes = entry(byMinute, cell.branch, () => new Map<number, number>());
      minutes.set(local, (minutes.get(local) ?? 0) + (row.measures[SALES] ?? 0));
      first = Math.min(first, local);
      last = Math.max(last, local);
    }
  }
  const grain = grainOf(first, last);
  return {
    kpis: sum.report(),
    grain,
    ...bucketed(byMinute, first, last, GRAIN_MINUTES[grain]),
    byLine,
    byCustomer,
    byPayment,
    byHour,
    newest: newest === null ? null : clock.local(newest),
  };
}

function entry<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let found = map.get(key);
  if (found === undefined) map.set(key, (found = make()));
  return found;
}

/** The finest grain that keeps a chart readable. */
function grainOf(first: number, last: number): Grain {
  const span = last - first;
  return span <= 180 ? "minute" : span <= 4 * 1440 ? "hour" : "day";
}

function bucketed(
  byMinute: Map<string, Map<number, number>>,
  first: number,
  last: number,
  minutes: number,
): Pick<View, "buckets" | "salesByBranch"> {
  if (first === Infinity) return { buckets: [], salesByBranch: new Map() };
  const end = Math.floor(last / minutes);
  const start = Math.max(Math.floor(first / minutes), end - MOST_BUCKETS + 1);
  const buckets = Array.from({ length: end - start + 1 }, (_, i) => (start + i) * minutes);
  const salesByBranch = new Map<string, number[]>();
  for (const branch of [...byMinute.keys()].sort()) {
    const values = buckets.map(() => 0);
    for (const [minute, sales] of byMinute.get(branch) ?? []) {
      const place = Math.floor(minute / minutes) - start;
      if (place >= 0) values[place] = (values[place] ?? 0) + sales;
    }
    salesByBranch.set(branch, values);
  }
  return { buckets, salesByBranch };
}
