import { signal, useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { saveCsv, savePng } from "../export";
import { METRICS, type MetricName } from "../data/metrics";
import type { Model } from "../state/model";
import { fired } from "../state/alerts";
import { change, type CompareWith, state, toQuery } from "../state/state";
import { Alerts } from "./alerts";
import { Arrange } from "./arrange";
import { FeedbackForm } from "./feedback";
import { startReplay } from "./replay";
import { Settings } from "./settings";
import { Views } from "./views";

type Panel = "arrange" | "views" | "alerts" | "feedback" | "settings" | null;
const panel = signal<Panel>(null);

const close = (): void => {
  panel.value = null;
};

const fileName = (): string => `tidemark-${new Date().toISOString().slice(0, 16).replace(":", "")}`;

/** What can be done with the page. */
export function Toolbar({ model }: { model: Model }): JSX.Element {
  const { show, compare, replay } = state.value;
  const branches = model.options.value.branch;
  const unsaved = useSignal(false);
  return (
    <div class="toolbar" role="toolbar" aria-label="Page">
      <Pause model={model} />
      <label>
        Show{" "}
        <select value={show} onChange={(event) => { change({ show: event.currentTarget.value as MetricName }); }}>
          {Object.entries(METRICS).map(([key, metric]) => (
            <option key={key} value={key}>
              {metric.name}
            </option>
          ))}
        </select>
      </label>
      <label>
        Compare{" "}
        <select value={compare} onChange={(event) => { change({ compare: event.currentTarget.value as CompareWith }); }}>
          <option value="">with nothing</option>
          <option value="before">with the time before</option>
          <option value="week">with a week earlier</option>
          {branches.map((branch) => (
            <option key={branch} value={`branch:${branch}`}>
              with branch {branch}
            </option>
          ))}
        </select>
      </label>
      <button type="button" class="chip" aria-pressed={replay !== null} onClick={() => { if (replay === null) startReplay(model); else change({ replay: null }); }}>
        Replay
      </button>
      <Opens to="arrange" text="Tiles" />
      <Opens to="views" text="Views" />
      <Opens to="alerts" text={fired.value.length > 0 ? `Alerts (${fired.value.length})` : "Alerts"} />
      <details class="menu">
        <summary class="chip">Export</summary>
        <div>
          <button type="button" class="chip" onClick={() => { saveCsv(model.view.value, toQuery(state.value), fileName()); }}>
            Numbers (CSV)
          </button>
          <button
            type="button"
            class="chip"
            onClick={() => {
              unsaved.value = false;
              savePng(document.getElementById("page") ?? document.body, fileName()).catch(() => (unsaved.value = true));
            }}
          >
            Picture (PNG)
          </button>
          {unsaved.value && <p class="problem" role="alert">No picture could be made. Reload the page and try again.</p>}
        </div>
      </details>
      <Opens to="feedback" text="Feedback" />
      <Opens to="settings" text="Settings" />
      {model.config.sign_out !== null && <a class="chip" href={model.config.sign_out}>Sign out</a>}
    </div>
  );
}

function Opens({ to, text }: { to: Panel; text: string }): JSX.Element {
  return (
    <button type="button" class="chip" aria-haspopup="dialog" onClick={() => (panel.value = to)}>
      {text}
    </button>
  );
}

/** The panel that is open, if any. */
export function Panels({ model }: { model: Model }): JSX.Element | null {
  switch (panel.value) {
    case "arrange":
      return <Arrange close={close} />;
    case "views":
      return <Views close={close} />;
    case "alerts":
      return <Alerts model={model} close={close} />;
    case "feedback":
      return <FeedbackForm version={model.config.version} close={close} />;
    case "settings":
      return <Settings model={model} close={close} />;
    case null:
      return null;
  }
}

function Pause({ model }: { model: Model }): JSX.Element {
  const { feed } = model;
  const paused = feed.paused.value;
  const behind = paused === null ? 0 : feed.sales.value - paused.sales;
  return (
    <button
      type="button"
      class="chip pause"
      aria-pressed={paused !== null}
      onClick={() => {
        if (paused === null) feed.pause();
        else feed.resume();
      }}
    >
      {paused === null ? "Pause" : `Catch up: ${model.format.value.counted(behind, "sale")}`}
    </button>
  );
}
