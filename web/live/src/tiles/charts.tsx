/** The tiles that draw the chosen metric: over time, and by what sales are divided by. */

import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useCallback, useMemo, useState } from "preact/hooks";
import { Bars, Columns, type Mark } from "../charts/marks";
import { OverTime } from "../charts/over-time";
import { Spark } from "../charts/spark";
import type { View } from "../data/look";
import { sumAt } from "../data/sums";
import { behind, type Metric, METRICS, valueOf } from "../data/metrics";
import type { Category } from "../data/select";
import type { Measures } from "../data/wire";
import { Tile } from "../parts/tile";
import type { Model } from "../state/model";
import { anyFilter, change, setRange, state, toggle, toggleTime } from "../state/state";
import { barName, PER, said } from "../words";

export function TimeTile({ model }: { model: Model }): JSX.Element {
  const [bar, setBar] = useState<number | null>(null);
  const [table, setTable] = useState(false);
  const view = model.view.value;
  const compared = model.compared.value;
  const format = model.format.value;
  const metric = model.metric.value;
  const values = useMemo(() => view.bars.map((_, place) => valueOf(metric, sumAt(view.over, place))), [view, metric]);
  const other = useMemo(
    () => (compared === null ? null : view.bars.map((_, place) => (place < compared.bars.length ? valueOf(metric, sumAt(compared.over, place)) : null))),
    [view, compared, metric],
  );
  const name = useCallback((place: number) => barName(view, place, format, false), [view.bars.length, view.bars[0], view.grain, format]);
  const axis = useCallback((value: number) => format.axis(metric, value), [format, metric]);
  const says = (place: number): string => {
    const before = other?.[place];
    const against = before === undefined || before === null ? "" : `, against ${format.value(metric, before)}`;
    return `${barName(view, place, format, true)}: ${said(format, metric, sumAt(view.over, place))}${against}`;
  };
  const choose = (first: number, last: number): void => {
    const [from, to] = [view.bars[first], view.bars[last]];
    if (from !== undefined && to !== undefined) setRange(model.clock.utc(from), model.clock.utc(to + view.grain));
  };
  return (
    <Tile
      name="time"
      title={`${metric.name} ${PER[view.grain]}`}
      says={bar === null || bar >= view.bars.length ? hint(view, compared !== null) : says(bar)}
    >
      <button type="button" class="link as-table" aria-pressed={table} onClick={() => { setTable(!table); }}>
        {table ? "As a picture" : "As a table"}
      </button>
      {table ? (
        <div class="scroll time-table" tabIndex={0} role="region" aria-label={`${metric.name} over time, as a table`}>
          <table>
            <thead>
              <tr>
                <th scope="col">Time</th>
                <th scope="col">{metric.name}</th>
                <th scope="col">Sales behind it</th>
              </tr>
            </thead>
            <tbody>
              {view.bars.map((minute, place) => (
                <tr key={minute}>
                  <th scope="row">{barName(view, place, format, true)}</th>
                  <td>{format.value(metric, values[place] ?? null)}</td>
                  <td>{format.count(behind(metric, sumAt(view.over, place)))}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      ) : (
        <OverTime
          minutes={view.bars}
          name={name}
          values={values}
          compared={other}
          label={`${metric.name} ${PER[view.grain]}. Arrow keys move, Shift with an arrow chooses a time, Enter filters by it.`}
          says={says}
          axis={axis}
          point={setBar}
          choose={choose}
        />
      )}
    </Tile>
  );
}

function hint(view: View, compared: boolean): string {
  if (behind(METRICS.tickets, view.sum) === 0) return anyFilter.value ? "No sale passes the filters" : "Sales appear here as they are made";
  return compared ? "Bars: what is chosen; dashed line: what it is compared with" : "Drag to choose a time, click a bar to choose it";
}

interface Divided {
  key: string;
  name: string;
  sum: Measures;
}

/** Marks of the chosen metric, one a part; how each is asked and pressed. */
function useMarks(model: Model, parts: Divided[], chosen: (key: string) => boolean, metric: Metric): { marks: Mark[]; says: string | null; point: (mark: Mark | null) => void } {
  const pointed = useSignal<string | null>(null);
  const format = model.format.value;
  const marks = parts.map(({ key, name, sum }): Mark => {
    const value = valueOf(metric, sum);
    return { key, name, value: value ?? 0, says: said(format, metric, sum), short: format.short(metric, value), chosen: chosen(key) };
  });
  const mark = marks.find(({ key }) => key === pointed.value);
  return {
    marks,
    says: mark === undefined ? null : `${mark.name}: ${mark.says}`,
    point: (at) => {
      pointed.value = at?.key ?? null;
    },
  };
}

/** Every known value of a category with its sum. */
function partsBy(model: Model, category: Category): Divided[] {
  const sums = model.view.value.by[category];
  return model.options.value[category].map((name) => ({ key: name, name, sum: sums.get(name) ?? [] }));
}

export function LinesTile({ model }: { model: Model }): JSX.Element {
  const metric = model.metric.value;
  const parts = partsBy(model, "product_line").sort(
    (a, b) => (valueOf(metric, b.sum) ?? 0) - (valueOf(metric, a.sum) ?? 0) || (a.name < b.name ? -1 : 1),
  );
  const { marks, says, point } = useMarks(model, parts, (key) => state.value.product_line.includes(key), metric);
  return (
    <Tile name="lines" title={`${metric.name} by product line`} says={says ?? "Click a line to filter by it"}>
      <Bars marks={marks} label="Product lines" point={point} pick={(key) => { toggle("product_line", key); }} />
    </Tile>
  );
}

export function RatingsTile({ model }: { model: Model }): JSX.Element {
  const metric = METRICS.rating;
  const parts = partsBy(model, "product_line").sort((a, b) => (a.name < b.name ? -1 : 1));
  const { marks, says, point } = useMarks(model, parts, (key) => state.value.product_line.includes(key), metric);
  return (
    <Tile name="ratings" title="Rating by product line, of 10" says={says ?? `${said(model.format.value, metric, model.view.value.sum)} in all`}>
      <Bars marks={marks} most={100_000} label="Ratings" point={point} pick={(key) => { toggle("product_line", key); }} />
    </Tile>
  );
}

export function HoursTile({ model }: { model: Model }): JSX.Element {
  const { hours } = model.view.value;
  const metric = model.metric.value;
  const { opens, closes } = model.store;
  const parts: Divided[] = [];
  for (let hour = 0; hour < 24; hour++) {
    const sum = sumAt(hours, hour);
    if ((hour >= opens && hour < closes) || behind(METRICS.tickets, sum) > 0) parts.push({ key: String(hour), name: String(hour), sum });
  }
  const { marks, says, point } = useMarks(model, parts, (key) => state.value.hour.includes(Number(key)), metric);
  return (
    <Tile name="hours" title={`${metric.name} by hour of the day`} says={says === null ? "Click an hour to filter by it" : `From ${says.replace(":", ":00:")}`}>
      <Columns marks={marks} label="Hours of the day" point={point} pick={(key) => { toggleTime("hour", Number(key)); }} />
    </Tile>
  );
}

export function WeekdaysTile({ model }: { model: Model }): JSX.Element {
  const metric = model.metric.value;
  const format = model.format.value;
  const parts = Array.from({ length: 7 }, (_, day) => ({ key: String(day), name: format.weekday(day), sum: sumAt(model.view.value.weekdays, day) }));
  const { marks, says, point } = useMarks(model, parts, (key) => state.value.weekday.includes(Number(key)), metric);
  return (
    <Tile name="weekdays" title={`${metric.name} by day of the week`} says={says ?? "Click a day to filter by it"}>
      <Columns marks={marks} label="Days of the week" point={point} pick={(key) => { toggleTime("weekday", Number(key)); }} />
    </Tile>
  );
}

/** A small picture a branch, all on one scale. */
export function BranchesTile({ model }: { model: Model }): JSX.Element {
  const view = model.view.value;
  const metric = model.metric.value;
  const format = model.format.value;
  const pointed = useSignal<string | null>(null);
  const branches = model.options.value.branch.map((branch) => {
    const over = view.overByBranch.get(branch);
    return {
      branch,
      sum: view.by.branch.get(branch) ?? [],
      values: over === undefined ? [] : view.bars.map((_, place) => valueOf(metric, sumAt(over, place))),
    };
  });
  const most = Math.max(0, ...branches.flatMap(({ values }) => values.map((value) => value ?? 0)));
  const asked = branches.find(({ branch }) => branch === pointed.value);
  const some = state.value.branch.length > 0;
  return (
    <Tile name="branches" title={`${metric.name} by branch`} says={asked === undefined ? `One scale; ${PER[view.grain]}` : `Branch ${asked.branch}: ${said(format, metric, asked.sum)}`}>
      <ul class={`multiples${some ? " some" : ""}`} aria-label="Branches">
        {branches.map(({ branch, sum, values }) => (
          <li key={branch}>
            <button
              type="button"
              class="mark"
              aria-pressed={state.value.branch.includes(branch)}
              aria-description={said(format, metric, sum)}
              onClick={() => { toggle("branch", branch); }}
              onPointerEnter={() => (pointed.value = branch)}
              onFocus={() => (pointed.value = branch)}
              onPointerLeave={() => (pointed.value = null)}
              onBlur={() => (pointed.value = null)}
              style={{ "--branch": model.branchColour(branch) }}
            >
              <span class="name">
                <i class="swatch" style={{ background: model.branchColour(branch) }} />
                <span class="unseen">Branch</span> {branch}
              </span>
              <span class="amount">{format.short(metric, valueOf(metric, sum))}</span>
              <Spark values={values} most={most} />
            </button>
          </li>
        ))}
      </ul>
    </Tile>
  );
}

export function PaymentsTile({ model }: { model: Model }): JSX.Element {
  const pointed = useSignal<{ payment: string; customer: string } | null>(null);
  const { matrix } = model.view.value;
  const format = model.format.value;
  const metric = model.metric.value;
  const { payment: payments, customer_type: customers } = model.options.value;
  const sumOf = (payment: string, customer: string): Measures => matrix.get(payment)?.get(customer) ?? [];
  const most = Math.max(1, ...payments.flatMap((payment) => customers.map((customer) => valueOf(metric, sumOf(payment, customer)) ?? 0)));
  const chosen = (payment: string, customer: string): boolean => state.value.payment.includes(payment) && state.value.customer_type.includes(customer);
  const asked = pointed.value;
  return (
    <Tile
      name="payments"
      title={`${metric.name} by payment and customer`}
      says={asked === null ? "Click one to filter by both" : `${asked.payment}, ${asked.customer}: ${said(format, metric, sumOf(asked.payment, asked.customer))}`}
    >
      <table class="matrix">
        <thead>
          <tr>
            <td />
            {customers.map((customer) => (
              <th key={customer} scope="col">
                {customer}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {payments.map((payment) => (
            <tr key={payment}>
              <th scope="row">{payment}</th>
              {customers.map((customer) => {
                const value = valueOf(metric, sumOf(payment, customer));
                return (
                  <td key={customer}>
                    <button
                      type="button"
                      class="mark"
                      aria-pressed={chosen(payment, customer)}
                      aria-description={said(format, metric, sumOf(payment, customer))}
                      style={{ "--share": (value ?? 0) / most }}
                      onClick={() => {
                        pickBoth(payment, customer);
                      }}
                      onPointerEnter={() => (pointed.value = { payment, customer })}
                      onFocus={() => (pointed.value = { payment, customer })}
                      onPointerLeave={() => (pointed.value = null)}
                      onBlur={() => (pointed.value = null)}
                    >
                      <span class="unseen">
                        {payment}, {customer}
                      </span>{" "}
                      {format.short(metric, value)}
                    </button>
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </Tile>
  );
}

/** Both at once; a second press takes both back. */
function pickBoth(payment: string, customer: string): void {
  const { payment: payments, customer_type: customers } = state.value;
  const held = payments.includes(payment) && customers.includes(customer);
  const picked = (chosen: string[], one: string): string[] => (held ? chosen.filter((other) => other !== one) : [...new Set([...chosen, one])]);
  change({ payment: picked(payments, payment), customer_type: picked(customers, customer) });
}
