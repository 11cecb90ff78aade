/** The model that scores the sales, as the API tells of it. The counterpart of `functions/api/models.py`. */

import type { Judged } from "../words";
import { ApiError, askBeside, post } from "./api";

/** `at`: since when, milliseconds since 1970; `version`: in the registry of models. */
export interface Champion {
  fingerprint: string;
  algorithm: string;
  version: string | null;
  at: number;
}

export interface Finding {
  name: string;
  title: string;
  status: Exclude<Judged, "none">;
  words: string;
}

/** What a part is worth beside the simplest thing that could do the same; `better`: beyond chance. */
export interface Worth {
  part: string;
  better: boolean;
  words: string;
}

/** What a watch saw of the newest sales, sold from `first` to `last`; `model` is empty where the one that is meant to
 * serve cannot. */
export interface Seen {
  model: string;
  fingerprint: string;
  sales: number;
  first: string | null;
  last: string | null;
  status: Finding["status"];
  findings: Finding[];
  worth: Worth[];
  training: string;
}

export interface Decision {
  at: number;
  reason: string;
}

/** `champion` is null while the model that came with the code serves; `seen`, of `at`, before the first watch. */
export interface SalesModel {
  champion: Champion | null;
  shadow: Champion | null;
  at: number | null;
  seen: Seen | null;
  decisions: Decision[];
}

export const salesModel = (): Promise<SalesModel> => askBeside<SalesModel>("/v1/models/sales");

/** Says whether an alarm was right. */
export async function sendVerdict(invoice_id: string, anomaly: boolean): Promise<void> {
  const { kept } = await post<{ kept: number }>("/v1/verdicts", { verdicts: [{ invoice_id, anomaly }] });
  if (kept === 0) throw new ApiError("There is no such sale.");
}

/** Whether enough sales had come to judge the model by them: only then are their scores judged. */
export const judged = ({ findings }: Seen): boolean => findings.some(({ name }) => name === "scores");

/** How the model is, all in all: well only where it was judged. */
export function standing(seen: Seen | null): Judged {
  if (seen === null) return "none";
  return seen.status === "ok" && !judged(seen) ? "none" : seen.status;
}

/** What stands out of what was seen, the worst first. */
export const odd = ({ findings }: Seen): Finding[] =>
  (["alert", "warn"] as const).flatMap((status) => findings.filter((finding) => finding.status === status));
