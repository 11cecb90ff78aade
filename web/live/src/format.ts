/** How numbers and times are written: in the page's language and currency. */

import type { Metric } from "./data/metrics";

const UNITS = 10_000;

/** What the page writes with; money is the store's, or another currency at a rate that the user gave. */
export class Format {
  readonly #whole: Intl.NumberFormat;
  readonly #exact: Intl.NumberFormat;
  readonly #cents: Intl.NumberFormat;
  readonly #short: Intl.NumberFormat;
  readonly #axis: Intl.NumberFormat;
  readonly #share: Intl.NumberFormat;
  /** by decimal places */
  readonly #fixed: Intl.NumberFormat[] = [];
  readonly #day: Intl.DateTimeFormat;
  readonly #fullDay: Intl.DateTimeFormat;
  readonly #dayOfYear: Intl.DateTimeFormat;
  readonly #weekday: Intl.DateTimeFormat;
  readonly #time: Intl.DateTimeFormat;
  readonly #plural: Intl.PluralRules;

  constructor(
    readonly locale: string,
    readonly currency: string,
    readonly rate: number,
  ) {
    const number = (options: Intl.NumberFormatOptions): Intl.NumberFormat => new Intl.NumberFormat(locale, options);
    const money = { style: "currency", currency, currencyDisplay: "narrowSymbol" } as const;
    const time = (options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat =>
      new Intl.DateTimeFormat(locale, { ...options, timeZone: "UTC" });
    this.#whole = number({ maximumFractionDigits: 0 });
    this.#exact = number({ maximumFractionDigits: 6 });
    this.#cents = number(money);
    this.#short = number({ ...money, notation: "compact", minimumSignificantDigits: 3, maximumSignificantDigits: 3 });
    this.#axis = number({ ...money, notation: "compact", maximumSignificantDigits: 3 });
    this.#share = number({ style: "percent", maximumFractionDigits: 1, minimumFractionDigits: 1 });
    this.#day = time({ day: "numeric", month: "short" });
    this.#fullDay = time({ weekday: "short", day: "numeric", month: "short", year: "numeric" });
    this.#dayOfYear = time({ day: "numeric", month: "short", year: "numeric" });
    this.#weekday = time({ weekday: "short" });
    this.#time = time({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
    this.#plural = new Intl.PluralRules("en");
  }

  count = (value: number): string => this.#whole.format(value);

  /** A count with its noun, whose plural is regular. */
  counted = (value: number, noun: string): string =>
    `${this.count(value)} ${noun}${this.#plural.select(value) === "one" ? "" : "s"}`;

  /** A decimal string with its digits grouped and none of them dropped. */
  digits = (decimal: string): string => this.#exact.format(decimal as unknown as number);

  fixed = (value: number, places: number): string => {
    const format = (this.#fixed[places] ??= new Intl.NumberFormat(this.locale, {
      minimumFractionDigits: places,
      maximumFractionDigits: places,
    }));
    return format.format(value);
  };

  percent = (share: number): string => this.#share.format(share);

  /** A share that something has changed by, with its sign. */
  change = (share: number): string => `${share > 0 ? "+" : share < 0 ? "−" : "±"}${this.#share.format(Math.abs(share))}`;

  /** A decimal string in the store's currency, to the cent. */
  cents = (decimal: string): string => this.#cents.format(Number(decimal) * this.rate);

  /** Units of 1/10,000, to the cent. */
  money = (units: number): string => this.#cents.format((units / UNITS) * this.rate);

  /** A metric's value in full; a dash where there is none. */
  value = (metric: Metric, value: number | null): string => {
    if (value === null) return "–";
    if (metric.kind === "money") return this.money(value);
    return metric.kind === "rating" ? this.fixed(value / UNITS, 2) : this.count(value);
  };

  /** A metric's value in three digits, for marks. */
  short = (metric: Metric, value: number | null): string => {
    if (value === null) return "–";
    if (metric.kind === "money") return Math.abs(value) < 100 * UNITS ? this.money(value) : this.#short.format((value / UNITS) * this.rate);
    return metric.kind === "rating" ? this.fixed(value / UNITS, 2) : this.count(value);
  };

  /** A metric's round value, on an axis. */
  axis = (metric: Metric, value: number): string => {
    if (metric.kind === "money") return this.#axis.format((value / UNITS) * this.rate);
    return metric.kind === "rating" ? this.digits(String(value / UNITS)) : this.count(value);
  };

  /** A store's minute as its clock shows it. */
  day = (minute: number): string => this.#day.format(minute * 60_000);
  fullDay = (minute: number): string => this.#fullDay.format(minute * 60_000);
  clock = (minute: number): string => this.#time.format(minute * 60_000);
  moment = (minute: number): string => `${this.day(minute)} ${this.clock(minute)}`;
  /** 0 is Monday. */
  weekday = (day: number): string => this.#weekday.format((4 + day) * 86_400_000);

  /** Two days (YYYY-MM-DD) as a range. */
  period = (first: string, last: string): string => {
    const [from, to] = [Date.parse(first) / 60_000, Date.parse(last) / 60_000];
    return first === last ? this.fullDay(from) : this.#dayOfYear.formatRange(from * 60_000, to * 60_000);
  };
}

export function ago(seconds: number): string {
  if (seconds < 1.5) return "just now";
  if (seconds < 90) return `${Math.round(seconds)} s ago`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min ago`;
  return `${Math.round(seconds / 3600)} h ago`;
}
