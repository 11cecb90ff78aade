import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { forgetView, keepView, views } from "../state/saved";
import { change, fromQuery, state, toQuery } from "../state/state";
import { Dialog } from "./dialog";

/** Views by name, and the address of this one. */
export function Views({ close }: { close: () => void }): JSX.Element {
  const [name, setName] = useState("");
  const [copied, setCopied] = useState(false);
  const query = toQuery(state.value);
  const link = `${location.origin}${location.pathname}${query ? `?${query}` : ""}`;
  return (
    <Dialog title="Views" close={close}>
      <h3>This view</h3>
      <p>Whoever may sign in sees the same at this address:</p>
      <p class="together">
        <input readOnly value={link} aria-label="Address of this view" onFocus={(event) => { event.currentTarget.select(); }} />
        <button
          type="button"
          class="chip"
          onClick={() => {
            void navigator.clipboard.writeText(link).then(() => { setCopied(true); }, () => { setCopied(false); });
          }}
        >
          {copied ? "Copied" : "Copy"}
        </button>
      </p>
      <form
        class="together"
        onSubmit={(event) => {
          event.preventDefault();
          if (name.trim() === "") return;
          keepView(name.trim(), query);
          setName("");
        }}
      >
        <label>
          Name <input value={name} maxLength={60} onInput={(event) => { setName(event.currentTarget.value); }} />
        </label>
        <button type="submit" class="chip">
          Keep
        </button>
      </form>
      <h3>Kept in this browser</h3>
      {views.value.length === 0 ? (
        <p class="empty">None yet. A view is what you filtered, chose and arranged; give this one a name to come back to it.</p>
      ) : (
        <ul class="order">
          {views.value.map((view) => (
            <li key={view.name}>
              <button
                type="button"
                class="link grow"
                onClick={() => {
                  change(fromQuery(view.query));
                  close();
                }}
              >
                {view.name}
              </button>
              <button type="button" class="chip" aria-label={`Forget ${view.name}`} onClick={() => { forgetView(view.name); }}>
                Forget
              </button>
            </li>
          ))}
        </ul>
      )}
    </Dialog>
  );
}
