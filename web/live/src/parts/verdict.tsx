import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { ApiError } from "../data/api";
import { sendVerdict } from "../data/sales-model";
import { sentence } from "../words";

interface Said {
  /** what is kept of this sale, as far as this page knows */
  anomaly: boolean | null;
  sending: boolean;
  words: string;
  failed: boolean;
}

/** Whether an alarm was right, said by whoever knows. */
export function SayVerdict({ invoice }: { invoice: string }): JSX.Element {
  const [said, setSaid] = useState<Said>({ anomaly: null, sending: false, words: "", failed: false });
  const say = async (anomaly: boolean): Promise<void> => {
    if (said.sending) return; // not disabled: the focus stays where it is
    setSaid({ ...said, sending: true, words: "", failed: false });
    try {
      await sendVerdict(invoice, anomaly);
      setSaid({ anomaly, sending: false, words: "Kept", failed: false });
    } catch (error) {
      const why = error instanceof ApiError ? error.message : "That did not work.";
      setSaid({ ...said, sending: false, words: `Not kept. ${sentence(why)}`, failed: true });
    }
  };
  return (
    <div role="group" aria-label="Was the alarm right?">
      <div class="together">
        {([true, false] as const).map((anomaly) => (
          <button key={String(anomaly)} type="button" class="chip" aria-pressed={said.anomaly === anomaly} onClick={() => void say(anomaly)}>
            {anomaly ? "It was wrong" : "False alarm"}
          </button>
        ))}
        <span role="status" class={said.failed ? "problem" : ""}>
          {said.words}
        </span>
      </div>
      <small class="faint">Tells how often alarms are right.</small>
    </div>
  );
}
