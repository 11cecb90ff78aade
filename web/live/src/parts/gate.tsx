import type { JSX } from "preact";
import type { Decision, Worth } from "../data/sales-model";
import type { Clock } from "../data/store";
import type { Format } from "../format";
import { sentence } from "../words";
import { Icon } from "./judged";

/** What a moment is written with. */
export interface Writes {
  format: Format;
  clock: Clock;
}

/** A moment in the store's time, which no line breaks. */
export const moment = (ms: number, { format, clock }: Writes): string =>
  format.moment(clock.local(Math.floor(ms / 60_000))).replaceAll(" ", "\u00a0");

/** What the gate said last of a challenger. */
export function Decided({ decisions: [newest], ...writes }: { decisions: Decision[] } & Writes): JSX.Element {
  return (
    <>
      <h3>The gate’s newest decision</h3>
      <p>{newest === undefined ? "It has not been asked yet." : `${moment(newest.at, writes)}: ${sentence(newest.reason)}`}</p>
    </>
  );
}

/** Each part beside its baseline: where it is no better, that is said as plainly. */
export function Worths({ worth }: { worth: Worth[] }): JSX.Element {
  return (
    <ul>
      {worth.map(({ part, better, words }) => (
        <li key={part}>
          <Icon of={better ? "ok" : "none"} />
          <span>
            {part}: {words}
          </span>
        </li>
      ))}
    </ul>
  );
}
