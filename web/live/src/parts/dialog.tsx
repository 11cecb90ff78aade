import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";

interface Props {
  title: string;
  /** at the side of the page instead of in its middle */
  side?: boolean;
  close: () => void;
  children: ComponentChildren;
}

/** A dialog over the page: Escape and a click beside it close it, and focus goes back to where it was. */
export function Dialog({ title, side = false, close, children }: Props): JSX.Element {
  const box = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    box.current?.showModal();
  }, []);
  return (
    <dialog
      ref={box}
      class={side ? "side" : ""}
      aria-label={title}
      onClose={close}
      onClick={(event) => {
        if (event.target === box.current) box.current?.close();
      }}
    >
      <header>
        <h2>{title}</h2>
        <button type="button" class="plain" aria-label="Close" onClick={() => box.current?.close()}>
          ✕
        </button>
      </header>
      <div class="content">{children}</div>
    </dialog>
  );
}
