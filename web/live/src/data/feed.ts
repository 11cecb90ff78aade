/** The page's line to the server: ticks as they come, snapshots where something is missing, merged into the cube. */

import { signal } from "@preact/signals";
import { io, type Socket } from "socket.io-client";
import { recentAnomalies } from "./api";
import { Cube } from "./cube";
import { Names } from "./names";
import type { Clock } from "./store";
import { type Anomaly, at, type Cursor, covers, type Frame, readCursor, type Snapshot, type Tick } from "./wire";

export type Connection = "connecting" | "live" | "away" | "signed out";

/** What the page did by itself, for whoever wonders. */
export interface Note {
  at: number;
  text: string;
}

const KEPT_ANOMALIES = 200;
const KEPT_TOLD = 1000;
const KEPT_LATENCIES = 500;
const KEPT_NOTES = 20;
const KEPT_TICKS = 600;
const RETRY_MS = 500;
const SNAPSHOT_MS = 60_000;
const ASLEEP_MS = 90_000; // browsers wake a hidden page once a minute
const TICKETS = at("tickets");
const RETURNS = at("returns");

export class Feed {
  readonly #names = new Names();
  #cube: Cube;
  readonly connection = signal<Connection>("connecting");
  readonly loaded = signal(false);
  /** The cube; another box with the same cube in it whenever a picture of it would be another. */
  readonly held;
  readonly anomalies = signal<Anomaly[]>([]);
  /** When the last change reached this page, milliseconds since 1970; null before the first. */
  readonly changedAt = signal<number | null>(null);
  /** What the post that moved the page last is known by in every log. */
  readonly request = signal("");
  /** Since when the page has had no connection, milliseconds since 1970; null while it has one. */
  readonly awaySince = signal<number | null>(null);
  /** Milliseconds from the receipt of a sale to its picture, the newest last. */
  readonly latencies = signal<number[]>([]);
  readonly notes = signal<Note[]>([]);
  /** Told after each change, shown or not, with the unusual sales that are new since the page was opened. */
  onChange: ((fresh: Anomaly[]) => void) | null = null;
  /** While it holds, changes are taken and not shown. */
  readonly paused = signal<{ sales: number } | null>(null);
  /** Sales taken so far, shown or not. */
  readonly sales = signal(0);
  #cursor: Cursor | null = null;
  #cursorText: string | null = null;
  #waiting: Tick[] = [];
  #unusual: Anomaly[] = [];
  /** the unusual sales that were told last, each by its invoice: a server tells its newest again to whoever comes to it */
  readonly #told = new Set<string>();
  #loading = false;
  #asked = false;
  #clockOffset = 0;
  #drawing = false;
  #lastSecond = Date.now();
  #socket: Socket;

