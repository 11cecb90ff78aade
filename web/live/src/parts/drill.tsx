/** From a number to its hours, from an hour to its sales, from a sale to all that is known of it. */

import type { ComponentChildren, JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { ApiError, type Conflict, PAGE_OF_SALES, type Sale, sale as askSale, type SaleDetail, sales as askSales } from "../data/api";
import { sumAt } from "../data/sums";
import { behind, METRICS, valueOf } from "../data/metrics";
import { open as passes, passesTime } from "../data/select";
import { DAY } from "../data/store";
import { at } from "../data/wire";
import { barName, reason } from "../words";
import type { Format } from "../format";
import type { Model } from "../state/model";
import { change, state } from "../state/state";
import { Dialog } from "./dialog";
import { SayVerdict } from "./verdict";

const ANOMALIES = at("anomalies");

export function Drill({ model }: { model: Model }): JSX.Element | null {
  const { open } = state.value;
  if (open === "") return null;
  const [, from, to] = /^sales:(\d+)-(\d+)$/.exec(open) ?? [];
  const title = open === "hours" ? "Over time" : from !== undefined ? "Sales" : "One sale";
  return (
    <Dialog side title={title} close={() => { if (state.value.open === open) change({ open: "" }); }} key={title}>
      {open === "hours" ? (
        <Hours model={model} />
      ) : from !== undefined ? (
        <Sales key={open} model={model} since={Number(from)} until={Number(to)} />
      ) : (
        <OneSale key={open} model={model} invoice={open.slice("sale:".length)} />
      )}
    </Dialog>
  );
}

/** The bars of the chart over time as rows, the newest first. */
function Hours({ model }: { model: Model }): JSX.Element {
  const view = model.view.value;
  const format = model.format.value;
  const metric = model.metric.value;
  const rows = view.bars
    .map((minute, place) => ({ minute, place, sum: sumAt(view.over, place) }))
    .filter(({ sum }) => behind(METRICS.tickets, sum) > 0)
    .reverse();
  if (rows.length === 0) return <p class="empty">No sales with these filters.</p>;
  return (
    <table class="rows">
      <thead>
        <tr>
          <th scope="col">{view.grain > DAY ? "Week" : view.grain === DAY ? "Day" : "Time"}</th>
          <th scope="col">{metric.name}</th>
          <th scope="col">How many</th>
          <th scope="col">Unusual</th>
        </tr>
      </thead>
      <tbody>
        {rows.map(({ minute, place, sum }) => (
          <tr key={minute}>
            <th scope="row">
              <button
                type="button"
                class="link"
                onClick={() => {
                  const from = model.clock.utc(minute);
                  const to = model.clock.utc(minute + view.grain);
                  if (view.grain > 60) change({ from, to, days: null, open: "hours" });
                  else change({ open: `sales:${from}-${to}` });
                }}
              >
                {barName(view, place, format, true)}
              </button>
            </th>
            <td>{format.value(metric, valueOf(metric, sum))}</td>
            <td>{format.count(behind(METRICS.tickets, sum))}</td>
            <td>{format.count(sum[ANOMALIES] ?? 0)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

interface Asked<T> {
  found: T | null;
  problem: string | null;
}

function useAsked<T>(ask: () => Promise<T>, when: unknown[]): Asked<T> {
  const [asked, setAsked] = useState<Asked<T>>({ found: null, problem: null });
  useEffect(() => {
    let wanted = true;
    ask().then(
      (found) => {
        if (wanted) setAsked({ found, problem: null });
      },
      (error: unknown) => {
        if (wanted) setAsked({ found: null, problem: error instanceof ApiError ? error.message : "That did not work." });
      },
    );
    return () => {
      wanted = false;
    };
  }, when);
  return asked;
}

/** The sales of a range that pass the filters, from the API. */
function Sales({ model, since, until }: { model: Model; since: number; until: number }): JSX.Element {
  const { branch: branches } = model.selection.value;
  const asked = branches.size > 0 ? [...branches] : [...new Set(model.feed.held.value.cube.shelves.map(({ branch }) => branch))].sort();
  const { found, problem } = useAsked(() => everySale(asked, since, until), [asked.join("\n"), since, until]);
  const format = model.format.value;
  const title = `${format.fullDay(model.clock.local(since))}, ${format.clock(model.clock.local(since))} to ${format.clock(model.clock.local(until))}`;
  return (
    <>
      <Back to="hours" text="All hours" />
      <h3>{title}</h3>
      {problem !== null && <p class="problem">{problem}</p>}
      {found === null && problem === null && <p class="empty">Asking for the sales of {title}</p>}
      {found !== null && <SaleRows model={model} sales={found.sales.filter((sold) => selected(model, sold))} more={found.more} />}
    </>
  );
}

const MOST_PAGES = 5;

/** The sales of a time, the newest first; `more`: whether some branch has more than are asked for, the oldest first. */
async function everySale(branches: string[], since: number, until: number): Promise<{ sales: Sale[]; more: boolean }> {
  let more = false;
  const lists = await Promise.all(
    branches.map(async (branch) => {
      const list: Sale[] = [];
      let cursor: string | null = null;
      for (let page = 0; page < MOST_PAGES; page++) {
        const found = await askSales(branch, since, until, cursor);
        list.push(...found.sales);
        cursor = found.cursor;
        if (cursor === null) return list;
      }
      more = true;
      return list;
    }),
  );
  return { sales: lists.flat().sort((a, b) => b.minute - a.minute), more };
}

function selected(model: Model, sold: Sale): boolean {
  const selection = model.selection.value;
  const { product_line, customer_type, payment } = selection;
  return (
    passes(product_line, sold.product_line) &&
    passes(customer_type, sold.customer_type) &&
    passes(payment, sold.payment) &&
    passesTime(selection, sold.minute, model.clock)
  );
}

function SaleRows({ model, sales, more }: { model: Model; sales: Sale[]; more: boolean }): JSX.Element {
  const format = model.format.value;
  if (sales.length === 0) return <p class="empty">No sale in this time passes the filters.</p>;
  return (
    <table class="rows">
      <caption>
        {format.counted(sales.length, "sale")}
        {more && `, and there are more: these are among the first ${MOST_PAGES * PAGE_OF_SALES} of each branch`}
      </caption>
      <thead>
        <tr>
          <th scope="col">Time</th>
          <th scope="col">Invoice</th>
          <th scope="col">What</th>
          <th scope="col">Total</th>
        </tr>
      </thead>
      <tbody>
        {sales.map((sold) => (
          <tr key={sold.invoice_id} class={sold.anomaly ? "unusual" : ""}>
            <td>{format.clock(model.clock.local(sold.minute))}</td>
            <th scope="row">
              <button type="button" class="link" onClick={() => { change({ open: `sale:${sold.invoice_id}` }); }}>
                {sold.invoice_id}
              </button>
            </th>
            <td class="text">
              {sold.branch} · {sold.product_line}
              {sold.kind === "return" && " · return"}
              {sold.anomaly && <b class="flag"> {reason(sold)}</b>}
            </td>
            <td>{format.cents(sold.total)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Back({ to, text }: { to: string; text: string }): JSX.Element {
  return (
    <button type="button" class="link back" onClick={() => { change({ open: to }); }}>
      ← {text}
    </button>
  );
}

function OneSale({ model, invoice }: { model: Model; invoice: string }): JSX.Element {
  const { found, problem } = useAsked(() => askSale(invoice), [invoice]);
  if (problem !== null) return <p class="problem">{problem}</p>;
  if (found === null) return <p class="empty">Asking for sale {invoice}</p>;
  return <SaleFacts model={model} detail={found} />;
}

function SaleFacts({ model, detail }: { model: Model; detail: SaleDetail }): JSX.Element {
  const { sale, counted_by, conflicts } = detail;
  const format = model.format.value;
  const local = model.clock.local(sale.minute);
  const money = (decimal: string): string => `${format.cents(decimal)} (${format.digits(decimal)} exactly)`;
  const from = sale.minute - (sale.minute % 60);
  return (
    <>
      <Back to={`sales:${from}-${from + 60}`} text="The sales of its hour" />
      <h3>{sale.invoice_id}</h3>
      <p class={sale.anomaly ? "verdict unusual" : "verdict"}>{sale.anomaly ? reason(sale) : "Nothing unusual about it"}</p>
      {sale.anomaly && <p>{beside(sale, format)}</p>}
      {sale.anomaly && <SayVerdict invoice={sale.invoice_id} />}
      <Facts
        of={[
          ["Sold", `${format.fullDay(local)}, ${format.clock(local)}`],
          ["Kind", sale.kind],
          ["Branch", sale.city === null ? sale.branch : `${sale.branch}, ${sale.city}`],
          ["Product line", sale.product_line],
          ["Customer", sale.customer_id === null ? sale.customer_type : `${sale.customer_type}, ${sale.customer_id}`],
          ["Payment", sale.payment],
          ["Price × quantity", `${format.cents(sale.unit_price)} × ${sale.quantity}`],
          ["Tax", money(sale.tax)],
          ["Total", money(sale.total)],
          ["Rating", sale.rating ?? "none given"],
        ]}
      />
      <h4>What the model and the rules say</h4>
      <Facts
        of={[
          ["Score", sale.score === null ? "no model looked" : `${sale.score.toFixed(4)} of 1; near 1 is unlike the others`],
          ["Model", sale.model],
          ["Rules hit", sale.flags.length === 0 ? "none" : reason(sale)],
          [
            "Usual basket",
            sale.basket_quantiles === null
              ? "the model gives none"
              : `${sale.basket_quantiles.map((value) => format.cents(String(value))).join(" · ")} (10th, 50th, 90th percentile)`,
          ],
        ]}
      />
      <h4>Its history</h4>
      <Facts
        of={[
          ["Received", new Date(sale.received_at).toLocaleString(format.locale)],
          ["Counted by", `writer ${counted_by.writer}, version ${counted_by.version} of its cell`],
        ]}
      />
      {conflicts.length === 0 ? <p>No other sale came with this id.</p> : <Conflicts conflicts={conflicts} format={format.locale} />}
    </>
  );
}

/** How a sale lies beside the baskets that the model expects there. */
function beside({ total, basket_quantiles }: Sale, format: Format): string {
  if (basket_quantiles === null) return "";
  const [low, , high] = basket_quantiles;
  const span = `${format.cents(String(low))} to ${format.cents(String(high))}`;
  if (Number(total) > high) return `Eight in ten such baskets come to ${span}: this one to more.`;
  if (Number(total) < low) return `Eight in ten such baskets come to ${span}: this one to less.`;
  return `Its total is within what eight in ten such baskets come to (${span}).`;
}

function Conflicts({ conflicts, format }: { conflicts: Conflict[]; format: string }): JSX.Element {
  return (
    <ul>
      {conflicts.map((conflict) => (
        <li key={conflict.received_at}>
          {new Date(conflict.received_at).toLocaleString(format)}: the same id came with{" "}
          {Object.entries(conflict.differences)
            .map(([name, [kept, came]]) => `${name.replace("_", " ")} ${came ?? "not stated"} instead of ${kept ?? "not stated"}`)
            .join(", ")}
          . It was set aside and counts nowhere.
        </li>
      ))}
    </ul>
  );
}

function Facts({ of }: { of: [string, ComponentChildren][] }): JSX.Element {
  return (
    <dl class="facts">
      {of.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

