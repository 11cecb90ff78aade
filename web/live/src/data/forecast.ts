/** What is forecast, as the API tells of it. The counterpart of `tidemark/forecasts.py`. */

import { askBeside } from "./api";
import type { Decision, Worth } from "./sales-model";

/** Items that a series will sell from `hour` of the store's clock to the next one; `low` to `high` holds 80 % of cases. */
export interface Forecast {
  series: string;
  hour: number;
  lead: number;
  mean: number;
  low: number;
  median: number;
  high: number;
}

/** An hour of today that is over: what was forecast when it began, and what was sold. */
export interface Past {
  forecast: Forecast;
  sold: number;
}

/** Days are `YYYY-MM-DD`: `day` that of the hours to come, `today` that of those that are over. */
export interface Forecasts {
  version: string;
  day: string;
  coming: Forecast[];
  today: string;
  past: Past[];
  unknown: string[];
}

/** What is forecast, or `why` nothing is. */
export interface Outlook {
  forecasts: Forecasts | null;
  why: string | null;
  worth: Worth[];
}

export interface Forecasting {
  at: number | null;
  outlook: Outlook | null;
  decisions: Decision[];
}

/** An hour of one series; `sold` is null while it is not over. */
export interface Hour {
  day: string;
  forecast: Forecast;
  sold: number | null;
}

/** The series of everything that the store sells. */
export const ALL = "all";

export const forecasting = (): Promise<Forecasting> => askBeside<Forecasting>("/v1/forecast");

/** The series that are forecast, that of all first. */
export function seriesOf({ coming, past }: Forecasts): string[] {
  const names = new Set([...coming, ...past.map(({ forecast }) => forecast)].map(({ series }) => series));
  return [...names].sort((a, b) => Number(b === ALL) - Number(a === ALL) || (a < b ? -1 : 1));
}

/** The hours of a series in their order: those that are over, and those to come. */
export function hoursOf({ day, coming, today, past }: Forecasts, series: string): Hour[] {
  const over = past.map(({ forecast, sold }): Hour => ({ day: today, forecast, sold }));
  const ahead = coming.map((forecast): Hour => ({ day, forecast, sold: null }));
  return [over, ahead].flatMap((hours) => hours.filter(({ forecast }) => forecast.series === series).sort((a, b) => a.forecast.hour - b.forecast.hour));
}

/** The series that filters by branch and product line mean: the only one that passes them, or that of all. */
export function filtered(series: string[], branches: string[], lines: string[]): string {
  const passes = (chosen: string[], name: string | undefined): boolean => chosen.length === 0 || chosen.includes(name ?? "");
  const found = series.filter((name) => {
    const [branch, line] = name.split(" · ");
    return name !== ALL && passes(branches, branch) && passes(lines, line);
  });
  return branches.length + lines.length > 0 && found.length === 1 ? (found[0] ?? ALL) : ALL;
}

/** Of the hours that are over: how many there are, what was sold and forecast, and how many sold within their interval. */
export function account(hours: Hour[]): { hours: number; sold: number; mean: number; within: number } {
  const total = { hours: 0, sold: 0, mean: 0, within: 0 };
  for (const { sold, forecast } of hours) {
    if (sold === null) continue;
    total.hours += 1;
    total.sold += sold;
    total.mean += forecast.mean;
    total.within += Number(sold >= forecast.low && sold <= forecast.high);
  }
  return total;
}
