/** What the page shows, computed from what is held and from how it is looked at. */

import { computed, effect, type ReadonlySignal, signal } from "@preact/signals";
import type { Feed } from "../data/feed";
import { look, sumOf, type View } from "../data/look";
import { METRICS } from "../data/metrics";
import { CATEGORIES, type Category, EVERYTHING, type Selection } from "../data/select";
import { differ, type Part, partsOf, sameBaskets } from "../data/segments";
import { type Clock, DAY, type Store } from "../data/store";
import type { Measures } from "../data/wire";
import { Format } from "../format";
import { comparedOf, selectionOf, state, type State } from "./state";
import { colours } from "./theme";

export interface Config {
  version: string;
  source: string;
  store: Store;
  /** where people sign out; null where they sign in by a link only */
  sign_out: string | null;
}

/** The hour of the newest sale, or of the selection's end, as far as it has gone, and the same minutes of the day before. */
export interface ThisHour {
  /** store's minutes */
  from: number;
  to: number;
  now: Measures;
  yesterday: Measures;
}

export interface Segments {
  /** null until they were judged for the first time */
  parts: Part[] | null;
  /** whether baskets differ; null where there are too few days to say */
  differ: boolean | null;
}

const MOST_OPTIONS = 24;
const SEGMENTS_MS = 1000;
const SOON_MS = 30;

export class Model {
  readonly store: Store;
  readonly clock: Clock;
  readonly selection: ReadonlySignal<Selection>;
  readonly view: ReadonlySignal<View>;
  readonly compared: ReadonlySignal<View | null>;
  readonly thisHour: ReadonlySignal<ThisHour | null>;
  /** what can be selected: the store's own codes, and whatever else was sold */
  readonly options: ReadonlySignal<Record<Category, string[]>>;
  readonly format: ReadonlySignal<Format>;
  readonly metric = computed(() => METRICS[state.value.show]);
  readonly segments: ReadonlySignal<Segments>;

  constructor(
    readonly feed: Feed,
    readonly config: Config,
    clock: Clock,
  ) {
    this.store = config.store;
    this.clock = clock;
    const { store } = this;
    this.selection = computed(() => selectionOf(feed.held.value.cube));
    const reach = computed(() => {
      const { replay } = state.value;
      return replay === null ? null : clock.utc(replay.day * DAY + store.closes * 60);
    });
    this.view = computed(() => look(feed.held.value.cube, this.selection.value, store, reach.value));
    this.compared = computed(() => {
      const { cube } = feed.held.value;
      const selection = comparedOf(this.selection.value, cube);
      if (selection === null) return null;
      const { until } = this.selection.value;
      const end = reach.value === null || until === null || selection.until === null ? null : reach.value - until + selection.until;
      return look(cube, selection, store, end);
    });
    this.segments = this.#judged();
    this.thisHour = computed(() => thisHourOf(feed, this.selection.value));
    const locale = computed(() => state.value.locale || navigator.language);
    const currency = computed(() => state.value.currency || store.currency);
    const rate = computed(() => (state.value.currency ? state.value.rate : 1));
    this.format = computed(() => new Format(locale.value, currency.value, rate.value)); // dear: only where one changes
    const codes = { branch: store.branches, product_line: store.product_lines, customer_type: store.customer_types, payment: store.payments };
    let seen = 0;
    let known = knownIn(codes, []);
    this.options = computed(() => {
      const { combos } = feed.held.value.cube;
      if (combos.length !== seen) [seen, known] = [combos.length, knownIn(codes, combos)];
      return known;
    });
  }

  /** The segments, judged soon after another view is asked for, and about once a second while sales come in: judging them
   * takes longer than summing, and must not hold up the numbers. */
  #judged(): ReadonlySignal<Segments> {
    const judged = signal<Segments>({ parts: null, differ: null });
    let of: State | null = null;
    let planned: number | undefined;
    let soon = false;
    const judge = (): void => {
      planned = undefined;
      soon = false;
      of = state.peek();
      const parts = partsOf(this.feed.held.value.cube, this.selection.peek(), of.by);
      const chance = sameBaskets(parts);
      judged.value = { parts, differ: chance === null ? null : differ(chance) };
    };
    effect(() => {
      const changes = this.feed.held.value.cube.changes;
      if (state.value !== of && !soon) {
        clearTimeout(planned);
        soon = true;
        planned = window.setTimeout(judge, SOON_MS);
      } else if (planned === undefined && changes > 0) planned = window.setTimeout(judge, SEGMENTS_MS);
    });
    return judged;
  }

  branchColour(branch: string): string {
    const { series, accent } = colours.value;
    return series[Math.max(0, this.options.value.branch.indexOf(branch)) % series.length] ?? accent;
  }
}

function knownIn(codes: Record<Category, readonly string[]>, combos: readonly Record<Category, string>[]): Record<Category, string[]> {
  return Object.fromEntries(
    CATEGORIES.map((name) => [name, [...new Set([...codes[name], ...combos.map((combo) => combo[name])])].slice(0, MOST_OPTIONS)]),
  ) as Record<Category, string[]>;
}

function thisHourOf(feed: Feed, selection: Selection): ThisHour | null {
  const { cube } = feed.held.value;
  const { clock, newest } = cube;
  if (newest === null) return null;
  const last = Math.min(newest, (selection.until ?? Infinity) - 1);
  const to = clock.local(last) + 1;
  const from = to - 1 - ((to - 1) % 60);
  const ofAnyDay = { ...selection, weekday: EVERYTHING.weekday }; // the day before is another day of the week
  const sum = (since: number, until: number): Measures => sumOf(cube, { ...ofAnyDay, since, until });
  const yesterday = sum(clock.utc(from - DAY), clock.utc(to - DAY));
  return { from, to, now: sum(last + 1 - (to - from), last + 1), yesterday };
}
