import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { useAlerts } from "./parts/alerts";
import { Drill } from "./parts/drill";
import { Filters } from "./parts/filters";
import { ReplayBar } from "./parts/replay";
import { Notes, Status } from "./parts/status";
import { Panels, Toolbar } from "./parts/toolbar";
import type { Model } from "./state/model";
import { anyFilter, change, clearFilters, state, type TileName } from "./state/state";
import { AnomaliesTile } from "./tiles/anomalies";
import { BranchesTile, HoursTile, LinesTile, PaymentsTile, RatingsTile, TimeTile, WeekdaysTile } from "./tiles/charts";
import { ForecastTile } from "./tiles/forecast";
import { KpiStrip } from "./tiles/kpis";
import { ModelTile } from "./tiles/model";
import { SegmentsTile } from "./tiles/segments";
import { StockTile } from "./tiles/stock";

const DRAWN: Record<TileName, (props: { model: Model }) => JSX.Element> = {
  time: TimeTile,
  anomalies: AnomaliesTile,
  branches: BranchesTile,
  segments: SegmentsTile,
  lines: LinesTile,
  payments: PaymentsTile,
  hours: HoursTile,
  weekdays: WeekdaysTile,
  ratings: RatingsTile,
  stock: StockTile,
  forecast: ForecastTile,
  model: ModelTile,
};

export function Page({ model }: { model: Model }): JSX.Element {
  const { feed, config } = model;
  const { kiosk, tiles } = state.value;
  useEscape();
  useAlerts(model);
  const stale = feed.awaySince.value !== null;
  return (
    <div class={`${kiosk ? "kiosk" : ""}${stale ? " stale" : ""}`}>
      <a class="skip chip" href="#numbers" onClick={(event) => { event.preventDefault(); document.getElementById("numbers")?.focus(); }}>
        Skip to the numbers
      </a>
      <header class="top">
        <h1>
          <svg viewBox="0 0 16 16" width="1.5em" height="1.5em" aria-hidden="true">
            <path d="M1 11h14M1 7c2-3 5-3 7 0s5 3 7 0" fill="none" stroke="currentColor" stroke-width="1.6" />
          </svg>
          Tidemark
        </h1>
        <p class="source">
          {config.source}
          {!kiosk && <>{" · "}<a href="/operations">Operations</a></>}
        </p>
        <Status model={model} />
      </header>
      {!kiosk && (
        <section aria-label="Tools" data-unpictured>
          <Toolbar model={model} />
        </section>
      )}
      {!kiosk && <Filters model={model} />}
      <ReplayBar model={model} />
      <Notes feed={feed} />
      <main id="numbers" tabIndex={-1} aria-busy={!feed.loaded.value}>
        <KpiStrip model={model} />
        {tiles.map((name) => {
          const Drawn = DRAWN[name];
          return <Drawn key={name} model={model} />;
        })}
      </main>
      <Drill model={model} />
      <Panels model={model} />
    </div>
  );
}

/** Escape leaves the kiosk, or else undoes the filters; what is open on the page takes it first. */
function useEscape(): void {
  useEffect(() => {
    const undo = (event: KeyboardEvent): void => {
      if (event.key !== "Escape" || document.querySelector("dialog[open]") !== null) return;
      if (state.value.kiosk) change({ kiosk: false });
      else if (anyFilter.value) clearFilters();
    };
    addEventListener("keydown", undo);
    return () => {
      removeEventListener("keydown", undo);
    };
  }, []);
}
