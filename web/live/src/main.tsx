import { render } from "preact";
import { followTheme } from "./charts/theme";
import { Feed } from "./feed";
import { type Config, Page } from "./page";
import "./page.css";

const root = document.getElementById("page");

async function start(into: HTMLElement): Promise<void> {
  followTheme();
  const answer = await fetch("/config");
  if (!answer.ok) throw new Error(`the server answered ${String(answer.status)}`);
  const config = (await answer.json()) as Config;
  render(<Page feed={new Feed()} config={config} />, into);
}

if (root !== null) {
  start(root).catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : "unknown";
    render(<p class="empty">The page cannot start: {reason}. Reload to try again.</p>, root);
  });
}
