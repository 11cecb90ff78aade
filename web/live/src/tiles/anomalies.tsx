import type { JSX } from "preact";
import { type Anomaly, at } from "../data/wire";
import { Tile } from "../parts/tile";
import type { Model } from "../state/model";
import { change, state } from "../state/state";

const REASONS: Record<string, string> = {
  total_mismatch: "Total is not price × quantity + tax",
  tax_mismatch: "Tax is not the store’s rate",
  closed_hour: "Sold while the store is closed",
  unknown_branch: "Branch is not on the list",
  unknown_product_line: "Product line is not on the list",
  unknown_customer_type: "Customer type is not on the list",
  unknown_payment: "Way of paying is not on the list",
};

const SHOWN = 60;
const ANOMALIES = at("anomalies");

/** Why a sale needs a look, in words. */
export function reason({ flags, score }: Pick<Anomaly, "flags" | "score">): string {
  const named = flags.map((flag) => REASONS[flag] ?? flag);
  if (named.length > 0) return named.join("; ");
  return `Unlike the others (score ${(score ?? 0).toFixed(2)})`;
}

/** Sales that need a look, newest first, each with its reason in words. */
export function AnomaliesTile({ model }: { model: Model }): JSX.Element {
  const format = model.format.value;
  const { branch, product_line } = state.value;
  const { since, until } = model.selection.value;
  const shown = model.feed.anomalies.value.filter(
    (anomaly) =>
      (branch.length === 0 || branch.includes(anomaly.branch)) &&
      (product_line.length === 0 || product_line.includes(anomaly.product_line)) &&
      anomaly.minute >= (since ?? -Infinity) &&
      anomaly.minute < (until ?? Infinity),
  );
  const { sum, kpis } = model.view.value;
  const says = `${format.count(sum[ANOMALIES] ?? 0)} of ${format.counted(kpis.tickets + kpis.returns, "sale")}; the newest ${SHOWN} at most`;
  return (
    <Tile name="anomalies" title="Needs a look" says={says}>
      {shown.length === 0 ? (
        <p class="empty">Nothing unusual. A sale that breaks a rule, or looks unlike the others, appears here.</p>
      ) : (
        <ol class="scroll feed" tabIndex={0} aria-label="Sales that need a look">
          {shown.slice(0, SHOWN).map((anomaly) => (
            <li key={anomaly.invoice_id}>
              <button type="button" class="row" onClick={() => { change({ open: `sale:${anomaly.invoice_id}` }); }}>
                <span class="when">{format.moment(model.clock.local(anomaly.minute))}</span>
                <span class="what">
                  <b>{reason(anomaly)}</b>
                  <span>
                    <i class="swatch" style={{ background: model.branchColour(anomaly.branch) }} />
                    {anomaly.branch} · {anomaly.product_line} · {anomaly.invoice_id}
                  </span>
                </span>
                <span class="amount">{format.cents(anomaly.total)}</span>
              </button>
            </li>
          ))}
        </ol>
      )}
    </Tile>
  );
}
