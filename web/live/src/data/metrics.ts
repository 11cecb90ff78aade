/** What can be drawn: each a measure, one less another, or one over another. */

import { at, type Measure, type Measures } from "./wire";

export type Kind = "money" | "count" | "rating";

export interface Metric {
  name: string;
  kind: Kind;
  of: number;
  less: number | null;
  over: number | null;
}

const metric = (name: string, kind: Kind, of: Measure, beside: { less?: Measure; over?: Measure } = {}): Metric => ({
  name, kind, of: at(of), less: placed(beside.less), over: placed(beside.over),
});

const placed = (measure: Measure | undefined): number | null => (measure === undefined ? null : at(measure));

export const METRICS = {
  sales: metric("Sales", "money", "sales"),
  net: metric("Net sales", "money", "sales", { less: "returned_sales" }),
  tickets: metric("Tickets", "count", "tickets"),
  items: metric("Items", "count", "items"),
  basket: metric("Average transaction", "money", "sales", { over: "tickets" }),
  rating: metric("Rating", "rating", "rating_sum", { over: "rating_count" }),
  cogs: metric("Cost of goods", "money", "cogs"),
  returns: metric("Returns", "count", "returns"),
  anomalies: metric("Unusual sales", "count", "anomalies"),
} as const;

export type MetricName = keyof typeof METRICS;

/** A sum's value of a metric: in units of 1/10,000 for money and ratings; null where nothing can be said. */
export function valueOf(metric: Metric, sum: Measures): number | null {
  const value = (sum[metric.of] ?? 0) - (metric.less === null ? 0 : (sum[metric.less] ?? 0));
  if (metric.over === null) return value;
  const over = sum[metric.over] ?? 0;
  return over === 0 ? null : value / over;
}

const TICKETS = at("tickets");
const RETURNS = at("returns");
const RATED = at("rating_count");

/** How many sales stand behind a sum's value of a metric. */
export function behind(metric: Metric, sum: Measures): number {
  if (metric.kind === "rating") return sum[RATED] ?? 0;
  return (sum[TICKETS] ?? 0) + (sum[RETURNS] ?? 0);
}
