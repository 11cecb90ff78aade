/** What is asked for again and again while somebody looks at the page. */

import { type ReadonlySignal, signal } from "@preact/signals";
import { ApiError } from "../data/api";

/** `at`: when it was found, milliseconds since 1970. A failure leaves what was found, and says what is wrong. */
export interface Asked<T> {
  found: T | null;
  at: number | null;
  problem: string | null;
}

export class Repeated<T> {
  readonly #asked = signal<Asked<T>>({ found: null, at: null, problem: null });
  #last = -Infinity;
  #asking = false;

  constructor(
    private readonly ask: () => Promise<T>,
    private readonly everyMs: number,
  ) {}

  get asked(): ReadonlySignal<Asked<T>> {
    return this.#asked;
  }

  /** Asks at once, and again and again while the page is visible; until what this returns is called. */
  follow(): () => void {
    const look = (): void => {
      if (!document.hidden) void this.#once();
    };
    const lookIfDue = (): void => {
      if (Date.now() - this.#last >= this.everyMs) look();
    };
    lookIfDue();
    const timer = setInterval(look, this.everyMs);
    document.addEventListener("visibilitychange", lookIfDue);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", lookIfDue);
    };
  }

  async #once(): Promise<void> {
    if (this.#asking) return;
    this.#asking = true;
    this.#last = Date.now();
    try {
      this.#asked.value = { found: await this.ask(), at: Date.now(), problem: null };
    } catch (error) {
      const problem = error instanceof ApiError ? error.message : "That did not work.";
      this.#asked.value = { ...this.#asked.value, problem };
    }
    this.#asking = false;
  }
}
