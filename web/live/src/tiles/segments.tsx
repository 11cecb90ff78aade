import type { JSX } from "preact";
import { Spark } from "../charts/spark";
import { valueOf, METRICS } from "../data/metrics";
import { CATEGORIES, type Category } from "../data/select";
import { type Part, trend } from "../data/segments";
import { at, type Measures } from "../data/wire";
import type { Format } from "../format";
import { NAMES } from "../parts/filters";
import { Tile } from "../parts/tile";
import type { Model, Segments } from "../state/model";
import { change, state, toggle } from "../state/state";

const SALES = at("sales");
const TICKETS = at("tickets");
const SPARK_DAYS = 30;

/** Each part's size, basket, rating and trend, side by side, and whether they differ by more than chance. */
export function SegmentsTile({ model }: { model: Model }): JSX.Element {
  const { by } = state.value;
  const sums = model.view.value.by[by];
  const judged = model.segments.value;
  const format = model.format.value;
  const names = model.options.value[by];
  const all = [...sums.values()].reduce((total, sum) => total + (sum[SALES] ?? 0), 0);
  return (
    <Tile name="segments" title="Segments" says={verdict(judged)}>
      <div class="choice" role="group" aria-label="Segments by">
        {CATEGORIES.map((name) => (
          <button key={name} type="button" class="chip" aria-pressed={name === by} onClick={() => { change({ by: name }); }}>
            {NAMES[name]}
          </button>
        ))}
      </div>
      <div class="scroll" tabIndex={0} role="region" aria-label="Table of segments">
        <table class="segments">
          <thead>
            <tr>
              <th scope="col">{NAMES[by]}</th>
              <th scope="col">Sales</th>
              <th scope="col">Tickets</th>
              <th scope="col">Basket</th>
              <th scope="col">Rating</th>
              <th scope="col">Trend</th>
            </tr>
          </thead>
          <tbody>
            {names.map((name) => (
              <Segment key={name} name={name} by={by} sum={sums.get(name) ?? []} all={all} part={judged.parts?.find((part) => part.name === name)} format={format} />
            ))}
          </tbody>
        </table>
      </div>
    </Tile>
  );
}

function verdict({ parts, differ }: Segments): string {
  if (parts === null) return "Judging whether baskets differ";
  if (differ === null) return "Too few sales, or days, to say whether baskets differ";
  return differ ? "Baskets differ by more than chance (p < 1%)" : "Baskets: no difference beyond chance";
}

interface Props {
  name: string;
  by: Category;
  sum: Measures;
  all: number;
  part: Part | undefined;
  format: Format;
}

function Segment({ name, by, sum, all, part, format }: Props): JSX.Element {
  const sales = sum[SALES] ?? 0;
  return (
    <tr>
      <th scope="row">
        <button type="button" class="link" aria-pressed={state.value[by].includes(name)} onClick={() => { toggle(by, name); }}>
          {name}
        </button>
      </th>
      <td>{all > 0 ? format.percent(sales / all) : "–"}</td>
      <td>{format.count(sum[TICKETS] ?? 0)}</td>
      <td>{format.value(METRICS.basket, valueOf(METRICS.basket, sum))}</td>
      <td>{format.value(METRICS.rating, valueOf(METRICS.rating, sum))}</td>
      <td class="trend">
        <Trend part={part} format={format} />
      </td>
    </tr>
  );
}

function Trend({ part, format }: { part: Part | undefined; format: Format }): JSX.Element {
  if (part === undefined) return <>–</>;
  const change = trend(part);
  return (
    <>
      <Spark values={[...part.sales.subarray(Math.max(0, part.sales.length - SPARK_DAYS))]} />
      <span>{change === null ? "–" : change === 0 ? "none" : format.change(change)}</span>
    </>
  );
}
