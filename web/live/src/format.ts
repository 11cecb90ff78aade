/** How numbers and times are written. */

const LOCALE = "en";
const units = 10_000;

const whole = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 0 });
const exact = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 6 });

export const count = (value: number): string => whole.format(value);

export class Money {
  readonly #cents: Intl.NumberFormat;
  readonly #short: Intl.NumberFormat;
  readonly #round: Intl.NumberFormat;

  constructor(currency: string) {
    const style = { style: "currency", currency, currencyDisplay: "narrowSymbol" } as const;
    this.#cents = new Intl.NumberFormat(LOCALE, style);
    this.#short = new Intl.NumberFormat(LOCALE, { ...style, notation: "compact", minimumSignificantDigits: 3, maximumSignificantDigits: 3 });
    this.#round = new Intl.NumberFormat(LOCALE, { ...style, notation: "compact", maximumSignificantDigits: 3 });
  }

  /** Units of 1/10,000 of a round number, on an axis. */
  round = (value: number): string => this.#round.format(value / units);

  /** A decimal string, to the cent. */
  cents = (decimal: string): string => this.#cents.format(Number(decimal));

  /** Units of 1/10,000, to the cent. */
  fromUnits = (value: number): string => this.#cents.format(value / units);

  /** Units of 1/10,000, in three digits. */
  short = (value: number): string => this.#short.format(value / units);
}

/** A decimal string with its digits grouped and none of them dropped. */
export const digits = (decimal: string): string => exact.format(decimal as unknown as number);

export const fixed = (value: number, places: number): string =>
  value.toLocaleString(LOCALE, { minimumFractionDigits: places, maximumFractionDigits: places });

export const percent = (share: number): string =>
  share.toLocaleString(LOCALE, { style: "percent", maximumFractionDigits: 1, minimumFractionDigits: 1 });

/** A store's minute as the store's clock shows it. */
const utc = (options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat =>
  new Intl.DateTimeFormat("en-GB", { ...options, timeZone: "UTC", hourCycle: "h23" });
const dayFormat = utc({ day: "numeric", month: "short" });
const dayYear = utc({ weekday: "short", day: "numeric", month: "short", year: "numeric" });
const dayMonthYear = utc({ day: "numeric", month: "short", year: "numeric" });
const time = utc({ hour: "2-digit", minute: "2-digit" });

export const day = (minute: number): string => dayFormat.format(minute * 60_000);
export const fullDay = (minute: number): string => dayYear.format(minute * 60_000);
export const clock = (minute: number): string => time.format(minute * 60_000);

/** Two days (YYYY-MM-DD) as a range. */
export function period(first: string, last: string): string {
  const [from, to] = [Date.parse(first) / 60_000, Date.parse(last) / 60_000];
  return first === last ? fullDay(from) : `${day(from)} to ${dayMonthYear.format(to * 60_000)}`;
}

export function ago(seconds: number): string {
  if (seconds < 1.5) return "just now";
  if (seconds < 90) return `${Math.round(seconds)} s ago`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min ago`;
  return `${Math.round(seconds / 3600)} h ago`;
}

/** The q-th quantile of unordered numbers; null of none. */
export function quantile(values: number[], q: number): number | null {
  const ordered = [...values].sort((a, b) => a - b);
  return ordered[Math.min(ordered.length - 1, Math.floor(q * ordered.length))] ?? null;
}
