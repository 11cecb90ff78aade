import type { JSX } from "preact";
import { open, passesTime } from "../data/select";
import { at } from "../data/wire";
import { Tile } from "../parts/tile";
import type { Model } from "../state/model";
import { change } from "../state/state";
import { reason } from "../words";

const SHOWN = 60;
const ANOMALIES = at("anomalies");

/** Sales that need a look, newest first, each with its reason in words. */
export function AnomaliesTile({ model }: { model: Model }): JSX.Element {
  const format = model.format.value;
  const selection = model.selection.value;
  const { branch, product_line, customer_type, payment } = selection;
  const shown = model.feed.anomalies.value.filter(
    (anomaly) =>
      open(branch, anomaly.branch) && open(product_line, anomaly.product_line) && passesTime(selection, anomaly.minute, model.clock),
  );
  const { sum, kpis } = model.view.value;
  const unusual = sum[ANOMALIES] ?? 0;
  const all = format.counted(kpis.tickets + kpis.returns, "sale");
  const newest = shown.length > SHOWN || unusual > shown.length ? ", the newest here" : "";
  const says = unusual === 0 ? `None of ${all}` : `${format.count(unusual)} of ${all}${newest}${customer_type.size + payment.size > 0 ? ", of all customers and payments" : ""}`;
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
