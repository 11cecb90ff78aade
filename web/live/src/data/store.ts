/** The store and its clock. The counterpart of `tidemark/store.py`. */

export interface Store {
  zone: string;
  currency: string;
  opens: number;
  closes: number;
  stock_at_cost: number;
  branches: string[];
  product_lines: string[];
  customer_types: string[];
  payments: string[];
}

export const DAY = 1440;

export class Clock {
  readonly #format: Intl.DateTimeFormat | null;
  readonly #offsets = new Map<number, number>();

  constructor(zone: string) {
    this.#format =
      zone === "UTC"
        ? null
        : new Intl.DateTimeFormat("en-GB", {
            timeZone: zone, hourCycle: "h23", year: "numeric", month: "numeric", day: "numeric", hour: "numeric",
            minute: "numeric",
          });
  }

  /** The minute since 1970 that the store's own clock shows at a UTC minute. */
  local(minute: number): number {
    if (this.#format === null) return minute;
    const hour = Math.floor(minute / 60);
    let offset = this.#offsets.get(hour);
    if (offset === undefined) {
      const part: Record<string, number> = {};
      for (const { type, value } of this.#format.formatToParts(hour * 3_600_000)) part[type] = Number(value);
      const { year = 0, month = 1, day = 1, hour: h = 0, minute: m = 0 } = part;
      offset = Date.UTC(year, month - 1, day, h, m) / 60_000 - hour * 60;
      this.#offsets.set(hour, offset);
    }
    return minute + offset;
  }

  day(minute: number): number {
    return Math.floor(this.local(minute) / DAY);
  }

  /** The UTC minute at which the store's clock shows a minute for the first time, or has just leapt over it. */
  utc(local: number): number {
    const [before, after] = [local - DAY, local + DAY].map((minute) => local - (this.local(minute) - minute)) as [number, number];
    const first = Math.min(before, after);
    return this.local(first) === local ? first : Math.max(before, after);
  }

  /** Minutes that divide both UTC's hours and the store's. */
  spanMinutes(): number {
    const offsets = [0, 4380].map((hour) => Math.abs(this.local(OFFSET_SAMPLE + hour * 60) - (OFFSET_SAMPLE + hour * 60)));
    return offsets.every((offset) => offset % 60 === 0) ? 60 : offsets.every((offset) => offset % 30 === 0) ? 30 : 15;
  }
}

const OFFSET_SAMPLE = 25_771_680; // 2019-01-01T00:00Z

/** 0 is Monday. */
export const weekday = (day: number): number => (((day + 3) % 7) + 7) % 7; // day 0 was a Thursday

export const dayName = (day: number): string => new Date(day * 86_400_000).toISOString().slice(0, 10);
