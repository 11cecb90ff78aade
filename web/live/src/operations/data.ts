/** What the server knows of the way from a till to a browser. The counterpart of `ws_server/operations.py`. */

import { ask, askBeside } from "../data/api";

/** Per minute, in the `sample_s` seconds up to `at`; null where it was not to be had. `p50`, `p99`: milliseconds. */
export interface Sample {
  at: number;
  posts: number | null;
  sales: number | null;
  failed: number | null;
  p50: number | null;
  p99: number | null;
}

export interface Latency {
  count: number;
  p50: number | null;
  p99: number | null;
}

/** `left`: the share of the budget that is left, below 0 where it is overdrawn, null where nothing was counted. */
export interface Budget {
  name: string;
  promise: string;
  share: number;
  days: number;
  total: number;
  bad: number;
  left: number | null;
}

export interface Figures {
  at: number;
  sample_s: number;
  samples: Sample[];
  latencies: Record<"commit" | "tell" | "whole", Latency>;
  budgets: Budget[];
  watermarks: { branch: string; at: number }[];
  allowed_lateness_minutes: number;
  process: Record<"clients" | "cells" | "ticks" | "loads" | "stream", number>;
  tallied: boolean;
}

export interface Depth {
  consumer: "archive" | "publish";
  waiting: number;
  in_work: number;
}

export interface Redriven {
  healed: { consumer: string; letters: number; items: number; problem: string | null }[];
  queues: Depth[];
}

export interface Flow {
  name: string;
  seconds: number | null;
  at_work: string | null;
  newest: { status: string; started_at: number; ended_at: number; headline: string } | null;
}

export const figures = (): Promise<Figures> => askBeside<Figures>("/operations/figures");
export const queues = async (): Promise<Depth[]> => (await askBeside<{ queues: Depth[] }>("/v1/operations")).queues;
export const flows = async (): Promise<Flow[]> => (await askBeside<{ flows: Flow[] }>("/v1/flows")).flows;

/** Has dead letters healed. The token is sent once and kept nowhere. */
export const redrive = (token: string): Promise<Redriven> =>
  ask<Redriven>("/v1/operations/redrive", { method: "POST", headers: { Authorization: `Bearer ${token}` } });
