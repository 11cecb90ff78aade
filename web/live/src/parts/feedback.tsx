import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { ApiError, sendFeedback } from "../data/api";
import { state, toQuery } from "../state/state";
import { Dialog } from "./dialog";

/** What the visitor has to say, with the view it speaks of. */
export function FeedbackForm({ version, close }: { version: string; close: () => void }): JSX.Element {
  const [text, setText] = useState("");
  const [mood, setMood] = useState<"good" | "bad" | null>(null);
  const [sending, setSending] = useState<"no" | "now" | "sent">("no");
  const [problem, setProblem] = useState<string | null>(null);
  const send = async (): Promise<void> => {
    setSending("now");
    setProblem(null);
    try {
      await sendFeedback({ text: text.trim(), view: toQuery(state.value).slice(0, 4000), page_version: version, ...(mood !== null && { mood }) });
      setSending("sent");
    } catch (error) {
      setSending("no");
      setProblem(error instanceof ApiError ? error.message : "That did not work; your text is still here.");
    }
  };
  return (
    <Dialog title="Feedback" close={close}>
      {sending === "sent" ? (
        <p role="status">Thank you. It is stored with the view that you have open.</p>
      ) : (
        <form
          class="form"
          onSubmit={(event) => {
            event.preventDefault();
            if (text.trim() !== "") void send();
          }}
        >
          <label>
            What works, what does not, what is missing?
            <textarea rows={6} maxLength={2000} required value={text} onInput={(event) => { setText(event.currentTarget.value); }} />
          </label>
          <fieldset class="moods">
            <legend>All in all</legend>
            {(["good", "bad"] as const).map((one) => (
              <button key={one} type="button" class="chip" aria-pressed={mood === one} onClick={() => { setMood(mood === one ? null : one); }}>
                {one === "good" ? "It helps me" : "It does not help me"}
              </button>
            ))}
          </fieldset>
          <p class="faint">Your filters and tiles are sent along, so that we see what you speak of. Nothing else is.</p>
          {problem !== null && (
            <p class="problem" role="alert">
              {problem}
            </p>
          )}
          <button type="submit" class="chip primary" disabled={sending === "now" || text.trim() === ""}>
            Send
          </button>
        </form>
      )}
    </Dialog>
  );
}
