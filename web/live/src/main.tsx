import { render } from "preact";
import { Feed } from "./data/feed";
import { Clock } from "./data/store";
import { Page } from "./page";
import { type Config, Model } from "./state/model";
import { followTheme } from "./state/theme";
import "./styles/base.css";
import "./styles/controls.css";
import "./styles/top.css";
import "./styles/tiles.css";
import "./styles/marks.css";
import "./styles/dialogs.css";
import "./styles/model.css";
import "./styles/forecast.css";
import "./styles/screens.css";
import "./styles/operations.css";

const root = document.getElementById("page");

async function start(into: HTMLElement): Promise<void> {
  followTheme();
  const answer = await fetch("/config");
  if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
  const config = (await answer.json()) as Config;
  if (location.pathname === "/operations") {
    const { Operations } = await import("./operations/page");
    render(<Operations zone={config.store.zone} />, into);
    return;
  }
  const clock = new Clock(config.store.zone);
  render(<Page model={new Model(new Feed(clock), config, clock)} />, into);
}

if (root !== null) {
  start(root).catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : "unknown";
    render(<p class="empty">The page cannot start: {reason}. Reload to try again.</p>, root);
  });
}
