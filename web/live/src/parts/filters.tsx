import { signal } from "@preact/signals";
import type { JSX } from "preact";
import { CATEGORIES, type Category } from "../data/select";
import type { Format } from "../format";
import type { Model } from "../state/model";
import { anyFilter, change, clearFilters, RANGES, setDays, state, toggle, toggleTime } from "../state/state";

export const NAMES: Record<Category, string> = {
  branch: "Branch",
  product_line: "Product line",
  customer_type: "Customer",
  payment: "Payment",
};

const wide = matchMedia("(min-width: 60rem)");
const unfolded = signal(wide.matches);
wide.addEventListener("change", () => (unfolded.value = wide.matches));

/** Every filter, all combining; what is pressed is selected, nothing pressed is all. On a small screen it folds. */
export function Filters({ model }: { model: Model }): JSX.Element {
  const options = model.options.value;
  return (
    <nav class="filters" aria-label="Filters">
      <div class="chosen">
        <button type="button" class="chip" aria-expanded={unfolded.value} aria-controls="choices" onClick={() => (unfolded.value = !unfolded.value)}>
          <span aria-hidden="true">{unfolded.value ? "▾" : "▸"}</span> Filters
        </button>
        <Chips model={model} />
      </div>
      {unfolded.value && (
        <div class="choices" id="choices">
          {CATEGORIES.map((name) => (
            <fieldset key={name}>
              <legend>{NAMES[name]}</legend>
              {options[name].map((value) => (
                <button key={value} type="button" class="chip" aria-pressed={state.value[name].includes(value)} onClick={() => { toggle(name, value); }}>
                  {name === "branch" && <i class="swatch" style={{ background: model.branchColour(value) }} />}
                  {value}
                </button>
              ))}
            </fieldset>
          ))}
          <fieldset>
            <legend>Time, up to the newest sale</legend>
            {RANGES.map(({ label, days }) => (
              <button
                key={label}
                type="button"
                class="chip"
                aria-pressed={state.value.days === days && state.value.from === null && state.value.to === null}
                onClick={() => { setDays(days); }}
              >
                {label}
              </button>
            ))}
          </fieldset>
        </div>
      )}
    </nav>
  );
}

/** What is selected, each removable. */
function Chips({ model }: { model: Model }): JSX.Element {
  const { weekday, hour, days, from, to } = state.value;
  const format = model.format.value;
  const chips: { key: string; text: string; drop: () => void }[] = CATEGORIES.flatMap((name) =>
    state.value[name].map((value) => ({ key: `${name} ${value}`, text: `${NAMES[name]}: ${value}`, drop: () => { toggle(name, value); } })),
  );
  for (const day of weekday) chips.push({ key: `day ${day}`, text: format.weekday(day), drop: () => { toggleTime("weekday", day); } });
  for (const one of hour) chips.push({ key: `hour ${one}`, text: `${one}:00 to ${one + 1}:00`, drop: () => { toggleTime("hour", one); } });
  if (days !== null) chips.push({ key: "days", text: RANGES.find((range) => range.days === days)?.label ?? "", drop: () => { setDays(null); } });
  if (from !== null || to !== null) chips.push({ key: "range", text: rangeText(model, format), drop: () => { change({ from: null, to: null }); } });
  return (
    <>
      {chips.length === 0 ? (
        <span class="faint">All sales</span>
      ) : (
        <ul aria-label="Chosen filters">
          {chips.map(({ key, text, drop }) => (
            <li key={key}>
              <button type="button" class="chip chosen-one" aria-label={`Remove filter ${text}`} onClick={drop}>
                {text} <span aria-hidden="true">✕</span>
              </button>
            </li>
          ))}
        </ul>
      )}
      <button type="button" class="link" disabled={!anyFilter.value} onClick={clearFilters}>
        Clear filters
      </button>
    </>
  );
}

function rangeText({ clock }: Model, format: Format): string {
  const { from, to } = state.value;
  const text = (minute: number): string => format.moment(clock.local(minute));
  if (from === null) return `until ${text(to ?? 0)}`;
  return to === null ? `from ${text(from)}` : `${text(from)} to ${text(to)}`;
}
