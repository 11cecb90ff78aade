/** A word-sized picture of how a number went; what it says is said beside it. */

import type { JSX } from "preact";

const [WIDTH, HEIGHT] = [100, 24];

/** Bars from zero, one a value, the last one marked. */
export function Spark({ values, most }: { values: (number | null)[]; most?: number }): JSX.Element {
  const full = most ?? Math.max(0, ...values.map((value) => value ?? 0));
  const step = WIDTH / Math.max(1, values.length);
  const bar = (value: number | null, place: number): string => {
    const height = full > 0 && value !== null ? Math.max(0, (value / full) * (HEIGHT - 1)) : 0;
    return height === 0 ? "" : `M${(place * step).toFixed(2)} ${HEIGHT}v${(-height).toFixed(2)}h${(step * 0.8).toFixed(2)}V${HEIGHT}z`;
  };
  return (
    <svg class="spark" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
      <path class="before" d={values.slice(0, -1).map(bar).join("")} />
      <path class="last" d={values.length > 0 ? bar(values.at(-1) ?? null, values.length - 1) : ""} />
    </svg>
  );
}
