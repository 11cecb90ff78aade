/** The page *Operations*: whether sales come through, how fast, and what needs a hand. */

import { signal } from "@preact/signals";
import type { ComponentChildren, JSX } from "preact";
import { useEffect } from "preact/hooks";
import { salesModel, standing } from "../data/sales-model";
import { ago, Format } from "../format";
import { now } from "../parts/ago";
import { Icon, JudgedWord } from "../parts/judged";
import { Tile } from "../parts/tile";
import { type Asked, Repeated } from "../state/repeated";
import { JUDGED, type Judged } from "../words";
import { type Budget, type Depth, type Figures, figures, type Flow, flows, queues, type Sample } from "./data";
import { Heal } from "./heal";
import { Lines } from "./lines";

const SPANS = { "15": "15 minutes", "60": "hour" } as const;
type Span = keyof typeof SPANS;

const asked = {
  figures: new Repeated(figures, 5_000),
  queues: new Repeated(queues, 20_000),
  flows: new Repeated(flows, 30_000),
  model: new Repeated(salesModel, 30_000),
};
const healing = signal(false);
const healed = signal<Depth[] | null>(null);
const span = signal<Span>(new URLSearchParams(location.search).get("span") === "15" ? "15" : "60");
const format = new Format(navigator.language, "USD", 1);

