/** What several places of the page say in the same words. */

import type { View } from "./data/look";
import { behind, type Metric, valueOf } from "./data/metrics";
import type { Grain } from "./data/sums";
import type { Anomaly, Measures } from "./data/wire";
import type { Format } from "./format";

export const PER: Record<Grain, string> = {
  1: "a minute", 5: "in 5 minutes", 15: "in 15 minutes", 60: "an hour", 1440: "a day", 10080: "a week",
};

/** What a sum says: its value in full, and how many sales stand behind it. */
export const said = (format: Format, metric: Metric, sum: Measures): string =>
  `${format.value(metric, valueOf(metric, sum))} · ${format.counted(behind(metric, sum), "sale")}`;

export function barName(view: View, bar: number, format: Format, full: boolean): string {
  const minute = view.bars[bar] ?? 0;
  if (view.grain >= 1440) return full ? `${view.grain === 10080 ? "Week of " : ""}${format.fullDay(minute)}` : format.day(minute);
  if (!full) return minute % 1440 === 0 ? format.day(minute) : format.clock(minute);
  return `${format.fullDay(minute)}, ${format.clock(minute)}`;
}

const REASONS: Record<string, string> = {
  total_mismatch: "Total is not price × quantity + tax",
  tax_mismatch: "Tax is not the store’s rate",
  closed_hour: "Sold while the store is closed",
  unknown_branch: "Branch is not on the list",
  unknown_product_line: "Product line is not on the list",
  unknown_customer_type: "Customer type is not on the list",
  unknown_payment: "Way of paying is not on the list",
};

/** Why a sale needs a look, in words. */
export function reason({ flags, score }: Pick<Anomaly, "flags" | "score">): string {
  const named = flags.map((flag) => REASONS[flag] ?? flag);
  if (named.length > 0) return named.join("; ");
  return `Unlike the others (score ${(score ?? 0).toFixed(2)})`;
}

/** How something is judged: a word for two metres, the same as on the Pipelines page. */
export const JUDGED = { ok: "Well", warn: "Watch", alert: "Needs a hand", none: "Not judged yet" } as const;
export type Judged = keyof typeof JUDGED;

export const capital = (words: string): string => `${words.charAt(0).toUpperCase()}${words.slice(1)}`;

/** Words as a sentence of their own. */
export const sentence = (words: string): string => `${capital(words)}${/[.!?]$/.test(words) ? "" : "."}`;
