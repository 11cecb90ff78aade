import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { Dialog } from "../parts/dialog";
import { type Redriven, redrive } from "./data";

/** Heals dead letters. A browser's session may only read: an admin's token is asked for, sent once, and not kept. */
export function Heal({ close, done }: { close: () => void; done: (found: Redriven) => void }): JSX.Element {
  const busy = useSignal(false);
  const problem = useSignal<string | null>(null);
  const healed = useSignal<Redriven | null>(null);
  const send = async (form: HTMLFormElement): Promise<void> => {
    busy.value = true;
    problem.value = null;
    try {
      const found = await redrive((form.elements.namedItem("token") as HTMLInputElement).value.trim());
      form.reset();
      healed.value = found;
      done(found);
    } catch (error) {
      problem.value = error instanceof Error ? error.message : "It did not work.";
    }
    busy.value = false;
  };
  return (
    <Dialog title="Heal dead letters" close={close}>
      <p>
        What was given up is read once more from the ledger and given to the part that failed. A letter goes only after
        that has worked; doing it twice is harmless. Mend first why it failed: the runbook says how.
      </p>
      <form
        class="heal"
        onSubmit={(event) => {
          event.preventDefault();
          void send(event.currentTarget);
        }}
      >
        <label>
          Token of an admin <input name="token" type="password" autocomplete="off" required spellcheck={false} />
        </label>
        <button type="submit" class="chip primary" disabled={busy.value}>
          {busy.value ? "Healing" : "Heal"}
        </button>
      </form>
      <p class="faint">It is sent once and kept nowhere.</p>
      {problem.value !== null && <p class="problem" role="alert">{problem.value}</p>}
      {healed.value !== null && (
        <ul role="status" data-healed>
          {healed.value.healed.length === 0 && <li>There was nothing to heal.</li>}
          {healed.value.healed.map(({ consumer, letters, items, problem: why }) => (
            <li key={consumer} class={why === null ? "" : "problem"}>
              {consumer}: {why ?? `${letters} healed, ${items} items given again`}
            </li>
          ))}
        </ul>
      )}
    </Dialog>
  );
}
