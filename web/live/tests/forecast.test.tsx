// @vitest-environment happy-dom
import { render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ticks } from "../src/charts/by-hour";
import { account, ALL, filtered, type Forecast, type Forecasting, type Forecasts, hoursOf, seriesOf } from "../src/data/forecast";
import { Clock } from "../src/data/store";
import { Format } from "../src/format";
import { now } from "../src/parts/ago";
import type { Asked } from "../src/state/repeated";
import { change, DEFAULTS, state, toQuery } from "../src/state/state";
import { Against, sides } from "../src/tiles/forecast";

const NOW = Date.UTC(2026, 10, 28, 14, 10);
const writes = { format: new Format("en-US", "USD", 1), clock: new Clock("UTC") };
const [FOOD, HEALTH] = ["A · Food and beverages", "A · Health and beauty"];

const hour = (at: number, lead = 1, series = ALL, mean = 6.1): Forecast => ({ series, hour: at, lead, mean, low: 0.9, median: 5.5, high: 12.4 });
const FORECASTS: Forecasts = {
  version: "demand-1", day: "2026-11-28", today: "2026-11-28", unknown: [],
  coming: [hour(15, 2), hour(14), hour(14, 1, HEALTH, 0.31), hour(14, 1, FOOD, 0.4)],
  past: [{ forecast: hour(13), sold: 7 }, { forecast: hour(12), sold: 15 }, { forecast: hour(13, 1, FOOD, 0.4), sold: 1 }],
};
const answer = (forecasts: Forecasts | null, why: string | null = null): Forecasting => ({
  at: NOW - 120_000, decisions: [],
  outlook: { forecasts, why, worth: forecasts === null ? [] : [{ part: "Demand", better: false, words: "no better than the mean" }] },
});
const NEXT_DAY: Forecasts = { ...FORECASTS, day: "2026-11-30", coming: [hour(10), hour(11, 2)] };

beforeEach(() => {
  vi.useFakeTimers({ now: NOW });
  now.value = NOW;
  change(DEFAULTS);
});
afterEach(() => {
  vi.useRealTimers();
  render(null, document.body);
});

function drawn(found: Forecasting | null, asked: Partial<Asked<Forecasting>> = {}): HTMLElement {
  render(<Against asked={{ found, at: found === null ? null : NOW, problem: null, ...asked }} {...writes} />, document.body);
  return document.body;
}
const text = (selector: string): string => document.querySelector(selector)?.textContent ?? "";
const lines = (selector: string): string[] => [...document.querySelectorAll(selector)].map(({ textContent }) => textContent);

describe("what is forecast", () => {
  it("has its series in order, that of all first, and the hours of one as the day goes", () => {
    expect(seriesOf(FORECASTS)).toEqual([ALL, FOOD, HEALTH]);
    expect(hoursOf(FORECASTS, ALL).map(({ forecast, sold }) => [forecast.hour, sold])).toEqual([[12, 15], [13, 7], [14, null], [15, null]]);
    expect(hoursOf(NEXT_DAY, ALL).map(({ day, forecast }) => `${day} ${forecast.hour}`)).toEqual(["2026-11-28 12", "2026-11-28 13", "2026-11-30 10", "2026-11-30 11"]);
  });

  it("is that of the only series that passes the filters, or of all", () => {
    const series = [ALL, FOOD, HEALTH, "B · Health and beauty"];
    expect(filtered(series, ["A"], ["Health and beauty"])).toBe(HEALTH);
    expect(filtered(series, ["B"], [])).toBe("B · Health and beauty");
    for (const [branches, product] of [[[], []], [["A"], []], [[], ["Health and beauty"]], [["C"], []]] as const) {
      expect(filtered(series, [...branches], [...product])).toBe(ALL);
    }
    expect([filtered([ALL, FOOD], [], []), filtered([ALL, FOOD], ["A"], [])]).toEqual([ALL, FOOD]);
  });

  it("is set against what was sold in the hours that are over alone", () => {
    expect(account(hoursOf(FORECASTS, ALL))).toEqual({ hours: 2, sold: 22, mean: 12.2, within: 1 });
    expect(account([])).toEqual({ hours: 0, sold: 0, mean: 0, within: 0 });
  });

  it("stands on an axis of round values from zero", () => {
    expect([ticks(12.4), ticks(0.4), ticks(3), ticks(0), ticks(430)]).toEqual([[0, 5, 10, 15], [0, 1], [0, 1, 2, 3], [0, 1], [0, 200, 400, 600]]);
  });
});

describe("the line between the hours that are over and those to come", () => {
  const said = (forecasts: Forecasts): string => Object.values(sides(forecasts, hoursOf(forecasts, ALL), writes)).join("|");

  it("is now only while the first hour to come is not over", () => {
    expect(said(FORECASTS)).toBe("|now");
    vi.setSystemTime(NOW + 3_600_000);
    expect(said(FORECASTS)).toBe("newest sales|");
    vi.setSystemTime(NOW + 86_400_000);
    expect(said(FORECASTS)).toBe("newest sales|");
  });

  it("names both days where the hours to come are another day's", () => {
    expect(said(NEXT_DAY)).toBe("Today|Mon Nov 30");
    expect(said({ ...NEXT_DAY, past: [] })).toBe("|Mon Nov 30");
    expect(said({ ...NEXT_DAY, day: "2027-01-02" })).toBe("Today|Sat, Jan 2, 2027");
  });
});

