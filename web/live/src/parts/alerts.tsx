import { effect } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { METRICS, type MetricName } from "../data/metrics";
import type { Format } from "../format";
import { fired, type Rule, rules, ruleValue, unitsOf, Watch, type Window, WINDOWS } from "../state/alerts";
import type { Model } from "../state/model";
import { DEFAULTS, fromQuery, state, toQuery } from "../state/state";
import type { Anomaly } from "../data/wire";
import { reason } from "../words";
import { Dialog } from "./dialog";

const LOOK_MS = 1000;

/** What a rule says, in words. */
function ruleText(rule: Rule, format: Format): string {
  if (rule.what === "anomaly") return "Every unusual sale";
  const metric = METRICS[rule.what];
  const limit = format.value(metric, rule.limit * unitsOf(metric));
  const filters = fromQuery(rule.query);
  const where = [...filters.branch, ...filters.product_line, ...filters.customer_type, ...filters.payment].join(", ");
  return `${metric.name} of ${WINDOWS[rule.window]} ${rule.above ? "above" : "below"} ${limit}${where ? ` (${where})` : ""}`;
}

/** Watches the rules while the page is open, shown or not, and tells what fires. */
export function useAlerts(model: Model): void {
  useEffect(() => {
    const { feed } = model;
    const words = {
      rule: (rule: Rule, value: number): string => {
        const format = model.format.value;
        const metric = METRICS[rule.what as MetricName];
        return `${ruleText(rule, format)}: now ${format.value(metric, value * unitsOf(metric))}`;
      },
      anomaly: (anomaly: Anomaly): string => `${reason(anomaly)}: ${anomaly.invoice_id}`,
    };
    const watch = new Watch(words, tell);
    let fresh: Anomaly[] = [];
    let last = 0;
    let planned: number | undefined;
    const look = (): void => {
      planned = undefined;
      last = Date.now();
      const since = fresh;
      fresh = [];
      watch.look(feed.cube, since);
    };
    feed.onChange = (more) => {
      fresh.push(...more);
      planned ??= window.setTimeout(look, Math.max(0, last + LOOK_MS - Date.now()));
    };
    const changed = effect(() => {
      if (rules.value.length > 0 && feed.loaded.value) look();
    });
    return () => {
      feed.onChange = null;
      clearTimeout(planned);
      changed();
    };
  }, [model]);
}

function tell(text: string): void {
  if (!("Notification" in window) || Notification.permission !== "granted") return;
  try {
    new Notification("Tidemark", { body: text, tag: text });
  } catch {
    // Chrome on Android lets only service workers notify; the alert still stands in the list
  }
}

/** The rules, and what fired. */
export function Alerts({ model, close }: { model: Model; close: () => void }): JSX.Element {
  const format = model.format.value;
  return (
    <Dialog title="Alerts" close={close}>
      <NewRule model={model} />
      <h3>Rules</h3>
      {rules.value.length === 0 ? (
        <p class="empty">None yet. A rule watches a number while this page is open, in the background too, and tells you when it is crossed.</p>
      ) : (
        <ul class="order">
          {rules.value.map((rule) => (
            <li key={rule.id}>
              <label>
                <input type="checkbox" checked={rule.on} onChange={() => { rules.value = rules.value.map((one) => (one.id === rule.id ? { ...one, on: !one.on } : one)); }} />
                {ruleText(rule, format)}
                {rule.what !== "anomaly" && <small> now {nowText(rule, model)}</small>}
              </label>
              <button type="button" class="chip" aria-label={`Forget ${ruleText(rule, format)}`} onClick={() => { rules.value = rules.value.filter(({ id }) => id !== rule.id); }}>
                Forget
              </button>
            </li>
          ))}
        </ul>
      )}
      <Permission />
      <h3>What fired</h3>
      {fired.value.length === 0 ? (
        <p class="empty">Nothing yet.</p>
      ) : (
        <>
          <ol class="fired">
            {fired.value.map((one) => (
              <li key={`${one.at} ${one.text}`}>
                <span class="faint">{new Date(one.at).toLocaleString(format.locale)}</span> {one.text}
              </li>
            ))}
          </ol>
          <button type="button" class="chip" onClick={() => (fired.value = [])}>
            Empty this list
          </button>
        </>
      )}
    </Dialog>
  );
}

function nowText(rule: Rule, model: Model): string {
  const value = ruleValue(rule, model.feed.held.value.cube);
  const metric = METRICS[rule.what as MetricName];
  return model.format.value.value(metric, value === null ? null : value * unitsOf(metric));
}

function NewRule({ model }: { model: Model }): JSX.Element {
  const [what, setWhat] = useState<Rule["what"]>("sales");
  const [span, setSpan] = useState<Window>("hour");
  const [above, setAbove] = useState(true);
  const [limit, setLimit] = useState("");
  const { branch, product_line, customer_type, payment } = state.value;
  const query = toQuery({ ...DEFAULTS, branch, product_line, customer_type, payment });
  const number = Number(limit.replace(",", "."));
  const fit = what === "anomaly" || (limit.trim() !== "" && Number.isFinite(number));
  return (
    <form
      class="together"
      onSubmit={(event) => {
        event.preventDefault();
        if (!fit) return;
        rules.value = [...rules.value, { id: `${Date.now()}`, what, window: span, above, limit: what === "anomaly" ? 0 : number, query, on: true }];
        setLimit("");
      }}
    >
      <label>
        Tell me when{" "}
        <select value={what} onChange={(event) => { setWhat(event.currentTarget.value as Rule["what"]); }}>
          {Object.entries(METRICS).map(([key, metric]) => (
            <option key={key} value={key}>
              {metric.name}
            </option>
          ))}
          <option value="anomaly">a sale is unusual</option>
        </select>
      </label>
      {what !== "anomaly" && (
        <>
          <label>
            of{" "}
            <select value={span} onChange={(event) => { setSpan(event.currentTarget.value as Window); }}>
              {Object.entries(WINDOWS).map(([key, name]) => (
                <option key={key} value={key}>
                  {name}
                </option>
              ))}
            </select>
          </label>
          <label>
            is{" "}
            <select value={above ? "above" : "below"} onChange={(event) => { setAbove(event.currentTarget.value === "above"); }}>
              <option value="above">above</option>
              <option value="below">below</option>
            </select>
          </label>
          <label>
            <span class="unseen">Limit{METRICS[what].kind === "money" ? `, in ${model.store.currency}` : ""}</span>
            <input inputMode="decimal" size={8} value={limit} placeholder={METRICS[what].kind === "money" ? model.store.currency : "number"} onInput={(event) => { setLimit(event.currentTarget.value); }} />
          </label>
        </>
      )}
      <button type="submit" class="chip primary" disabled={!fit}>
        Add
      </button>
      {query !== "" && <small class="faint">for the filters that are chosen now</small>}
    </form>
  );
}

function Permission(): JSX.Element {
  const [given, setGiven] = useState("Notification" in window ? Notification.permission : "denied");
  if (given === "granted") return <p class="faint">This browser notifies you.</p>;
  if (given === "denied") return <p class="faint">This browser does not notify: allow notifications for this page in its settings. Alerts are listed here all the same.</p>;
  return (
    <button type="button" class="chip" onClick={() => { void Notification.requestPermission().then(setGiven); }}>
      Let this browser notify me
    </button>
  );
}
