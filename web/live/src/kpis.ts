/** The KPIs. The counterpart of `tidemark/kpis.py`; both pass `tests/vectors/kpis.json`. */

import { at, type Cell, MEASURES, type Measures, type Row } from "./cells";
import { divide, ratio, SCALE, text } from "./exact";
import { closingSum, type SoldByShelf } from "./stock";
import { Clock, dayName, type Store } from "./store";

/** Which sales are meant; an empty set is any. Minutes are UTC since 1970, `until` exclusive. */
export interface Selection {
  branch: ReadonlySet<string>;
  product_line: ReadonlySet<string>;
  customer_type: ReadonlySet<string>;
  payment: ReadonlySet<string>;
  since: number | null;
  until: number | null;
}

export interface Kpis {
  sales: string;
  tickets: number;
  items: number;
  average_transaction: string | null;
  items_per_hour: number | null;
  cogs: string;
  tax: string;
  returns: number;
  returned_sales: string;
  net_sales: string;
  anomalies: number;
  rating: number | null;
  inventory_turnover: number | null;
  average_stock: string | null;
  stock: "simulated";
  first_day: string | null;
  last_day: string | null;
}

const allowed = (set: ReadonlySet<string>, value: string): boolean => set.size === 0 || set.has(value);

export const cellSelected = (cell: Cell, selection: Selection): boolean =>
  allowed(selection.branch, cell.branch) &&
  (selection.since === null || cell.minute >= selection.since) &&
  (selection.until === null || cell.minute < selection.until);

export const rowSelected = (row: Row, selection: Selection): boolean =>
  allowed(selection.product_line, row.line) &&
  allowed(selection.customer_type, row.customer) &&
  allowed(selection.payment, row.payment);

export function addTo(sum: Measures, more: Measures): void {
  for (let i = 0; i < MEASURES.length; i++) sum[i] = (sum[i] ?? 0) + (more[i] ?? 0);
}

export const zero = (): Measures => MEASURES.map(() => 0);

/** What is summed while walking over the cells; finished by `report`. */
export class KpiSum {
  readonly measures = zero();
  readonly #sold: SoldByShelf = new Map();
  #first = Infinity;
  #last = -Infinity;

  constructor(
    private readonly store: Store,
    private readonly clock: Clock,
    private readonly selection: Selection,
  ) {}

  /** Adds a cell that is selected by branch and time. */
  add(cell: Cell): void {
    const day = this.clock.day(cell.minute);
    for (const row of cell.rows) {
      if (!allowed(this.selection.product_line, row.line)) continue;
      const shelf = `${cell.branch}\n${row.line}`;
      let byDay = this.#sold.get(shelf);
      if (byDay === undefined) this.#sold.set(shelf, (byDay = new Map<number, number>()));
      const m = row.measures;
      byDay.set(day, (byDay.get(day) ?? 0) + (m[COGS] ?? 0) - (m[RETURNED_COGS] ?? 0));
      if (!allowed(this.selection.customer_type, row.customer) || !allowed(this.selection.payment, row.payment)) continue;
      addTo(this.measures, m);
      this.#first = Math.min(this.#first, cell.minute);
      this.#last = Math.max(this.#last, cell.minute);
    }
  }

  report(): Kpis {
    const m = (measure: (typeof MEASURES)[number]): number => this.measures[at(measure)] ?? 0;
    const big = (measure: (typeof MEASURES)[number]): bigint => BigInt(m(measure));
    const any = this.#first !== Infinity;
    const first = any ? this.clock.day(this.#first) : 0;
    const last = any ? this.clock.day(this.#last) : 0;
    const days = BigInt(last - first + 1);
    const closing = any ? closingSum(this.#sold, first, last, this.store.stock_at_cost) : 0n;
    return {
      sales: text(big("sales")),
      tickets: m("tickets"),
      items: m("items"),
      average_transaction: m("tickets") ? divide(big("sales"), big("tickets")) : null,
      items_per_hour: any ? ratio(big("items"), days * BigInt(this.store.closes - this.store.opens)) : null,
      cogs: text(big("cogs")),
      tax: text(big("tax")),
      returns: m("returns"),
      returned_sales: text(big("returned_sales")),
      net_sales: text(big("sales") - big("returned_sales")),
      anomalies: m("anomalies"),
      rating: ratio(big("rating_sum"), big("rating_count") * BigInt(SCALE)),
      inventory_turnover: any ? ratio(big("cogs") * days, closing) : null,
      average_stock: any ? divide(closing, days, 4) : null,
      stock: "simulated",
      first_day: any ? dayName(first) : null,
      last_day: any ? dayName(last) : null,
    };
  }
}

const COGS = at("cogs");
const RETURNED_COGS = at("returned_cogs");

export function kpis(cells: Iterable<Cell>, selection: Selection, store: Store): Kpis {
  const sum = new KpiSum(store, new Clock(store.zone), selection);
  for (const cell of cells) if (cellSelected(cell, selection)) sum.add(cell);
  return sum.report();
}
