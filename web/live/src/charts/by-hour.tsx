/** Measured against foretold, hour by hour: dots and a line, over a dashed line in its band. Point or use the arrow keys. */

import type { JSX } from "preact";

export interface Hour {
  /** what stands under it */
  name: string;
  low: number;
  mean: number;
  high: number;
  /** null of what is still to come */
  measured: number | null;
}

interface Props {
  hours: Hour[];
  /** the first hour to come, and what stands on both sides of the line before it */
  parted: { at: number; before: string; after: string };
  at: number | null;
  label: string;
  /** what an hour says when it is asked */
  says: (hour: number) => string;
  point: (hour: number | null) => void;
  axis: (value: number) => string;
}

const [HEIGHT, MOST_TICKS] = [100, 4];

/** Round values from zero to the first that is no less than `most`. */
export function ticks(most: number): number[] {
  const rough = Math.max(most, 1) / MOST_TICKS;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = Math.max(1, power * ([1, 2, 5, 10].find((times) => times * power >= rough) ?? 10));
  return Array.from({ length: Math.ceil(Math.max(most, 1) / step) + 1 }, (_, place) => place * step);
}

/** A line of steps, one a hour, from the hour `first` on. */
const steps = (heights: number[], first: number): string => heights.map((y, place) => `${place === 0 ? `M${first} ${y}` : `V${y}`}H${first + place + 1}`).join("");

/** The band from `lows` to `highs`, one closed path. */
function band(highs: number[], lows: number[], first: number): string {
  const back = lows.map((y, place) => `V${y}H${first + place}`).reverse();
  return `${steps(highs, first)}${back.join("")}z`;
}

export function ByHour({ hours, parted, at, label, says, point, axis }: Props): JSX.Element {
  const values = ticks(Math.max(0, ...hours.flatMap(({ high, measured }) => [high, measured ?? 0])));
  const y = (value: number): number => Number((HEIGHT * (1 - value / (values.at(-1) ?? 1))).toFixed(2));
  const parts = [{ first: 0, of: hours.slice(0, parted.at) }, { first: parted.at, of: hours.slice(parted.at) }].filter(({ of }) => of.length > 0);
  const dots = hours.flatMap(({ measured }, place) => (measured === null ? [] : [`${place + 0.5} ${y(measured)}`]));
  const last = hours.length - 1;
  const key = (event: KeyboardEvent): void => {
    const here = at ?? parted.at;
    const target = { ArrowLeft: here - 1, ArrowRight: here + 1, Home: 0, End: last }[event.key];
    if (target !== undefined) point(Math.max(0, Math.min(last, target)));
    else if (event.key === "Escape" && at !== null) {
      event.stopPropagation();
      point(null);
    } else return;
    event.preventDefault();
  };
  const pointed = (event: PointerEvent & { currentTarget: HTMLElement }): void => {
    const { left, width } = event.currentTarget.getBoundingClientRect();
    point(Math.max(0, Math.min(last, Math.floor(((event.clientX - left) / width) * hours.length))));
  };
  return (
    <div class="by-hour" style={{ "--hours": hours.length, "--parted": parted.at }}>
      <ol class="values" aria-hidden="true">
        {values.map((value) => (
          <li key={value} style={{ top: `${y(value)}%` }}>
            {axis(value)}
          </li>
        ))}
      </ol>
      <div
        class="field"
        tabIndex={0}
        role="slider"
        aria-label={label}
        aria-valuemin={0}
        aria-valuemax={last}
        aria-valuenow={at ?? Math.min(parted.at, last)}
        aria-valuetext={says(at ?? Math.min(parted.at, last))}
        onKeyDown={key}
        onPointerDown={pointed}
        onPointerMove={pointed}
        onPointerLeave={() => { point(null); }}
        onBlur={() => { point(null); }}
      >
        <svg viewBox={`0 0 ${hours.length} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
          {values.map((value) => <path key={value} class="grid" d={`M0 ${y(value)}H${hours.length}`} />)}
          {at !== null && at <= last && <rect class="at" x={at} y={0} width={1} height={HEIGHT} />}
          {parts.map(({ first, of }) => <path key={first} class="band" d={band(of.map(({ high }) => y(high)), of.map(({ low }) => y(low)), first)} />)}
          <path class="mean" d={parts.map(({ first, of }) => steps(of.map(({ mean }) => y(mean)), first)).join("")} />
          {dots.length > 0 && <path class="measured" d={`M${dots.join("L")}`} />}
          <path class="dots" d={dots.map((dot) => `M${dot}h0`).join("")} />
          <path class="parted" d={`M${parted.at} 0V${HEIGHT}`} />
        </svg>
        <p class="sides" aria-hidden="true">
          <span>{parted.before}</span>
          <span>{parted.after}</span>
        </p>
      </div>
      <ol class="names" aria-hidden="true">
        {hours.map(({ name }, place) => (
          <li key={place}>{name}</li>
        ))}
      </ol>
    </div>
  );
}
