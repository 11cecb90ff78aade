import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { type Champion, judged, odd, type SalesModel, salesModel, type Seen, standing } from "../data/sales-model";
import { Ago } from "../parts/ago";
import { Asking } from "../parts/asking";
import { Decided, moment, Worths, type Writes } from "../parts/gate";
import { Icon, JudgedWord } from "../parts/judged";
import { Tile } from "../parts/tile";
import type { Model } from "../state/model";
import { type Asked, Repeated } from "../state/repeated";
import { capital, JUDGED, sentence } from "../words";

const EVERY_MS = 60_000;
const held = new Repeated(salesModel, EVERY_MS);

/** How the model does that scores the sales: asked for beside the ticks, and drawn only when the answer comes. */
export function ModelTile({ model }: { model: Model }): JSX.Element {
  useEffect(() => held.follow(), []);
  return <Standing asked={held.asked.value} format={model.format.value} clock={model.clock} />;
}

export function Standing({ asked, format, clock }: { asked: Asked<SalesModel> } & Writes): JSX.Element {
  const { found } = asked;
  const seen = found?.seen ?? null;
  const is = standing(seen);
  const word = found === null ? "–" : JUDGED[is];
  return (
    <Tile name="model" title="Model" says={<Asking asked={asked} before="Asking how it does" after="How the model does that scores each sale" />}>
      <div class={`standing${seen === null ? " yet" : ""}`}>
        <div class="who">
          <p class={`number judged ${is}`} style={{ "--letters": word.length + 2 }} data-standing={found === null ? "" : is}>
            {found !== null && <Icon of={is} />}
            {word}
          </p>
          {found !== null && <Who model={found} format={format} clock={clock} />}
        </div>
        {seen !== null ? (
          <>
            <Odd seen={seen} />
            <IsWorth seen={seen} />
          </>
        ) : (
          found !== null && (
            <p class="empty">
              The watch has not looked at the model yet: the part <code>flows</code> does that every two minutes. What it sees of the newest sales, and what the
              model is worth, will stand here.
            </p>
          )
        )}
      </div>
      <div class="more">{found !== null && <All model={found} format={format} clock={clock} />}</div>
    </Tile>
  );
}

/** Which model it is, and of what the word speaks. */
function Who({ model, ...writes }: { model: SalesModel } & Writes): JSX.Element {
  const { champion, shadow, seen, at } = model;
  return (
    <>
      {seen !== null && at !== null && (
        <p>
          {writes.format.counted(seen.sales, "sale")} looked at, <Ago at={at} />
        </p>
      )}
      {seen !== null && seen.first !== null && seen.last !== null && <p class="faint">sold {span(seen.first, seen.last, writes)}</p>}
      <p>{serves(champion, seen, writes)}</p>
      {shadow !== null && <p>In its shadow: {named(shadow)}</p>}
    </>
  );
}

const named = ({ version, algorithm, fingerprint }: Champion): string =>
  version === null ? `${algorithm} ${fingerprint.slice(0, 8)}` : `version ${version}, ${algorithm}`;

/** Who serves. A champion that came after the watch had looked is not the one that was seen. */
export function serves(champion: Champion | null, seen: Seen | null, writes: Writes): string {
  if (champion === null) return `${seen === null || seen.model === "" ? "The model" : seen.model} that came with Tidemark serves`;
  const since = moment(champion.at, writes);
  const name = capital(named(champion));
  if (seen === null) return `${name}, serves since ${since}`;
  if (seen.model === "") return `${name}, is meant to serve since ${since}`;
  if (seen.fingerprint === champion.fingerprint) return `${seen.model} serves since ${since}`;
  return `${name}, serves since ${since}; looked at was ${seen.model}, before it`;
}

function span(first: string, last: string, writes: Writes): string {
  const { format, clock } = writes;
  const [from, to] = [Date.parse(first), Date.parse(last)];
  const local = clock.local(Math.floor(to / 60_000));
  const sameDay = clock.day(Math.floor(from / 60_000)) === clock.day(Math.floor(to / 60_000));
  return `${moment(from, writes)} to ${sameDay ? format.clock(local) : moment(to, writes)}`;
}

/** What needs a look of what was seen; where nothing does, a quiet line. */
function Odd({ seen }: { seen: Seen }): JSX.Element {
  const found = odd(seen);
  const few = seen.findings.find(({ name }) => name === "features")?.words;
  return (
    <section class="scroll" tabIndex={0} aria-label="What the watch sees">
      <h3>What the watch sees</h3>
      {found.length === 0 ? (
        <p class="faint">{judged(seen) || few === undefined ? "All is well." : few}</p>
      ) : (
        <ul>
          {found.map(({ name, status, words }) => (
            <li key={name}>
              <Icon of={status} />
              <span>
                <span class="unseen">{JUDGED[status]}: </span>
                {words}
              </span>
            </li>
          ))}
        </ul>
      )}
      {seen.training !== "" && <p class="faint">{sentence(seen.training)}</p>}
    </section>
  );
}

function IsWorth({ seen }: { seen: Seen }): JSX.Element {
  return (
    <section class="scroll" tabIndex={0} aria-label="What the model is worth">
      <h3>What it is worth</h3>
      {seen.worth.length === 0 && <p class="faint">Not known of a model that cannot serve.</p>}
      <Worths worth={seen.worth} />
    </section>
  );
}

/** Every finding, and what the gate said last. */
function All({ model, ...writes }: { model: SalesModel } & Writes): JSX.Element | null {
  const findings = model.seen?.findings ?? [];
  if (findings.length === 0 && model.decisions.length === 0) return null;
  return (
    <details>
      <summary class="link">All findings, and the gate’s decision</summary>
      {findings.length > 0 && (
        <table>
          <thead>
            <tr>
              <th scope="col">What</th>
              <th scope="col">How it is</th>
              <th scope="col">Seen</th>
            </tr>
          </thead>
          <tbody>
            {findings.map(({ name, title, status, words }) => (
              <tr key={name}>
                <th scope="row">{title}</th>
                <td class="text">
                  <JudgedWord of={status} />
                </td>
                <td class="text">{words}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <Decided decisions={model.decisions} {...writes} />
    </details>
  );
}
