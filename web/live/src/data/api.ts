/** What the page asks the API: single sales, and what visitors have to say. */

import type { Cube } from "./cube";
import { walk } from "./select";
import { type Anomaly, at } from "./wire";

export interface Sale extends Anomaly {
  sold_at: string;
  customer_type: string;
  unit_price: string;
  quantity: number;
  payment: string;
  cogs: string;
  tax: string;
  kind: "sale" | "return";
  anomaly: boolean;
  model: string;
  received_at: number;
  basket_quantiles: [number, number, number] | null;
  rating: string | null;
  city: string | null;
  customer_id: string | null;
}

/** The same id with other content, kept apart: of each field what is kept and what came. */
export interface Conflict {
  received_at: number;
  differences: Record<string, [string | number | null, string | number | null]>;
}

export interface SaleDetail {
  sale: Sale;
  counted_by: { writer: string; version: number };
  conflicts: Conflict[];
}

export interface SalesPage {
  sales: Sale[];
  cursor: string | null;
}

export interface Feedback {
  text: string;
  view: string;
  mood?: "good" | "bad";
  page_version: string;
}

const ANOMALIES = at("anomalies");
/** the most that the API tells at once */
export const PAGE_OF_SALES = 100;
const LOOKED_AT = 8;

/** What does not work, in words for whoever looks at the page. */
export class ApiError extends Error {}

export async function ask<T>(path: string, init?: RequestInit): Promise<T> {
  const answer = await fetch(path, init).catch(() => null);
  if (answer === null) throw new ApiError("The server does not answer. Is this computer online?");
  const body = (await answer.json().catch(() => ({}))) as T & { error?: string };
  if (!answer.ok) throw new ApiError(body.error ?? `The server answered ${answer.status}.`);
  return body;
}

const WAIT_MS = 30_000;

/** Asks for what the page shows beside the sales, and gives up in good time to ask again. */
export const askBeside = <T>(path: string): Promise<T> => ask<T>(path, { signal: AbortSignal.timeout(WAIT_MS) });

const time = (minute: number): string => new Date(minute * 60_000).toISOString();

const filled = (sale: Partial<Sale>): Sale =>
  ({ flags: [], score: null, basket_quantiles: null, rating: null, city: null, customer_id: null, ...sale }) as unknown as Sale;

/** A branch's sales in a range of UTC minutes, oldest first. */
export async function sales(branch: string, since: number, until: number, cursor: string | null = null): Promise<SalesPage> {
  const query = new URLSearchParams({ branch, from: time(since), to: time(until), limit: String(PAGE_OF_SALES) });
  if (cursor !== null) query.set("cursor", cursor);
  const page = await ask<SalesPage>(`/v1/sales?${query.toString()}`);
  return { cursor: page.cursor, sales: page.sales.map(filled) };
}

export async function sale(invoice: string): Promise<SaleDetail> {
  const found = await ask<SaleDetail>(`/v1/sales/${encodeURIComponent(invoice)}`);
  return { ...found, sale: filled(found.sale) };
}

export const post = <T>(path: string, content: unknown): Promise<T> =>
  ask<T>(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(content) });

export async function sendFeedback(feedback: Feedback): Promise<void> {
  await post("/v1/feedback", feedback);
}

/** The anomalies that were there before this page: the cells say where they are, the API which sales they are. */
export async function recentAnomalies(cube: Cube): Promise<Anomaly[]> {
  const places = new Map<string, { minute: number; branch: string }>();
  for (const span of [...cube.spans].sort((a, b) => b.start - a.start)) {
    if (places.size >= LOOKED_AT) break;
    walk(cube, span.start, span.start + cube.spanMinutes, (local, combo, values, first) => {
      if ((values[first + ANOMALIES] ?? 0) === 0) return;
      const minute = span.start + local - (cube.locals[span.slot] ?? 0);
      const branch = cube.combos[combo]?.branch ?? "";
      places.set(`${minute} ${branch}`, { minute, branch });
    });
  }
  const newest = [...places.values()].sort((a, b) => b.minute - a.minute).slice(0, LOOKED_AT);
  const found = await Promise.all(newest.map(({ minute, branch }) => sales(branch, minute, minute + 1).catch(() => null)));
  return found.flatMap((page) => page?.sales.filter((sold) => sold.anomaly) ?? []);
}

