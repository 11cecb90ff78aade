import { signal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { setTheme, theme, type Theme } from "../charts/theme";
import type { Connection, Feed } from "../feed";
import { ago, quantile } from "../format";

const now = signal(Date.now());

const WORDS: Record<Connection, string> = {
  connecting: "Connecting",
  live: "Live",
  away: "No connection: trying again, numbers may be old",
  "signed out": "Signed out: open a new link from `tidemark status`",
};

/** How current the page is: always visible. */
export function Status({ feed, source }: { feed: Feed; source: string }): JSX.Element {
  useEffect(() => {
    const timer = setInterval(() => (now.value = Date.now()), 1000);
    return () => {
      clearInterval(timer);
    };
  }, []);
  const changed = feed.changedAt.value;
  const [middle, worst] = [quantile(feed.latencies.value, 0.5), quantile(feed.latencies.value, 0.99)];
  return (
    <header class="status">
      <h1>
        <svg viewBox="0 0 16 16" width="20" height="20" aria-hidden="true">
          <path d="M1 11h14M1 7c2-3 5-3 7 0s5 3 7 0" fill="none" stroke="currentColor" stroke-width="1.6" />
        </svg>
        Tidemark
      </h1>
      <p class="source">{source}</p>
      <dl>
        <div>
          <dt>Connection</dt>
          <dd data-connection={feed.connection.value} class={`connection ${feed.connection.value.replace(" ", "-")}`} role="status">
            {WORDS[feed.connection.value]}
          </dd>
        </div>
        <div>
          <dt>Last change</dt>
          <dd data-freshness>{changed === null ? "none yet" : ago((now.value - changed) / 1000)}</dd>
        </div>
        <div>
          <dt>Sale to screen</dt>
          <dd data-latency title="From the receipt of a sale to its picture: median, and the slowest in a hundred">
            {middle === null || worst === null ? "–" : `${middle.toFixed(0)} ms, p99 ${worst.toFixed(0)} ms`}
          </dd>
        </div>
      </dl>
      <label class="theme">
        <span>Theme</span>
        <select
          value={theme.value}
          onChange={(event) => {
            setTheme(event.currentTarget.value as Theme);
          }}
        >
          <option value="system">System</option>
          <option value="light">Light</option>
          <option value="dark">Dark</option>
        </select>
      </label>
    </header>
  );
}