const milliseconds = (value: number | null): string => (value === null ? "–" : `${format.count(value)} ms`);
const clock = (ms: number): string =>
  new Date(ms).toLocaleTimeString(navigator.language, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
/** A moment by the store's own clock. */
const moment = (ms: number, zone: string): string =>
  new Date(ms).toLocaleString(navigator.language, { timeZone: zone, day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });

function choose(next: Span): void {
  span.value = next;
  history.replaceState(null, "", next === "60" ? location.pathname : `?span=${next}`);
}

export function Operations({ zone }: { zone: string }): JSX.Element {
  useEffect(() => {
    document.title = "Tidemark · Operations";
    const ends = Object.values(asked).map((each) => each.follow());
    const timer = setInterval(() => (now.value = Date.now()), 1000);
    return () => {
      clearInterval(timer);
      for (const end of ends) end();
    };
  }, []);
  const { found, problem, at } = asked.figures.asked.value;
  const samples = found?.samples.slice(-(Number(span.value) * 60) / (found.sample_s || 15)) ?? [];
  return (
    <div class={problem !== null ? "stale" : ""}>
      <header class="top">
        <h1>Tidemark</h1>
        <p class="source">Operations</p>
        <p role="status" class={problem === null ? "faint" : "problem"} data-asked>
          {problem ?? (at === null ? "Asking" : `Figures ${ago((now.value - at) / 1000)}`)}
        </p>
        <a class="chip" href="/">Live page</a>
      </header>
      <section class="spans" aria-label="Time that the lines show">
        {(Object.keys(SPANS) as Span[]).map((key) => (
          <button key={key} type="button" class="chip" aria-pressed={span.value === key} onClick={() => { choose(key); }}>
            Last {SPANS[key]}
          </button>
        ))}
      </section>
      <main id="numbers" class="operations" aria-busy={found === null}>
        <Numbers found={found} samples={samples} />
        <Rates samples={samples} tallied={found?.tallied ?? true} />
        <Latencies found={found} samples={samples} />
        <Letters />
        <Flows />
        <Drift />
        <Marks found={found} zone={zone} />
        <Server found={found} />
      </main>
      {healing.value && <Heal close={() => (healing.value = false)} done={({ queues: left }) => (healed.value = left)} />}
    </div>
  );
}

// -- numbers

function Figure({ title, value, children, tone }: { title: string; value: string; children: ComponentChildren; tone?: Judged }): JSX.Element {
  return (
    <section class="tile kpi">
      <h2>{title}</h2>
      <p class={`number${tone === undefined ? "" : ` judged ${tone}`}`} style={{ "--letters": value.length + (tone === undefined ? 0 : 2) }}>
        {tone !== undefined && <Icon of={tone} />}
        {value}
      </p>
      <p class="about">{children}</p>
    </section>
  );
}

function Numbers({ found, samples }: { found: Figures | null; samples: Sample[] }): JSX.Element {
  const recent = samples.slice(-4);
  const mean = (of: "sales" | "posts"): number | null => {
    const values = recent.flatMap((sample) => sample[of] ?? []);
    return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
  };
  const [sales, posts] = [mean("sales"), mean("posts")];
  const whole = found?.latencies.whole;
  return (
    <div class="kpis">
      <Figure title="Sales a minute" value={sales === null ? "–" : format.count(sales)}>
        {posts === null ? "not counted yet" : `in ${format.counted(Math.round(posts), "post")}, over the last minute`}
      </Figure>
      <Figure title="Receipt to page, slowest in a hundred" value={milliseconds(whole?.p99 ?? null)}>
        {whole === undefined || whole.count === 0 ? "no post in 5 minutes" : `half within ${milliseconds(whole.p50)}, of ${format.counted(whole.count, "post")} in 5 minutes`}
      </Figure>
      {(found?.budgets ?? []).map((budget) => (
        <Left key={budget.name} budget={budget} />
      ))}
    </div>
  );
}

const TITLES: Record<string, string> = { posts: "Error budget left: posts answered", shown: "Error budget left: on the page in 1 s" };

function Left({ budget }: { budget: Budget }): JSX.Element {
  const { left, total, bad, days } = budget;
  const tone: Judged = left === null ? "none" : left < 0 ? "alert" : left < 0.25 ? "warn" : "ok";
  return (
    <Figure title={TITLES[budget.name] ?? budget.promise} value={left === null ? "–" : left < 0 ? "used up" : format.percent(left)} tone={tone}>
      <span title={budget.promise}>{total === 0 ? "nothing counted yet" : `${format.count(bad)} of ${format.count(total)} missed it in ${days} days; ${format.percent(1 - budget.share)} may`}</span>
    </Figure>
  );
}

// -- lines

function Rates({ samples, tallied }: { samples: Sample[]; tallied: boolean }): JSX.Element {
  const of = (name: "sales" | "posts" | "failed"): (number | null)[] => samples.map((sample) => sample[name]);
  return (
    <Tile name="rates" title="Sales and posts a minute" says={tallied ? "What tills were answered, and what of it failed" : "Not to be had now: the live stream, which counts them, does not answer"}>
      <Lines
        label="Sales, posts and failed posts a minute"
        at={samples.map((sample) => sample.at)}
        write={(value) => format.count(value)}
        clock={clock}
        lines={[
          { name: "sales", values: of("sales"), tone: "accent" },
          { name: "posts", values: of("posts"), tone: "faint" },
          { name: "failed", values: of("failed"), tone: "alarm" },
        ]}
      />
    </Tile>
  );
}

function Latencies({ found, samples }: { found: Figures | null; samples: Sample[] }): JSX.Element {
  const { commit, tell } = found?.latencies ?? {};
  return (
    <Tile
      name="latencies"
      title="From receipt to the page"
      says={`To the ledger ${milliseconds(commit?.p50 ?? null)}, on to the page ${milliseconds(tell?.p50 ?? null)} (half of the last 5 minutes)`}
    >
      <Lines
        label="Milliseconds from receipt to the page: median, and slowest in a hundred"
        at={samples.map((sample) => sample.at)}
        write={milliseconds}
        clock={clock}
        lines={[
          { name: "slowest in 100", values: samples.map((sample) => sample.p99), tone: "accent" },
          { name: "median", values: samples.map((sample) => sample.p50), tone: "faint" },
        ]}
      />
    </Tile>
  );
}

// -- what needs a hand

const CONSUMERS: Record<Depth["consumer"], [string, string]> = {
  archive: ["Into the lake", "archive-gave-up"],
  publish: ["To the page", "publish-gave-up"],
};

function Letters(): JSX.Element {
  const { found, problem, at } = asked.queues.asked.value;
  const held = healed.value ?? found;
  useEffect(() => {
    healed.value = null; // what was asked for since is newer
  }, [at]);
  const waiting = held?.reduce((sum, depth) => sum + depth.waiting, 0) ?? 0;
  return (
    <Tile name="letters" title="Dead letters" says={problem ?? (held === null ? "Asking" : waiting === 0 ? "None: nothing was given up" : "Given up: heal once the cause is mended")}>
      {held !== null && (
        <table>
          <thead>
            <tr><th scope="col">Way</th><th scope="col" class="right">waiting</th><th scope="col" class="right">in work</th><th scope="col">Runbook</th></tr>
          </thead>
          <tbody>
            {held.map(({ consumer, waiting: count, in_work }) => (
              <tr key={consumer} data-letters={consumer}>
                <th scope="row">{CONSUMERS[consumer][0]}</th>
                <td class={`right${count > 0 ? " problem" : ""}`}>{format.count(count)}</td>
                <td class="right">{format.count(in_work)}</td>
                <td><code>{CONSUMERS[consumer][1]}</code></td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <p><button type="button" class="chip" aria-haspopup="dialog" disabled={waiting === 0} onClick={() => (healing.value = true)}>Heal</button></p>
    </Tile>
  );
}

const STATUS: Record<string, Judged> = { failed: "alert", skipped: "warn" };

function Flows(): JSX.Element {
  const { found, problem } = asked.flows.asked.value;
  return (
    <Tile name="flows" title="Pipelines" says={problem ?? "When each ran last, and how that ended"}>
      <table>
        <tbody>
          {found?.map((flow) => (
            <OneFlow key={flow.name} flow={flow} />
          ))}
        </tbody>
      </table>
      {found?.every(({ newest }) => newest === null) === true && <p class="empty">None has run yet: the part <code>flows</code> runs them.</p>}
    </Tile>
  );
}

function OneFlow({ flow: { name, seconds, newest } }: { flow: Flow }): JSX.Element {
  const late = newest !== null && seconds !== null && now.value - newest.ended_at > 5_000 * seconds;
  const tone: Judged = newest === null ? "none" : late ? "alert" : (STATUS[newest.status] ?? "ok");
  return (
    <tr data-flow={name}>
      <th scope="row">{name}</th>
      <td><span class={`judged ${tone}`}><Icon of={tone} />{newest === null ? "no run yet" : late ? "stands" : newest.status}</span></td>
      <td class="right">{newest === null ? "–" : ago((now.value - newest.ended_at) / 1000)}</td>
    </tr>
  );
}

function Drift(): JSX.Element {
  const { found, problem }: Asked<Awaited<ReturnType<typeof salesModel>>> = asked.model.asked.value;
  const seen = found?.seen ?? null;
  return (
    <Tile name="drift" title="Drift of the sales model" says={problem ?? "The newest sales beside those that the model learnt from"}>
      {found !== null && <p class={`judged ${standing(seen)}`} data-drift><Icon of={standing(seen)} />{JUDGED[standing(seen)]}</p>}
      {seen === null ? (
        found !== null && <p class="empty">The watch has not looked yet: the part <code>flows</code> does that every two minutes.</p>
      ) : (
        <ul class="findings">
          {seen.findings.map(({ name, title, status, words }) => (
            <li key={name} title={words}><JudgedWord of={status} /> {title}</li>
          ))}
        </ul>
      )}
    </Tile>
  );
}

function Marks({ found, zone }: { found: Figures | null; zone: string }): JSX.Element {
  return (
    <Tile name="marks" title="Sales are in up to" says={`Newest sale of each branch, less ${found?.allowed_lateness_minutes ?? 5} minutes that a till may be late; by the store’s clock`}>
      <table>
        <tbody>
          {found?.watermarks.map(({ branch, at }) => (
            <tr key={branch} data-watermark={branch}><th scope="row">Branch {branch}</th><td class="right">{moment(at, zone)}</td></tr>
          ))}
        </tbody>
      </table>
      {found?.watermarks.length === 0 && <p class="empty">No sale yet.</p>}
    </Tile>
  );
}

function Server({ found }: { found: Figures | null }): JSX.Element {
  const held = found?.process;
  const rows: [string, string][] = held === undefined ? [] : [
    ["Live stream", held.stream === 1 ? "answers" : "does not answer"],
    ["Browsers", format.count(held.clients)],
    ["Minutes and branches held", format.count(held.cells)],
    ["Ticks sent since its start", format.count(held.ticks)],
    ["Times that all was loaded", format.count(held.loads)],
  ];
  return (
    <Tile name="server" title="This server" says="One of those that serve the live page">
      <table>
        <tbody>
          {rows.map(([name, value]) => (
            <tr key={name}><th scope="row">{name}</th><td class={`right${value === "does not answer" ? " problem" : ""}`}>{value}</td></tr>
          ))}
        </tbody>
      </table>
      <p class="faint">AWS’s own metrics and alarms stand in CloudWatch, dashboard <i>Tidemark-Live</i>; a laptop has none.</p>
    </Tile>
  );
}
