import { signal } from "@preact/signals";
import type { JSX } from "preact";
import { ago } from "../format";

/** Milliseconds since 1970, told each second. */
export const now = signal(Date.now());

/** How long ago a moment was, counted on: only these letters are drawn anew. */
export function Ago({ at }: { at: number }): JSX.Element {
  return <>{ago((now.value - at) / 1000)}</>;
}
