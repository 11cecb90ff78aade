/** The page's line to the server: ticks first, then a snapshot, merged by version; again after every break. */

import { signal } from "@preact/signals";
import { io, type Socket } from "socket.io-client";
import { recentAnomalies } from "./anomalies";
import { type Anomaly, Cells, type Frame, read } from "./cells";

interface Tick extends Frame {
  /** When the oldest of these sales was received, milliseconds since 1970 on the server's clock; 0 of a reload. */
  oldest: number;
}

export type Connection = "connecting" | "live" | "away" | "signed out";

const KEPT_ANOMALIES = 100;
const KEPT_LATENCIES = 500;
const RETRY_MS = 1000;

export class Feed {
  readonly #cells = new Cells();
  readonly connection = signal<Connection>("connecting");
  readonly loaded = signal(false);
  /** The cells; another box with the same cells in it whenever they have changed. */
  readonly held = signal({ cells: this.#cells });
  readonly anomalies = signal<Anomaly[]>([]);
  /** When the last change reached this page, milliseconds since 1970; null before the first. */
  readonly changedAt = signal<number | null>(null);
  /** Milliseconds from the receipt of a sale to its picture, the newest last. */
  readonly latencies = signal<number[]>([]);
  #cursor: string | null = null;
  #clockOffset = 0;
  readonly #socket: Socket;

  constructor() {
    this.#socket = io({ transports: ["websocket"], reconnectionDelayMax: 2000 });
    this.#socket.on("connect", () => {
      void this.#setClock();
      void this.#load();
    });
    this.#socket.on("disconnect", () => (this.connection.value = "away"));
    this.#socket.on("connect_error", () => void this.#whyNot());
    this.#socket.on("tick", (tick: Tick) => {
      this.#take(tick);
      this.changedAt.value = Date.now();
      if (tick.oldest > 0) this.#timePaint(tick.oldest);
    });
  }

  async #load(): Promise<void> {
    const since = this.#cursor;
    const address = since === null ? "/snapshot" : `/snapshot?since=${encodeURIComponent(since)}`;
    try {
      const answer = await fetch(address, { headers: { Accept: "application/json" } });
      if (!answer.ok) throw new Error(String(answer.status));
      this.#take((await answer.json()) as Frame);
      this.loaded.value = true;
      this.connection.value = "live";
      if (since === null) this.#addAnomalies(await recentAnomalies(this.#cells));
    } catch {
      this.connection.value = "away";
      setTimeout(() => {
        if (this.#socket.connected) void this.#load();
      }, RETRY_MS);
    }
  }

  async #whyNot(): Promise<void> {
    this.connection.value = "away";
    const status = await fetch("/config").then((answer) => answer.status, () => 0);
    if (status === 401) this.connection.value = "signed out";
  }

  #take(frame: Frame): void {
    this.#cursor = frame.cursor;
    const changed = this.#cells.merge(read(frame));
    if (frame.anomalies.length > 0) this.#addAnomalies(frame.anomalies);
    if (changed) this.held.value = { cells: this.#cells };
  }

  /** Adds anomalies that are not there yet; the newest sale first. */
  #addAnomalies(more: Anomaly[]): void {
    const known = new Map([...this.anomalies.value, ...more].map((anomaly) => [anomaly.invoice_id, anomaly]));
    this.anomalies.value = [...known.values()].sort((a, b) => b.minute - a.minute).slice(0, KEPT_ANOMALIES);
  }

  async #setClock(): Promise<void> {
    const sent = Date.now();
    const server = (await this.#socket.timeout(5000).emitWithAck("clock", sent).catch(() => null)) as number | null;
    if (server !== null) this.#clockOffset = server - (sent + Date.now()) / 2;
  }

  /** From the server's receipt to the second frame after now: by then what this tick changed is painted. */
  #timePaint(receivedAt: number): void {
    requestAnimationFrame(() => {
      requestAnimationFrame(() => {
        const latency = Math.max(0, Date.now() + this.#clockOffset - receivedAt);
        this.latencies.value = [...this.latencies.value.slice(1 - KEPT_LATENCIES), latency];
      });
    });
  }
}
