import type { JSX } from "preact";
import { type Judged, JUDGED } from "../words";

const PATHS: Record<Judged, string> = {
  ok: "M3 8.5l3.2 3.2L13 5",
  warn: "M8 3v6M8 12v.6",
  alert: "M4 4l8 8M12 4l-8 8",
  none: "M4 8h8",
};

/** A small drawing beside words that say the same. */
export function Icon({ of }: { of: Judged }): JSX.Element {
  return (
    <svg viewBox="0 0 16 16" class={`icon ${of}`} aria-hidden="true">
      <path d={PATHS[of]} fill="none" stroke="currentColor" stroke-width="1.8" stroke-linecap="round" />
    </svg>
  );
}

export function JudgedWord({ of }: { of: Judged }): JSX.Element {
  return (
    <span class={`judged ${of}`}>
      <Icon of={of} />
      {JUDGED[of]}
    </span>
  );
}
