// @vitest-environment happy-dom
import { beforeAll, describe, expect, it } from "vitest";
import type * as StateModule from "../src/state/state";

let page: typeof StateModule;
beforeAll(async () => {
  page = await import("../src/state/state");
});

describe("the address holds the whole state", () => {
  it("is empty of a plain page", () => {
    expect(page.toQuery(page.DEFAULTS)).toBe("");
    expect(page.fromQuery("")).toEqual(page.DEFAULTS);
  });

  it("gives back what was put in", () => {
    const states: Partial<StateModule.State>[] = [
      { branch: ["A", "Ünï & <b>"], product_line: ["Food and beverages"], customer_type: ["Member"], payment: ["Cash"] },
      { weekday: [0, 6], hour: [10, 23], days: 7 },
      { from: 25_771_800, to: 25_772_000, show: "rating", compare: "branch:B", by: "payment", forecast: "A · Food and beverages" },
      { tiles: ["stock", "time"], kpis: ["net"], locale: "de-DE", currency: "EUR", rate: 0.91, kiosk: true },
      { open: "sales:1-2", replay: { day: 17_963, minute: 840, speed: 60 } },
      { open: "sale:a:b=c&d" },
    ];
    for (const part of states) {
      const state = { ...page.DEFAULTS, ...part };
      expect(page.fromQuery(page.toQuery(state))).toEqual(state);
    }
  });

  it("leaves aside what makes no sense", () => {
    const wrong = "days=3&weekday=7,x&hour=24&from=yesterday&tiles=none&kpis=&show=x&compare=x&by=x&locale=!&currency=usd@1&open=x&replay=1";
    expect(page.fromQuery(wrong)).toEqual(page.DEFAULTS);
    const hostile = "kpis=toString&tiles=constructor&show=valueOf&open=sales:99999999999999-9&from=0001-01-01&to=9999-01-01";
    expect(page.fromQuery(hostile)).toEqual(page.DEFAULTS);
  });
});
