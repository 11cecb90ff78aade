import type { JSX } from "preact";
import { anyChosen, chosen, clear, days, type Dimension, RANGES, setDays, toggle } from "../selection";

interface Props {
  options: Record<Dimension, string[]>;
  branchColour: (branch: string) => string;
}

const NAMES: Record<Dimension, string> = {
  branch: "Branch",
  product_line: "Product line",
  customer_type: "Customer",
  payment: "Payment",
};

/** Every filter, all combining; what is pressed is selected, nothing pressed is all. */
export function Filters({ options, branchColour }: Props): JSX.Element {
  return (
    <nav class="filters" aria-label="Filters">
      {(Object.keys(NAMES) as Dimension[]).map((dimension) => (
        <fieldset key={dimension}>
          <legend>{NAMES[dimension]}</legend>
          {options[dimension].map((value) => (
            <button
              key={value}
              type="button"
              class="chip"
              aria-pressed={chosen.value[dimension].has(value)}
              onClick={() => {
                toggle(dimension, value);
              }}
            >
              {dimension === "branch" && <i class="swatch" style={{ background: branchColour(value) }} />}
              {value}
            </button>
          ))}
        </fieldset>
      ))}
      <fieldset>
        <legend>Time, up to the newest sale</legend>
        {RANGES.map((range) => (
          <button
            key={range.label}
            type="button"
            class="chip"
            aria-pressed={days.value === range.days}
            onClick={() => {
              setDays(range.days);
            }}
          >
            {range.label}
          </button>
        ))}
      </fieldset>
      <button type="button" class="clear" disabled={!anyChosen.value} onClick={clear}>
        Clear filters
      </button>
    </nav>
  );
}
