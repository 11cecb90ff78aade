/** Lines over the last hour, from zero, each named where it ends. */

import type { JSX } from "preact";

export interface Line {
  name: string;
  values: (number | null)[];
  tone: "accent" | "faint" | "alarm";
}

const [WIDTH, HEIGHT] = [600, 150];

interface Props {
  lines: Line[];
  /** when each value is of, milliseconds since 1970 */
  at: number[];
  write: (value: number) => string;
  clock: (ms: number) => string;
  label: string;
}

export function Lines({ lines, at, write, clock, label }: Props): JSX.Element {
  const most = Math.max(1, ...lines.flatMap(({ values }) => values.map((value) => value ?? 0)));
  const top = nice(most);
  const [first = 0, last = 1] = [at[0], at.at(-1)];
  const x = (ms: number): number => ((ms - first) / Math.max(1, last - first)) * WIDTH;
  const y = (value: number): number => HEIGHT - (value / top) * HEIGHT;
  const path = (values: (number | null)[]): string => {
    let drawn = false;
    return values
      .map((value, place) => {
        const command = value === null ? "" : `${drawn ? "L" : "M"}${x(at[place] ?? first).toFixed(1)} ${y(value).toFixed(1)}`;
        drawn = value !== null;
        return command;
      })
      .join("");
  };
  return (
    <figure class="lines">
      <ul class="keys">
        {lines.map(({ name, values, tone }) => {
          const newest = values.findLast((value) => value !== null) ?? null;
          return (
            <li key={name} class={tone}>
              {name} <b>{newest === null ? "–" : write(newest)}</b>
            </li>
          );
        })}
      </ul>
      <div class="plot">
        <span class="most">{write(top)}</span>
        <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={label}>
          <path class="grid" d={`M0 ${HEIGHT}H${WIDTH}M0 ${HEIGHT / 2}H${WIDTH}M0 0H${WIDTH}`} />
          {lines.map(({ name, values, tone }) => (
            <path key={name} class={tone} d={path(values)} />
          ))}
        </svg>
        <span class="least">0</span>
      </div>
      <p class="ends faint">
        <span>{at.length > 0 ? clock(first) : ""}</span>
        <span>{at.length > 1 ? clock(last) : ""}</span>
      </p>
    </figure>
  );
}

/** The least of 1, 2, 5 times a power of ten that is no less. */
export function nice(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 5, 10].find((step) => step * power >= value) ?? 10) * power;
}
