/** The anomalies that were there before this page: the cells say where they are, the API which sales they are. */

import { type Anomaly, at, type Cell } from "./cells";

const ANOMALIES = at("anomalies");
const LOOKED_AT = 8;

interface StoredSale extends Anomaly {
  anomaly: boolean;
}

export async function recentAnomalies(cells: Iterable<Cell>): Promise<Anomaly[]> {
  const places = new Map<string, { minute: number; branch: string }>();
  for (const { minute, branch, rows } of cells) {
    if (rows.some((row) => (row.measures[ANOMALIES] ?? 0) > 0)) places.set(`${minute} ${branch}`, { minute, branch });
  }
  const newest = [...places.values()].sort((a, b) => b.minute - a.minute).slice(0, LOOKED_AT);
  const found = await Promise.all(newest.map(({ minute, branch }) => anomaliesAt(minute, branch)));
  return found.flat();
}

async function anomaliesAt(minute: number, branch: string): Promise<Anomaly[]> {
  const time = (m: number): string => new Date(m * 60_000).toISOString();
  const query = new URLSearchParams({ branch, from: time(minute), to: time(minute + 1), limit: "100" });
  const answer = await fetch(`/v1/sales?${query.toString()}`).catch(() => null);
  if (answer?.ok !== true) return [];
  const page = (await answer.json()) as { sales: (Omit<StoredSale, "flags" | "score"> & Partial<StoredSale>)[] };
  return page.sales
    .filter((sale) => sale.anomaly)
    .map((sale) => ({ ...sale, flags: sale.flags ?? [], score: sale.score ?? null }));
}
