import type { JSX } from "preact";
import type { Anomaly } from "../cells";
import { clock, day, type Money } from "../format";

const REASONS: Record<string, string> = {
  total_mismatch: "Total is not price × quantity + tax",
  tax_mismatch: "Tax is not the store’s rate",
  closed_hour: "Sold while the store is closed",
  unknown_branch: "Branch is not on the list",
  unknown_product_line: "Product line is not on the list",
  unknown_customer_type: "Customer type is not on the list",
  unknown_payment: "Way of paying is not on the list",
};

interface Props {
  anomalies: Anomaly[];
  local: (minute: number) => number;
  branchColour: (branch: string) => string;
  money: Money;
}

const SHOWN = 50;

/** Sales that need a look, newest first, each with its reason in words. */
export function Anomalies({ anomalies, local, branchColour, money }: Props): JSX.Element {
  if (anomalies.length === 0) {
    return <p class="anomalies empty">Nothing unusual. A sale that breaks a rule, or looks unlike the others, appears here.</p>;
  }
  return (
    <ol class="anomalies">
      {anomalies.slice(0, SHOWN).map((anomaly) => (
        <li key={anomaly.invoice_id}>
          <span class="when">
            {day(local(anomaly.minute))} {clock(local(anomaly.minute))}
          </span>
          <i class="swatch" style={{ background: branchColour(anomaly.branch) }} />
          <span class="what">
            <b>{reason(anomaly)}</b>
            <span>
              {anomaly.product_line} · branch {anomaly.branch} · {anomaly.invoice_id}
            </span>
          </span>
          <span class="amount">{money.cents(anomaly.total)}</span>
        </li>
      ))}
    </ol>
  );
}

function reason(anomaly: Anomaly): string {
  const named = anomaly.flags.map((flag) => REASONS[flag] ?? flag);
  if (named.length > 0) return named.join("; ");
  return `Unlike the others (score ${(anomaly.score ?? 0).toFixed(2)})`;
}
