/** What is selected: kept in the URL, so that a view can be sent to somebody. */

import { computed, signal } from "@preact/signals";
import type { Selection } from "./kpis";

export const DIMENSIONS = ["branch", "product_line", "customer_type", "payment"] as const;
export type Dimension = (typeof DIMENSIONS)[number];

/** How far back from the newest sale, in days; null is all. */
export const RANGES: { label: string; days: number | null }[] = [
  { label: "All time", days: null },
  { label: "30 days", days: 30 },
  { label: "7 days", days: 7 },
  { label: "1 day", days: 1 },
];

type Chosen = Record<Dimension, ReadonlySet<string>>;

function fromUrl(): { chosen: Chosen; days: number | null } {
  const query = new URLSearchParams(location.search);
  const of = (dimension: Dimension): Set<string> => new Set(query.getAll(dimension));
  const days = Number(query.get("days"));
  return {
    chosen: {
      branch: of("branch"),
      product_line: of("product_line"),
      customer_type: of("customer_type"),
      payment: of("payment"),
    },
    days: RANGES.some((range) => range.days === days) ? days : null,
  };
}

const initial = fromUrl();
export const chosen = signal<Chosen>(initial.chosen);
export const days = signal<number | null>(initial.days);
export const anyChosen = computed(
  () => days.value !== null || DIMENSIONS.some((dimension) => chosen.value[dimension].size > 0),
);

function toUrl(): void {
  const query = new URLSearchParams();
  for (const dimension of DIMENSIONS) for (const value of chosen.value[dimension]) query.append(dimension, value);
  if (days.value !== null) query.set("days", String(days.value));
  const text = query.toString();
  history.replaceState(null, "", text ? `?${text}` : location.pathname);
}

export function toggle(dimension: Dimension, value: string): void {
  const set = new Set(chosen.value[dimension]);
  if (!set.delete(value)) set.add(value);
  chosen.value = { ...chosen.value, [dimension]: set };
  toUrl();
}

export function setDays(value: number | null): void {
  days.value = value;
  toUrl();
}

export function clear(): void {
  const none = new Set<string>();
  chosen.value = { branch: none, product_line: none, customer_type: none, payment: none };
  days.value = null;
  toUrl();
}

addEventListener("popstate", () => {
  const found = fromUrl();
  chosen.value = found.chosen;
  days.value = found.days;
});

/** The selection as the sums take it; `newest` is the UTC minute of the newest sale. */
export function selection(newest: number | null): Selection {
  const since = days.value === null || newest === null ? null : newest - days.value * 1440 + 1;
  return { ...chosen.value, since, until: null };
}
