import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import type { Connection, Feed } from "../data/feed";
import { ago } from "../format";
import type { Model } from "../state/model";
import { now } from "./ago";

const WORDS: Record<Connection, string> = {
  connecting: "Connecting",
  live: "Live",
  away: "No connection, trying again",
  "signed out": "Signed out: open a new link from `tidemark status`",
};
const SIGN_IN_AGAIN = "Signed out: reload the page to sign in";

/** How current the page is: always visible. */
export function Status({ model }: { model: Model }): JSX.Element {
  const { feed } = model;
  const signsIn = model.config.sign_out !== null;
  useEffect(() => {
    const timer = setInterval(() => (now.value = Date.now()), 1000);
    return () => {
      clearInterval(timer);
    };
  }, []);
  const format = model.format.value;
  const changed = feed.changedAt.value;
  const [middle, worst] = [quantile(feed.latencies.value, 0.5), quantile(feed.latencies.value, 0.99)];
  const connection = feed.connection.value;
  const since = feed.awaySince.value;
  return (
    <dl class="status">
      <div>
        <dt>Connection</dt>
        <dd data-connection={connection} class={`connection ${connection.replace(" ", "-")}`}>
          <span role="status">{signsIn && connection === "signed out" ? SIGN_IN_AGAIN : WORDS[connection]}</span>
        </dd>
      </div>
      <div>
        <dt>{since === null ? "Last change" : "Numbers as of"}</dt>
        <dd data-freshness data-request={feed.request.value} title={feed.request.value && `Request ${feed.request.value}`}>{freshness(changed, since)}</dd>
      </div>
      <div>
        <dt>Sale to screen</dt>
        <dd data-latency title="From the receipt of a sale to its picture: median, and the slowest in a hundred">
          {middle === null || worst === null ? "no sale yet" : `${middle.toFixed(0)} ms, p99 ${worst.toFixed(0)} ms`}
        </dd>
      </div>
      <div>
        <dt>Sales held</dt>
        <dd data-sales={feed.sales.value}>{format.count(feed.sales.value)}</dd>
      </div>
    </dl>
  );
}

function freshness(changed: number | null, since: number | null): string {
  if (since !== null) return ago((now.value - since) / 1000);
  return changed === null ? "none yet" : ago((now.value - changed) / 1000);
}

/** What the page did by itself, the newest: said once, and read out. */
export function Notes({ feed }: { feed: Feed }): JSX.Element {
  const [note] = feed.notes.value;
  return (
    <p class="note-line" role="status" data-note>
      {note === undefined ? "" : `${note.text} · ${ago((now.value - note.at) / 1000)}`}
    </p>
  );
}

/** The q-th quantile of unordered numbers; null of none. */
function quantile(values: number[], q: number): number | null {
  const ordered = [...values].sort((a, b) => a - b);
  return ordered[Math.min(ordered.length - 1, Math.floor(q * ordered.length))] ?? null;
}
