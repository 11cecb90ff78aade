// @vitest-environment happy-dom
import { render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ApiError } from "../src/data/api";
import { type Champion, type Finding, type SalesModel, type Seen, sendVerdict, standing } from "../src/data/sales-model";
import { Clock } from "../src/data/store";
import { Format } from "../src/format";
import { now } from "../src/parts/ago";
import { SayVerdict } from "../src/parts/verdict";
import { type Asked, Repeated } from "../src/state/repeated";
import { serves, Standing } from "../src/tiles/model";

const NOW = Date.UTC(2026, 10, 28, 12);
const writes = { format: new Format("en-US", "USD", 1), clock: new Clock("UTC") };

const finding = (name: string, status: Finding["status"] = "ok", words = `${name} as it was.`): Finding => ({ name, title: name, status, words });
const CHAMPION: Champion = { fingerprint: "e11995c83da516eb", algorithm: "keras", version: "3", at: NOW - 3_600_000 };
const SEEN: Seen = {
  model: "sales-1", fingerprint: CHAMPION.fingerprint, sales: 1000, first: "2026-11-28T08:12:00+00:00", last: "2026-11-28T09:58:00+00:00",
  status: "ok", findings: [finding("scores"), finding("features"), finding("alarms")],
  worth: [
    { part: "Anomaly score", better: true, words: "better than an isolation forest" },
    { part: "Basket value", better: false, words: "no better than constant quantiles" },
  ],
  training: "nothing calls for a training",
};
const MODEL: SalesModel = {
  champion: CHAMPION, shadow: null, at: NOW - 120_000, seen: SEEN,
  decisions: [{ at: NOW - 3_600_000, reason: "promoted: better than the champion" }],
};
const NOT_YET: SalesModel = { champion: null, shadow: null, at: null, seen: null, decisions: [] };
const FEW: Seen = { ...SEEN, sales: 7, findings: [finding("features", "ok", "7 of the newest sales were scored by sales-1: too few to say.")] };

beforeEach(() => {
  vi.useFakeTimers({ now: NOW });
  now.value = NOW;
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  render(null, document.body);
});

/** What the tile says, line by line. */
function drawn(found: SalesModel | null, asked: Partial<Asked<SalesModel>> = {}): HTMLElement {
  render(<Standing asked={{ found, at: found === null ? null : NOW, problem: null, ...asked }} {...writes} />, document.body);
  return document.body;
}
const text = (node: ParentNode, selector: string): string => (node.querySelector(selector)?.textContent ?? "").replaceAll("\u00a0", " ");

describe("the tile of the model", () => {
  it("says in a word how it is, of which sales, and that all is well", () => {
    const page = drawn(MODEL);
    expect(text(page, ".number")).toBe("Well");
    expect(text(page, ".who")).toContain("1,000 sales looked at");
    expect(text(page, ".who")).toContain("sold Nov 28 08:12 to 09:58");
    expect(text(page, ".who")).toContain("sales-1 serves since Nov 28 11:00");
    expect(text(page, "[aria-label='What the watch sees']")).toBe("What the watch seesAll is well.Nothing calls for a training.");
  });

  it("says in plain words where a part is no better than its baseline", () => {
    const lines = [...drawn(MODEL).querySelectorAll("[aria-label='What the model is worth'] li")].map(({ textContent }) => textContent);
    expect(lines).toEqual(["Anomaly score: better than an isolation forest", "Basket value: no better than constant quantiles"]);
  });

  it("names what needs a look, the worst first, and keeps the rest behind a disclosure", () => {
    const findings = [finding("scores"), finding("alarms", "warn", "31 sales alarmed."), finding("prices", "alert", "Prices have moved.")];
    const page = drawn({ ...MODEL, shadow: { ...CHAMPION, version: "4" }, seen: { ...SEEN, status: "alert", findings } });
    expect(text(page, ".number")).toBe("Needs a hand");
    const lines = [...page.querySelectorAll("[aria-label='What the watch sees'] li")].map(({ textContent }) => textContent);
    expect(lines).toEqual(["Needs a hand: Prices have moved.", "Watch: 31 sales alarmed."]);
    expect(text(page, ".who")).toContain("In its shadow: version 4, keras");
    const all = page.querySelector("details") as HTMLDetailsElement;
    expect(all.open).toBe(false);
    expect(all.querySelectorAll("tbody tr")).toHaveLength(3);
    expect(text(all, "p")).toBe("Nov 28 11:00: Promoted: better than the champion.");
  });

  it("does not call well what too few sales have come to judge", () => {
    expect(standing(FEW)).toBe("none");
    expect(standing({ ...FEW, status: "alert" })).toBe("alert");
    const page = drawn({ ...MODEL, seen: FEW });
    expect(text(page, ".number")).toBe("Not judged yet");
    expect(text(page, "[aria-label='What the watch sees']")).toContain("too few to say");
    expect(text(page, ".standing")).not.toContain("All is well");
  });

  it("says before the first watch what would fill it", () => {
    const page = drawn(NOT_YET);
    expect(text(page, ".number")).toBe("Not judged yet");
    expect(text(page, ".empty")).toContain("The watch has not looked at the model yet: the part flows does that");
    expect(page.querySelector("details")).toBeNull();
  });

  it("keeps what is there when nobody answers, and says how old it is", () => {
    const page = drawn(MODEL, { at: NOW - 240_000, problem: "the API does not answer" });
    expect(text(page, ".says")).toBe("As it was 4 min ago. The API does not answer. Asked again each minute.");
    expect(text(page, ".number")).toBe("Well");
    expect(text(drawn(null, { problem: "the API does not answer" }), ".says")).toBe("The API does not answer. Asked again each minute.");
  });

  it("tells a champion that the watch has not seen from the one that it has", () => {
    const said = (champion: Champion | null, seen: Seen | null): string => serves(champion, seen, writes).replaceAll("\u00a0", " ");
    const newer = { ...CHAMPION, fingerprint: "aaaa1111bbbb2222", version: "4" };
    expect(said(newer, SEEN)).toBe("Version 4, keras, serves since Nov 28 11:00; looked at was sales-1, before it");
    expect(said(newer, { ...SEEN, model: "", fingerprint: "" })).toBe("Version 4, keras, is meant to serve since Nov 28 11:00");
    expect(said(null, SEEN)).toBe("sales-1 that came with Tidemark serves");
    expect(said({ ...newer, version: null }, null)).toBe("Keras aaaa1111, serves since Nov 28 11:00");
  });
});

