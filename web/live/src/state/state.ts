/** What this page shows and how: all of it in the address, so that a view can be sent to somebody. */

import { computed, signal } from "@preact/signals";
import type { Cube } from "../data/cube";
import type { MetricName } from "../data/metrics";
import { METRICS } from "../data/metrics";
import { CATEGORIES, type Category, EVERYTHING, type Selection } from "../data/select";
import { DAY } from "../data/store";

export const TILES = {
  time: "Over time",
  anomalies: "Needs a look",
  branches: "Branches",
  segments: "Segments",
  lines: "Product lines",
  payments: "Payment and customer",
  hours: "Hour of the day",
  weekdays: "Day of the week",
  ratings: "Ratings",
  stock: "Stock",
  forecast: "Forecast",
  model: "Model",
} as const;
export type TileName = keyof typeof TILES;

export const KPIS = {
  sales: "Total sales",
  tickets: "Tickets",
  average: "Average transaction",
  items_per_hour: "Items per hour",
  turnover: "Inventory turnover",
  items: "Items",
  net: "Net sales",
  cogs: "Cost of goods",
  rating: "Rating",
  returns: "Returns",
  anomalies: "Unusual sales",
} as const;
export type KpiName = keyof typeof KPIS;

/** How far back from the newest sale, in days; null is all. */
export const RANGES: { label: string; days: number | null }[] = [
  { label: "All time", days: null },
  { label: "30 days", days: 30 },
  { label: "7 days", days: 7 },
  { label: "1 day", days: 1 },
];

/** A day that is played again: what had been sold by `minute` of it. */
export interface Replay {
  /** the store's day since 1970 */
  day: number;
  minute: number;
  /** store's minutes a second; 0 stands still */
  speed: number;
}

export type CompareWith = "" | "before" | "week" | `branch:${string}`;

export interface State {
  branch: string[];
  product_line: string[];
  customer_type: string[];
  payment: string[];
  weekday: number[];
  hour: number[];
  days: number | null;
  /** UTC minutes; a range of one's own, instead of `days` */
  from: number | null;
  to: number | null;
  show: MetricName;
  compare: CompareWith;
  by: Category;
  /** the series whose forecast is shown; empty is the one that the filters mean */
  forecast: string;
  tiles: TileName[];
  kpis: KpiName[];
  locale: string;
  /** shown in this currency, at so many of it for one of the store's */
  currency: string;
  rate: number;
  kiosk: boolean;
  /** what is drilled into: `hours`, `sales:FROM-TO` in UTC minutes, `sale:ID` */
  open: string;
  replay: Replay | null;
}

export const DEFAULTS: State = {
  branch: [], product_line: [], customer_type: [], payment: [], weekday: [], hour: [], days: null, from: null, to: null,
  show: "sales", compare: "", by: "customer_type", forecast: "", tiles: Object.keys(TILES) as TileName[],
  kpis: ["sales", "tickets", "average", "items_per_hour", "turnover"], locale: "", currency: "", rate: 1, kiosk: false, open: "",
  replay: null,
};

const iso = (minute: number): string => new Date(minute * 60_000).toISOString().slice(0, 16);

/** The query that says how a state differs from a plain page. */
export function toQuery(state: State): string {
  const query = new URLSearchParams();
  for (const name of CATEGORIES) for (const value of state[name]) query.append(name, value);
  for (const name of ["weekday", "hour"] as const) if (state[name].length > 0) query.set(name, state[name].join(","));
  if (state.days !== null) query.set("days", String(state.days));
  if (state.from !== null) query.set("from", iso(state.from));
  if (state.to !== null) query.set("to", iso(state.to));
  for (const name of ["tiles", "kpis"] as const) {
    if (state[name].join() !== DEFAULTS[name].join()) query.set(name, state[name].join(","));
  }
  for (const name of ["show", "compare", "by", "forecast", "locale", "open"] as const) {
    if (state[name] !== DEFAULTS[name]) query.set(name, state[name]);
  }
  if (state.currency !== "" && state.rate !== 1) query.set("currency", `${state.currency}@${state.rate}`);
  if (state.kiosk) query.set("kiosk", "1");
  if (state.replay !== null) query.set("replay", `${state.replay.day}.${Math.floor(state.replay.minute)}.${state.replay.speed}`);
  return query.toString();
}

const numbers = (text: string | null, below: number): number[] =>
  [...new Set((text ?? "").split(",").filter((word) => /^\d+$/.test(word)).map(Number))].filter((value) => value < below);

function among<T extends string>(names: Record<T, unknown>, text: string | null, otherwise: T[]): T[] {
  if (text === null) return otherwise;
  const found = [...new Set(text.split(","))].filter((name): name is T => Object.hasOwn(names, name));
  return found.length > 0 ? found : otherwise;
}

const LATEST = Date.UTC(2100);

function minuteOf(text: string | null): number | null {
  const [, day, time = "T00:00"] = /^(\d{4}-\d\d-\d\d)(T\d\d:\d\d)?$/.exec(text ?? "") ?? [];
  const parsed = Date.parse(`${day ?? ""}${time}Z`);
  return parsed >= 0 && parsed < LATEST ? Math.floor(parsed / 60_000) : null;
}

function replayOf(text: string | null): Replay | null {
  const [, day, minute, speed] = /^(\d{1,6})\.(\d{1,4})\.(\d{1,4})$/.exec(text ?? "") ?? [];
  return day === undefined ? null : { day: Number(day), minute: Math.min(DAY, Number(minute)), speed: Number(speed) };
}

function localeOf(text: string | null): string {
  try {
    return text === null ? "" : (Intl.getCanonicalLocales(text)[0] ?? "");
  } catch {
    return "";
  }
}

