/** The KPIs. The counterpart of `tidemark/kpis.py`; both pass `tests/vectors/kpis.json`. */

import { divide, ratio, SCALE, text } from "./exact";
import { dayName, type Store, weekday } from "./store";
import { at, type Measure, type Measures } from "./wire";

export interface Kpis {
  sales: string;
  tickets: number;
  items: number;
  average_transaction: string | null;
  items_per_hour: number | null;
  cogs: string;
  tax: string;
  returns: number;
  returned_sales: string;
  net_sales: string;
  anomalies: number;
  rating: number | null;
  inventory_turnover: number | null;
  average_stock: string | null;
  stock: "simulated";
  first_day: string | null;
  last_day: string | null;
}

/** The first and the last of the store's days with a selected sale. */
export interface Days {
  first: number;
  last: number;
}

/** Weekdays and hours that are selected; none is all. */
export interface OpenTimes {
  weekday: ReadonlySet<number>;
  hour: ReadonlySet<number>;
}

/** `closing`: the stock at closing, summed over shelves and days. */
export function report(sum: Measures, days: Days | null, closing: bigint, store: Store, times: OpenTimes): Kpis {
  const m = (measure: Measure): number => sum[at(measure)] ?? 0;
  const big = (measure: Measure): bigint => BigInt(m(measure));
  const count = days === null ? 0n : BigInt(days.last - days.first + 1);
  return {
    sales: text(big("sales")),
    tickets: m("tickets"),
    items: m("items"),
    average_transaction: m("tickets") ? divide(big("sales"), big("tickets")) : null,
    items_per_hour: days === null ? null : ratio(big("items"), BigInt(openHours(days, store, times))),
    cogs: text(big("cogs")),
    tax: text(big("tax")),
    returns: m("returns"),
    returned_sales: text(big("returned_sales")),
    net_sales: text(big("sales") - big("returned_sales")),
    anomalies: m("anomalies"),
    rating: ratio(big("rating_sum"), big("rating_count") * BigInt(SCALE)),
    inventory_turnover: days === null ? null : ratio(big("cogs") * count, closing),
    average_stock: days === null ? null : divide(closing, count, 4),
    stock: "simulated",
    first_day: days === null ? null : dayName(days.first),
    last_day: days === null ? null : dayName(days.last),
  };
}

/** The open hours of the calendar days from the first to the last, of those weekdays and hours that are selected. */
function openHours({ first, last }: Days, store: Store, { weekday: weekdays, hour: hours }: OpenTimes): number {
  let days = 0;
  for (let day = first; day <= last; day++) if (weekdays.size === 0 || weekdays.has(weekday(day))) days++;
  let open = 0;
  for (let hour = store.opens; hour < store.closes; hour++) if (hours.size === 0 || hours.has(hour)) open++;
  return days * open;
}