describe("the tile of the forecast", () => {
  it("says what the next hour will sell, how right today was, and what that is worth", () => {
    drawn(answer(FORECASTS));
    expect(text(".number")).toBe("About 6 items");
    expect(lines(".who > p").slice(1)).toEqual(["14:00 to 15:00; 1 to 12 in 8 of 10 cases", "Today: 22 sold, 12 forecast; 1 of 2 hours within the band", "Forecast 2 min ago"]);
    expect(lines(".who li")).toEqual(["Demand: no better than the mean"]);
  });

  it("says which day where it is not today's", () => {
    drawn(answer(NEXT_DAY));
    expect(lines(".who > p")[1]).toBe("Mon Nov 30, 10:00 to 11:00; 1 to 12 in 8 of 10 cases");
    expect(lines("tbody th")).toEqual(["12:00", "13:00", "Mon Nov 30, 10:00", "Mon Nov 30, 11:00"]);
  });

  it("draws a dot for each hour that is over, and a band over all", () => {
    drawn(answer(FORECASTS));
    expect(document.querySelector(".dots")?.getAttribute("d")).toBe("M0.5 0h0M1.5 53.33h0");
    expect(lines(".names li")).toEqual(["12", "13", "14", "15"]);
    expect([...document.querySelectorAll(".band")].map((band) => band.getAttribute("d"))).toEqual([
      "M0 17.33H1V17.33H2V94H1V94H0z",
      "M2 17.33H3V17.33H4V94H3V94H2z",
    ]);
  });

  it("tells each hour to the arrow keys, and as a table", async () => {
    drawn(answer(FORECASTS));
    const field = document.querySelector<HTMLElement>("[role=slider]");
    const press = (key: string): unknown => act(() => { field?.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true })); });
    expect(field?.getAttribute("aria-valuetext")).toBe("14:00 to 15:00: forecast 6.1, in 8 of 10 cases 0.9 to 12.4");
    await press("ArrowLeft");
    expect(text(".says")).toBe("13:00 to 14:00: 7 items sold, forecast 6.1, in 8 of 10 cases 0.9 to 12.4");
    await press("Home");
    expect(field?.getAttribute("aria-valuenow")).toBe("0");
    await press("Escape");
    expect(text(".says")).toContain("Dots: sold");
    expect(lines("tbody tr")).toEqual(["12:00156.10.9 to 12.4", "13:0076.10.9 to 12.4", "14:00–6.10.9 to 12.4", "15:00–6.10.9 to 12.4"]);
  });

  it("keeps the choice of a series in the address, and follows the filters without one", async () => {
    change({ branch: ["A"], product_line: ["Health and beauty"] });
    drawn(answer(FORECASTS));
    const select = document.querySelector("select") as HTMLSelectElement;
    expect([select.value, text(".number")]).toEqual([HEALTH, "About 0.3 items"]);
    const choose = (value: string): unknown => act(() => { select.value = value; select.dispatchEvent(new Event("change", { bubbles: true })); });
    await choose(ALL);
    expect(toQuery(state.value)).toContain("forecast=all");
    await choose(HEALTH);
    expect(toQuery(state.value)).not.toContain("forecast");
    change({ forecast: "Z · Nothing" });
    drawn(answer(FORECASTS));
    expect(select.value).toBe(HEALTH);
  });

  it("names what is not forecast", () => {
    drawn(answer({ ...FORECASTS, unknown: ["D · Toys", "D · Tools"] }));
    expect(lines(".who .faint")).toEqual(["Forecast 2 min ago; 2 series not learnt"]);
    expect(text("details")).toContain("Not forecast, since the model has not learnt them: D · Toys; D · Tools.");
  });

  it("says why nothing is forecast, and before the first watch what would fill it", () => {
    drawn(answer(null, "27 trading days are too few to forecast from: 28 are needed"));
    expect([text(".number"), text(".empty")]).toEqual(["No forecast", "27 trading days are too few to forecast from: 28 are needed."]);
    drawn({ at: null, outlook: null, decisions: [] });
    expect([text(".number"), text(".empty").slice(0, 59)]).toEqual(["No forecast yet", "There is no forecast yet: the part flows makes one every tw"]);
    expect(document.querySelector("details, select, svg")).toBeNull();
    drawn(answer({ ...FORECASTS, coming: [], past: [], unknown: [FOOD] }));
    expect(text(".empty")).toBe("The model has not learnt what sells today.");
  });

  it("keeps what is there when nobody answers, and says how old it is", () => {
    drawn(answer(FORECASTS), { at: NOW - 240_000, problem: "the API does not answer" });
    expect(text(".says")).toBe("As it was 4 min ago. The API does not answer. Asked again each minute.");
    expect(text(".number")).toBe("About 6 items");
    drawn(null);
    expect([text(".says"), text(".number")]).toEqual(["Asking what is forecast", "–"]);
  });
});
