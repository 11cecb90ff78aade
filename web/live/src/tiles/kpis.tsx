import type { JSX } from "preact";
import { Spark } from "../charts/spark";
import type { Kpis } from "../data/kpis";
import type { View } from "../data/look";
import { sumAt } from "../data/sums";
import { type MetricName, METRICS, valueOf } from "../data/metrics";
import { at } from "../data/wire";
import type { Format } from "../format";
import type { Model } from "../state/model";
import { anyFilter, change, comparedName, type KpiName, KPIS, state } from "../state/state";

interface Kpi {
  /** what it is drawn and compared by, hour by hour */
  metric: MetricName;
  exact: (kpis: Kpis) => string | number | null;
  says: (kpis: Kpis, format: Format) => string;
  /** under the number: how exact it is, what it is made of */
  about: (kpis: Kpis, format: Format) => string;
}

const SPARK_BARS = 30;
const TICKETS = at("tickets");
const RETURNS = at("returns");

const DEFINED: Record<KpiName, Kpi> = {
  sales: {
    metric: "sales",
    exact: (k) => k.sales,
    says: (k, f) => f.cents(k.sales),
    about: (k, f) => (f.rate === 1 ? `${f.digits(k.sales)} exactly` : `${f.currency} at ${f.digits(String(f.rate))}`),
  },
  tickets: {
    metric: "tickets",
    exact: (k) => k.tickets,
    says: (k, f) => f.count(k.tickets),
    about: (k, f) => f.counted(k.items, "item"),
  },
  average: {
    metric: "basket",
    exact: (k) => k.average_transaction,
    says: (k, f) => f.cents(k.average_transaction ?? "0"),
    about: (k, f) => (f.rate === 1 ? `${f.digits(k.average_transaction ?? "0")} exactly` : `${f.currency} at ${f.digits(String(f.rate))}`),
  },
  items_per_hour: {
    metric: "items",
    exact: (k) => k.items_per_hour,
    says: (k, f) => f.fixed(k.items_per_hour ?? 0, 4),
    about: () => "of the store’s open hours",
  },
  turnover: {
    metric: "cogs",
    exact: (k) => k.inventory_turnover,
    says: (k, f) => f.fixed(k.inventory_turnover ?? 0, 2),
    about: () => "on a simulated stock",
  },
  items: {
    metric: "items",
    exact: (k) => k.items,
    says: (k, f) => f.count(k.items),
    about: (k, f) => `on ${f.counted(k.tickets, "ticket")}`,
  },
  net: {
    metric: "net",
    exact: (k) => k.net_sales,
    says: (k, f) => f.cents(k.net_sales),
    about: (k, f) => `${f.cents(k.returned_sales)} returned`,
  },
  cogs: { metric: "cogs", exact: (k) => k.cogs, says: (k, f) => f.cents(k.cogs), about: () => "before tax and margin" },
  rating: {
    metric: "rating",
    exact: (k) => k.rating,
    says: (k, f) => f.fixed(k.rating ?? 0, 2),
    about: () => "of 10, by customers who rated",
  },
  returns: {
    metric: "returns",
    exact: (k) => k.returns,
    says: (k, f) => f.count(k.returns),
    about: (k, f) => `${f.cents(k.returned_sales)} given back`,
  },
  anomalies: {
    metric: "anomalies",
    exact: (k) => k.anomalies,
    says: (k, f) => f.count(k.anomalies),
    about: (k, f) => `${f.percent(k.tickets + k.returns > 0 ? k.anomalies / (k.tickets + k.returns) : 0)} of sales`,
  },
};

/** The chosen KPIs: each the number first, its change beside it, its picture under it. */
export function KpiStrip({ model }: { model: Model }): JSX.Element {
  const view = model.view.value;
  return (
    <div class="kpis">
      {state.value.kpis.map((name) => (
        <KpiTile key={name} name={name} model={model} view={view} />
      ))}
    </div>
  );
}

function KpiTile({ name, model, view }: { name: KpiName; model: Model; view: View }): JSX.Element {
  const { metric: drawn, exact, says, about } = DEFINED[name];
  const format = model.format.value;
  const id = KPIS[name].toLowerCase().replaceAll(" ", "-");
  const { kpis, sum } = view;
  const sales = (sum[TICKETS] ?? 0) + (sum[RETURNS] ?? 0);
  const number = sales === 0 ? null : exact(kpis);
  const text = number === null ? "–" : says(kpis, format);
  const nothing = sales > 0 ? "none of these sales says" : anyFilter.value ? "no sale passes the filters" : "the first sale appears at once";
  const first = Math.max(0, view.bars.length - SPARK_BARS);
  const spark = view.bars.slice(first).map((_, place) => valueOf(METRICS[drawn], sumAt(view.over, first + place)));
  return (
    <section class="tile kpi" aria-labelledby={`kpi-${id}`}>
      <h2 id={`kpi-${id}`}>
        <button type="button" class="plain" title="Open its hours" onClick={() => { change({ open: "hours" }); }}>
          {KPIS[name]} <span aria-hidden="true">›</span>
        </button>
      </h2>
      <p class="number" style={{ "--letters": text.length }} data-kpi={id} data-exact={number ?? ""} title={number === null ? nothing : String(number)}>
        {text}
      </p>
      <p class="about">{number === null ? nothing : about(kpis, format)}</p>
      <p class="change">{model.compared.value !== null ? <Compared name={name} model={model} /> : name !== "turnover" && <HourChange name={drawn} model={model} />}</p>
      <Spark values={spark} />
      <p class="behind">
        {format.counted(sales, "sale")}
        {kpis.first_day !== null && kpis.last_day !== null && `, ${format.period(kpis.first_day, kpis.last_day)}`}
      </p>
    </section>
  );
}

/** This hour against the same minutes yesterday. */
function HourChange({ name, model }: { name: MetricName; model: Model }): JSX.Element {
  const hour = model.thisHour.value;
  const format = model.format.value;
  if (hour === null) return <>–</>;
  const metric = METRICS[name];
  const [now, yesterday] = [valueOf(metric, hour.now), valueOf(metric, hour.yesterday)];
  const span = `${format.clock(hour.from)}–${format.clock(hour.to - 1)}`;
  if (now === null) return <>{span} no sale</>;
  return (
    <>
      {span} <b>{format.short(metric, now)}</b>
      {yesterday === null || yesterday === 0 ? ", none at that time the day before" : `, ${format.change(now / yesterday - 1)} on the day before`}
    </>
  );
}

/** The number that this one is compared with. */
function Compared({ name, model }: { name: KpiName; model: Model }): JSX.Element {
  const format = model.format.value;
  const other = model.compared.value;
  if (other === null) return <>–</>;
  const { exact, says } = DEFINED[name];
  const [now, before] = [exact(model.view.value.kpis), exact(other.kpis)];
  if (before === null || Number(before) === 0) return <>nothing to compare with</>;
  return (
    <>
      {format.change(Number(now ?? 0) / Number(before) - 1)} on {comparedName.value}: <b>{says(other.kpis, format)}</b>
    </>
  );
}