/** The state that a query describes; whatever in it makes no sense is left aside. */
export function fromQuery(text: string): State {
  const query = new URLSearchParams(text);
  const days = Number(query.get("days"));
  const [, currency = "", rate = "1"] = /^([A-Z]{3})@(\d{1,9}(?:\.\d{1,9})?)$/.exec(query.get("currency") ?? "") ?? [];
  const show = query.get("show") ?? "";
  const compare = query.get("compare") ?? "";
  const by = query.get("by") ?? "";
  const chosen = Object.fromEntries(CATEGORIES.map((name) => [name, [...new Set(query.getAll(name))]])) as Record<Category, string[]>;
  return {
    ...DEFAULTS,
    ...chosen,
    weekday: numbers(query.get("weekday"), 7),
    hour: numbers(query.get("hour"), 24),
    days: RANGES.some((range) => range.days === days) ? days : null,
    from: minuteOf(query.get("from")),
    to: minuteOf(query.get("to")),
    show: Object.hasOwn(METRICS, show) ? (show as MetricName) : DEFAULTS.show,
    compare: /^(before|week|branch:.+)$/.test(compare) ? (compare as CompareWith) : "",
    by: (CATEGORIES as readonly string[]).includes(by) ? (by as Category) : DEFAULTS.by,
    forecast: query.get("forecast") ?? DEFAULTS.forecast,
    tiles: among(TILES, query.get("tiles"), DEFAULTS.tiles),
    kpis: among(KPIS, query.get("kpis"), DEFAULTS.kpis),
    locale: localeOf(query.get("locale")),
    currency: Number(rate) > 0 ? currency : "",
    rate: Number(rate) > 0 ? Number(rate) : 1,
    kiosk: query.get("kiosk") === "1",
    open: /^(hours|sales:\d{1,9}-\d{1,9}|sale:.+)$/.test(query.get("open") ?? "") ? (query.get("open") ?? "") : "",
    replay: replayOf(query.get("replay")),
  };
}

export const state = signal<State>(fromQuery(location.search));

const address = (): string => {
  const text = toQuery(state.value);
  return text ? `?${text}` : location.pathname;
};

/** Changes the state. The browser's way back leads to what was before, unless the change goes on (a replay, a slider). */
export function change(part: Partial<State>, goesOn = false): void {
  const before = address();
  state.value = { ...state.value, ...part };
  if (goesOn) return;
  if (address() !== before) history.pushState(null, "", address());
}

/** Writes the address of a state that went on changing. */
export function settle(): void {
  history.replaceState(null, "", address());
}

addEventListener("popstate", () => {
  state.value = fromQuery(location.search);
});

// -- filters

export type TimeFilter = "weekday" | "hour";

export function toggle(name: Category, value: string): void {
  const held = state.value[name];
  change({ [name]: held.includes(value) ? held.filter((one) => one !== value) : [...held, value] });
}

export function toggleTime(name: TimeFilter, value: number): void {
  const held = state.value[name];
  change({ [name]: held.includes(value) ? held.filter((one) => one !== value) : [...held, value].sort((a, b) => a - b) });
}

export function setDays(days: number | null): void {
  change({ days, from: null, to: null });
}

export function setRange(from: number, to: number): void {
  change({ from, to, days: null });
}

export function clearFilters(): void {
  change({ branch: [], product_line: [], customer_type: [], payment: [], weekday: [], hour: [], days: null, from: null, to: null });
}

export const anyFilter = computed(() => {
  const { days, from, to, weekday, hour } = state.value;
  const timed = days !== null || from !== null || to !== null || weekday.length + hour.length > 0;
  return timed || CATEGORIES.some((name) => state.value[name].length > 0);
});

type Filters = Pick<Selection, Category | TimeFilter>;

export const setsOf = ({ branch, product_line, customer_type, payment, weekday, hour }: State): Filters => ({
  branch: new Set(branch), product_line: new Set(product_line), customer_type: new Set(customer_type),
  payment: new Set(payment), weekday: new Set(weekday), hour: new Set(hour),
});

const sets = computed(() => setsOf(state.value));

/** The selected sales. */
export function selectionOf(cube: Cube): Selection {
  const { days, from, to, replay } = state.value;
  if (replay !== null) {
    const begin = replay.day * DAY;
    const { clock } = cube;
    return { ...EVERYTHING, ...sets.value, since: clock.utc(begin), until: clock.utc(begin + Math.floor(replay.minute)) };
  }
  const back = days === null || cube.newest === null ? null : cube.newest - days * DAY + 1;
  return { ...EVERYTHING, ...sets.value, since: back ?? from, until: days === null ? to : null };
}

/** What the selected sales are compared with, in words. */
export const comparedName = computed(() => {
  const { compare } = state.value;
  if (compare.startsWith("branch:")) return `branch ${compare.slice("branch:".length)}`;
  return compare === "week" ? "a week earlier" : "the time before";
});

/** The sales that the selected ones are compared with; null where nothing is, or can be: all time has no time before. */
export function comparedOf(selection: Selection, cube: Cube): Selection | null {
  const { compare } = state.value;
  if (compare.startsWith("branch:")) return { ...selection, branch: new Set([compare.slice("branch:".length)]) };
  if (compare === "" || selection.since === null || cube.newest === null) return null;
  const until = selection.until ?? cube.newest + 1;
  const back = compare === "week" ? 7 * DAY : until - selection.since;
  const earlier = (minute: number): number => cube.clock.utc(cube.clock.local(minute) - back);
  return { ...selection, since: earlier(selection.since), until: earlier(until) };
}