  constructor(private readonly clock: Clock) {
    this.#cube = new Cube(clock, this.#names);
    this.held = signal({ cube: this.#cube });
    this.#socket = this.#dial();
    addEventListener("offline", () => {
      this.#away();
    });
    addEventListener("online", () => {
      this.#wake();
    });
    setInterval(() => {
      this.#second();
    }, 1000);
  }

  pause(): void {
    this.paused.value = { sales: this.sales.value };
  }

  resume(): void {
    this.paused.value = null;
    this.#show();
  }

  // -- the socket

  #dial(): Socket {
    const socket = io({ transports: ["websocket"], reconnectionDelay: 300, reconnectionDelayMax: 2000, forceNew: true });
    socket.on("connect", () => {
      void this.#setClock(socket);
      if (socket === this.#socket) void this.#load();
    });
    socket.on("disconnect", (reason) => {
      if (socket !== this.#socket) return;
      this.#away();
      if (reason === "io server disconnect") void this.#whyNot();
    });
    socket.on("connect_error", () => {
      if (socket === this.#socket) void this.#whyNot();
    });
    socket.on("names", ({ epoch, names }: { epoch: string; names: Frame["names"] }) => {
      this.#names.learn(epoch, ...names);
    });
    socket.on("tick", (tick: Tick) => {
      this.#take(tick);
    });
    socket.on("behind", () => void this.#load());
    socket.on("move", ({ within_ms }: { within_ms: number }) => {
      setTimeout(() => {
        this.#move();
      }, Math.random() * within_ms);
    });
    return socket;
  }

  /** This server is about to end: find another one, and leave this one only then. */
  #move(): void {
    const [old, next] = [this.#socket, this.#dial()];
    next.once("connect", () => {
      this.#socket = next;
      void this.#load().then(() => {
        old.disconnect();
        this.#note("Moved to another server without a gap");
      });
    });
  }

  #away(): void {
    if (this.connection.value !== "signed out") this.connection.value = "away";
    this.awaySince.value ??= Date.now();
  }

  async #whyNot(): Promise<void> {
    this.#away();
    const status = await fetch("/config").then((answer) => answer.status, () => 0);
    if (status === 401) {
      this.connection.value = "signed out";
      this.#socket.disconnect();
    } else if (!this.#socket.active) setTimeout(() => this.#socket.connect(), RETRY_MS);
  }

  #wake(): void {
    if (this.#socket.connected) void this.#load();
    else this.#socket.connect();
  }

  /** A clock that leaps tells that the computer slept: whatever came meanwhile is fetched at once. */
  #second(): void {
    const now = Date.now();
    const slept = now - this.#lastSecond;
    this.#lastSecond = now;
    if (slept > ASLEEP_MS) {
      this.#note(`This page slept for ${Math.round(slept / 1000)} s`);
      this.#wake();
    }
  }

  // -- ticks and snapshots

  #take(tick: Tick): void {
    if (!this.#loading && this.#apply(tick)) return;
    this.#waiting.push(tick);
    if (this.#waiting.length > KEPT_TICKS) this.#waiting.shift();
    if (!this.#loading) void this.#load();
  }

  /** Merges a tick, unless it is known; returns false, and does nothing, where something before it is missing. */
  #apply(tick: Tick): boolean {
    if (this.#cursor === null || !covers(this.#cursor, readCursor(tick.before))) return false;
    const cursor = readCursor(tick.cursor);
    if (covers(this.#cursor, cursor) && this.#cursor.epoch === cursor.epoch) return true;
    try {
      this.#merge(tick);
    } catch {
      return false; // it speaks of what this page was not told
    }
    this.changedAt.value = Date.now();
    if (tick.request) this.request.value = tick.request;
    if (this.awaySince.value !== null) this.#back(0);
    if (tick.oldest > 0) this.#timePaint(tick.oldest);
    return true;
  }

  /** Takes the ticks that came meanwhile, as far as nothing is missing; returns whether nothing is. */
  #takeWaiting(): boolean {
    const missing = this.#waiting.findIndex((tick) => !this.#apply(tick));
    this.#waiting = missing < 0 ? [] : this.#waiting.slice(missing);
    return missing < 0;
  }

  /** Fetches what is missing, again until nothing is; asked while it does, it fetches once more. */
  async #load(): Promise<void> {
    this.#asked = true;
    if (this.#loading) return;
    this.#loading = true;
    while (this.#asked) {
      this.#asked = false;
      if ((await this.#fetch()) && this.#takeWaiting()) continue;
      await new Promise((resume) => setTimeout(resume, RETRY_MS));
      this.#asked ||= this.#socket.connected;
    }
    this.#loading = false;
  }

  async #fetch(): Promise<boolean> {
    const before = this.sales.value;
    const query = this.#cursorText === null ? "" : `?since=${encodeURIComponent(this.#cursorText)}`;
    try {
      const signal = AbortSignal.timeout(SNAPSHOT_MS);
      const answer = await fetch(`/snapshot${query}`, { headers: { Accept: "application/json" }, signal });
      if (!answer.ok) throw new Error(String(answer.status));
      const snapshot = (await answer.json()) as Snapshot;
      if (snapshot.whole) this.#cube = new Cube(this.clock, this.#names);
      this.#merge(snapshot);
    } catch {
      this.#away();
      return false;
    }
    const first = !this.loaded.value;
    this.loaded.value = true;
    this.#back(this.sales.value - before);
    if (first) void recentAnomalies(this.#cube).then((found) => { if (this.#addAnomalies(found).length > 0) this.#show(); });
    return true;
  }

  #back(sales: number): void {
    const since = this.awaySince.value;
    if (!this.#socket.connected) return;
    this.connection.value = "live";
    this.awaySince.value = null;
    if (since === null) return;
    const away = Math.max(1, Math.round((Date.now() - since) / 1000));
    const missed = sales === 0 ? "nothing was missed" : sales === 1 ? "1 sale was missed and fetched" : `${sales} sales were missed and fetched`;
    this.#note(`The connection was lost for ${away} s; ${missed}`);
  }

  #merge(frame: Frame): void {
    this.#cube.merge(frame);
    this.#cursorText = frame.cursor;
    this.#cursor = readCursor(frame.cursor);
    const fresh = this.#addAnomalies(frame.anomalies);
    const total = this.#cube.total();
    this.sales.value = (total[TICKETS] ?? 0) + (total[RETURNS] ?? 0);
    if (this.paused.value === null) this.#show();
    this.onChange?.(this.loaded.value ? fresh : []);
  }

  /** Shows what is held with the next frame: more often nobody could see it. */
  #show(): void {
    if (this.#drawing) return;
    this.#drawing = true;
    requestAnimationFrame(() => {
      this.#drawing = false;
      if (this.paused.value === null) this.#publish();
    });
  }

  #publish(): void {
    this.held.value = { cube: this.#cube };
    if (this.#unusual !== this.anomalies.value) this.anomalies.value = this.#unusual;
  }

  /** The cube with all that has come, shown or not. */
  get cube(): Cube {
    return this.#cube;
  }

  /** Adds anomalies that are not there yet, the newest sale first; returns those that were never told before. */
  #addAnomalies(more: Anomaly[]): Anomaly[] {
    const fresh = more.filter(({ invoice_id }) => !this.#told.has(invoice_id));
    if (fresh.length === 0) return fresh;
    for (const { invoice_id } of fresh) this.#told.add(invoice_id);
    for (const oldest of this.#told) {
      if (this.#told.size <= KEPT_TOLD) break;
      this.#told.delete(oldest);
    }
    this.#unusual = [...this.#unusual, ...fresh].sort((a, b) => b.minute - a.minute).slice(0, KEPT_ANOMALIES);
    return fresh;
  }

  #note(text: string): void {
    this.notes.value = [{ at: Date.now(), text }, ...this.notes.value].slice(0, KEPT_NOTES);
  }

  async #setClock(socket: Socket): Promise<void> {
    const sent = Date.now();
    const server = (await socket.timeout(5000).emitWithAck("clock", sent).catch(() => null)) as number | null;
    if (server !== null) this.#clockOffset = server - (sent + Date.now()) / 2;
  }

  /** From the server's receipt to the second frame after now: by then what this tick changed is painted. */
  #timePaint(receivedAt: number): void {
    if (document.hidden || this.paused.value !== null) return;
    requestAnimationFrame(() => {
      requestAnimationFrame(() => {
        const latency = Math.max(0, Date.now() + this.#clockOffset - receivedAt);
        this.latencies.value = [...this.latencies.value.slice(1 - KEPT_LATENCIES), latency];
      });
    });
  }
}