describe("asking again and again", () => {
  const hidden = (value: boolean): void => {
    Object.defineProperty(document, "hidden", { value, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
  };

  it("rests while the page is hidden, and asks at once when it comes back late", async () => {
    const ask = vi.fn(() => Promise.resolve(1));
    const stop = new Repeated(ask, 60_000).follow();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(ask).toHaveBeenCalledTimes(2);
    hidden(true);
    await vi.advanceTimersByTimeAsync(170_000);
    expect(ask).toHaveBeenCalledTimes(2);
    hidden(false);
    expect(ask).toHaveBeenCalledTimes(3);
    hidden(true);
    hidden(false);
    expect(ask).toHaveBeenCalledTimes(3);
    stop();
    await vi.advanceTimersByTimeAsync(300_000);
    expect(ask).toHaveBeenCalledTimes(3);
  });

  it("keeps what was found when a later one fails", async () => {
    const ask = vi.fn<() => Promise<number>>().mockResolvedValueOnce(7).mockRejectedValueOnce(new ApiError("not now")).mockResolvedValue(8);
    const repeated = new Repeated(ask, 60_000);
    const stop = repeated.follow();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(repeated.asked.value).toEqual({ found: 7, at: NOW, problem: "not now" });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(repeated.asked.value).toEqual({ found: 8, at: NOW + 120_000, problem: null });
    stop();
  });
});

describe("a verdict", () => {
  const answering = (status: number, body: unknown): ReturnType<typeof vi.fn> => {
    const fetched = vi.fn(() => Promise.resolve(new Response(JSON.stringify(body), { status })));
    vi.stubGlobal("fetch", fetched);
    return fetched;
  };
  const press = async (name: string): Promise<void> => {
    const button = [...document.querySelectorAll("button")].find(({ textContent }) => textContent === name);
    await act(async () => {
      button?.click();
      await vi.advanceTimersByTimeAsync(0);
    });
  };

  it("is sent as the API takes it, and the last one stays pressed", async () => {
    const fetched = answering(200, { kept: 1, unknown: [] });
    render(<SayVerdict invoice="a/b" />, document.body);
    await press("False alarm");
    expect(fetched).toHaveBeenCalledWith("/v1/verdicts", expect.objectContaining({ method: "POST", body: '{"verdicts":[{"invoice_id":"a/b","anomaly":false}]}' }));
    expect([text(document, "[role=status]"), text(document, "[aria-pressed=true]")]).toEqual(["Kept", "False alarm"]);
    await press("It was wrong");
    expect([...document.querySelectorAll("[aria-pressed=true]")].map(({ textContent }) => textContent)).toEqual(["It was wrong"]);
  });

  it("that is not kept says why", async () => {
    answering(503, { error: "the API does not answer" });
    render(<SayVerdict invoice="a" />, document.body);
    await press("False alarm");
    expect(text(document, "[role=status]")).toBe("Not kept. The API does not answer.");
    expect(document.querySelector("[aria-pressed=true]")).toBeNull();
    answering(200, { kept: 0, unknown: ["a"] });
    await expect(sendVerdict("a", true)).rejects.toThrow("There is no such sale.");
  });
});
