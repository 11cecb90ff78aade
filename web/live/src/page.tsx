import { computed } from "@preact/signals";
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useMemo } from "preact/hooks";
import type { Cell } from "./cells";
import { byHour, byLine, overTime, paymentByCustomer } from "./charts/options";
import { Chart } from "./charts/chart";
import { colours } from "./charts/theme";
import type { Feed } from "./feed";
import { count, digits, fixed, Money, period } from "./format";
import { type Grain, look, type View } from "./view";
import { chosen, clear, type Dimension, selection, toggle } from "./selection";
import { Clock, type Store } from "./store";
import { Anomalies } from "./tiles/anomalies";
import { Filters } from "./tiles/filters";
import { KpiTile } from "./tiles/kpi";
import { Segments } from "./tiles/segments";
import { Status } from "./tiles/status";

export interface Config {
  version: string;
  source: string;
  store: Store & { currency: string };
}

const PER: Record<Grain, string> = { minute: "a minute", hour: "an hour", day: "a day" };

export function Page({ feed, config }: { feed: Feed; config: Config }): JSX.Element {
  const { store } = config;
  const clock = useMemo(() => new Clock(store.zone), [store]);
  const money = useMemo(() => new Money(store.currency), [store]);
  const view = useMemo(
    () =>
      computed(() => {
        const { cells } = feed.held.value;
        return look(cells, selection(newestMinute(cells)), store, clock);
      }),
    [feed, store, clock],
  ).value;
  const options = useMemo(() => computed(() => known(feed.held.value.cells, store)), [feed, store]).value;
  const branchColour = (branch: string): string => {
    const series = colours.value.series;
    return series[Math.max(0, options.branch.indexOf(branch)) % series.length] ?? colours.value.accent;
  };
  useEscape();
  const anomalies = feed.anomalies.value.filter((anomaly) => {
    const { branch, product_line } = chosen.value;
    return (branch.size === 0 || branch.has(anomaly.branch)) && (product_line.size === 0 || product_line.has(anomaly.product_line));
  });
  return (
    <>
      <Status feed={feed} source={config.source} />
      <Filters options={options} branchColour={branchColour} />
      <main aria-busy={!feed.loaded.value}>
        <Kpis view={view} money={money} />
        <Tile title={`Sales ${PER[view.grain]}, by branch`} wide>
          <Chart
            option={overTime(view, branchColour, colours.value, money)}
            label={`Sales ${PER[view.grain]} by branch; ${count(view.buckets.length)} bars`}
            height={260}
          />
        </Tile>
        <Tile title="Product lines">
          <Chart
            option={byLine(view, chosen.value.product_line, colours.value, money)}
            label="Sales by product line"
            height={240}
            onPick={(line) => {
              toggle("product_line", line);
            }}
          />
        </Tile>
        <Tile title="Payment and customer type">
          <Chart
            option={paymentByCustomer(view, options.payment, options.customer_type, colours.value, money)}
            label="Sales by payment and customer type"
            height={240}
          />
        </Tile>
        <Tile title="Hour of the day">
          <Chart option={byHour(view, store.opens, store.closes, colours.value, money)} label="Sales by hour of the day" height={240} />
        </Tile>
        <Tile title="Customer segments">
          <Segments byCustomer={view.byCustomer} money={money} />
        </Tile>
        <Tile title={`Needs a look (${count(view.kpis.anomalies)} of ${count(view.kpis.tickets + view.kpis.returns)} sales)`} double>
          <Anomalies
            anomalies={anomalies}
            local={(minute) => clock.local(minute)}
            branchColour={branchColour}
            money={money}
          />
        </Tile>
      </main>
    </>
  );
}

function Kpis({ view, money }: { view: View; money: Money }): JSX.Element {
  const k = view.kpis;
  const range = k.first_day === null || k.last_day === null ? "" : period(k.first_day, k.last_day);
  const any = k.tickets > 0;
  return (
    <div class="kpis">
      <KpiTile name="Total sales" exact={any ? k.sales : null} note={any ? `${digits(k.sales)} exactly · ${range}` : "the first sale appears at once"}>
        {money.cents(k.sales)}
      </KpiTile>
      <KpiTile name="Tickets" exact={k.tickets} note={`${count(k.items)} items`}>
        {count(k.tickets)}
      </KpiTile>
      <KpiTile name="Average transaction" exact={k.average_transaction} note={k.average_transaction === null ? "sales ÷ tickets" : `${digits(k.average_transaction)} exactly`}>
        {money.cents(k.average_transaction ?? "0")}
      </KpiTile>
      <KpiTile name="Items per hour" exact={k.items_per_hour} note="of the store’s open hours">
        {fixed(k.items_per_hour ?? 0, 4)}
      </KpiTile>
      <KpiTile name="Inventory turnover" exact={k.inventory_turnover} note="on a simulated stock">
        {fixed(k.inventory_turnover ?? 0, 2)}
      </KpiTile>
    </div>
  );
}

interface TileProps {
  title: string;
  wide?: boolean;
  double?: boolean;
  children: ComponentChildren;
}

function Tile({ title, wide, double, children }: TileProps): JSX.Element {
  return (
    <section class={`tile${wide ? " wide" : ""}${double ? " double" : ""}`}>
      <h2>{title}</h2>
      {children}
    </section>
  );
}

function useEscape(): void {
  useEffect(() => {
    const undo = (event: KeyboardEvent): void => {
      if (event.key === "Escape") clear();
    };
    addEventListener("keydown", undo);
    return () => {
      removeEventListener("keydown", undo);
    };
  }, []);
}

function newestMinute(cells: Iterable<Cell>): number | null {
  let newest: number | null = null;
  for (const cell of cells) if (newest === null || cell.minute > newest) newest = cell.minute;
  return newest;
}

/** What can be selected: the store's own codes, and whatever else was sold. */
function known(cells: Iterable<Cell>, store: Store): Record<Dimension, string[]> {
  const branch = new Set(store.branches);
  const line = new Set(store.product_lines);
  const customer = new Set(store.customer_types);
  const payment = new Set(store.payments);
  for (const cell of cells) {
    branch.add(cell.branch);
    for (const row of cell.rows) {
      line.add(row.line);
      customer.add(row.customer);
      payment.add(row.payment);
    }
  }
  const most = 24;
  const list = (set: Set<string>): string[] => [...set].slice(0, most);
  return { branch: list(branch), product_line: list(line), customer_type: list(customer), payment: list(payment) };
}
