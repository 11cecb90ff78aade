/** Alert rules: what this browser's user wants to be told of, and what was told. */

import type { Cube } from "../data/cube";
import { sumOf } from "../data/look";
import { type Metric, type MetricName, METRICS, valueOf } from "../data/metrics";
import { EVERYTHING, open, type Selection } from "../data/select";
import { DAY } from "../data/store";
import type { Anomaly } from "../data/wire";
import { kept, listOf } from "./saved";
import { fromQuery, setsOf } from "./state";

/** Over what time a rule looks, up to the newest sale. */
export const WINDOWS = { hour: "this hour", day: "this day", all: "all time" } as const;
export type Window = keyof typeof WINDOWS;

export interface Rule {
  id: string;
  /** a metric, or every unusual sale */
  what: MetricName | "anomaly";
  window: Window;
  above: boolean;
  /** in the metric's own unit: money, a count, a rating */
  limit: number;
  /** the filters it looks through, as a query */
  query: string;
  on: boolean;
}

export interface Fired {
  at: number;
  text: string;
}

const FIRED_KEPT = 50;

export const rules = kept<Rule[]>("rules", [], listOf<Rule>({
  id: "string", what: "string", window: "string", above: "boolean", limit: "number", query: "string", on: "boolean",
}));
export const fired = kept<Fired[]>("fired", [], listOf<Fired>({ at: "number", text: "string" }));

/** How many of a metric's units are one of what a rule's limit is written in. */
export const unitsOf = ({ kind }: Metric): number => (kind === "count" ? 1 : 10_000);

/** The selection that a rule looks at. */
function ruleSelection(rule: Rule, cube: Cube): Selection {
  const filters = setsOf(fromQuery(rule.query));
  if (rule.window === "all" || cube.newest === null) return { ...EVERYTHING, ...filters };
  const local = cube.clock.local(cube.newest);
  const begin = rule.window === "hour" ? local - (local % 60) : local - (local % DAY);
  return { ...EVERYTHING, ...filters, since: cube.newest - (local - begin) };
}

/** What a rule's number is now, in the metric's own unit; null where nothing can be said. */
export function ruleValue(rule: Rule, cube: Cube): number | null {
  if (rule.what === "anomaly") return null;
  const metric = METRICS[rule.what];
  const value = valueOf(metric, sumOf(cube, ruleSelection(rule, cube)));
  return value === null ? null : value / unitsOf(metric);
}

/** Watches the rules. A rule fires when its limit is crossed, and again only after it was back. */
export class Watch {
  readonly #over = new Map<string, boolean>();

  /** `tell`: told each alert. */
  constructor(
    private readonly words: { rule: (rule: Rule, value: number) => string; anomaly: (anomaly: Anomaly) => string },
    private readonly tell: (text: string) => void,
  ) {}

  /** `fresh`: the unusual sales that were not there at the last look. */
  look(cube: Cube, fresh: Anomaly[]): void {
    for (const rule of rules.value) {
      if (!rule.on || rule.what === "anomaly") continue;
      const value = ruleValue(rule, cube);
      const over = value !== null && (rule.above ? value > rule.limit : value < rule.limit);
      const was = this.#over.get(rule.id);
      this.#over.set(rule.id, over);
      if (over && was === false) this.#fire(this.words.rule(rule, value));
    }
    const wanted = rules.value.filter(({ what, on }) => on && what === "anomaly").map(({ query }) => setsOf(fromQuery(query)));
    for (const anomaly of fresh) {
      const passes = wanted.some(({ branch, product_line }) => open(branch, anomaly.branch) && open(product_line, anomaly.product_line));
      if (passes) this.#fire(this.words.anomaly(anomaly));
    }
  }

  #fire(text: string): void {
    fired.value = [{ at: Date.now(), text }, ...fired.value].slice(0, FIRED_KEPT);
    this.tell(text);
  }
}
