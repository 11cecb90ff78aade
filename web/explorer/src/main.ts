/** What Streamlit mounts: one explorer in one place of a page. */
import { Explorer } from "./explorer";
import { decode } from "./frame";
import styles from "./styles.css?inline";

interface Mounted {
  readonly parentElement: ShadowRoot;
  readonly data: Uint8Array;
  readonly setTriggerValue: (name: string, value: unknown) => void;
}

const explorers = new WeakMap<ShadowRoot, Explorer>();

export default function mount({ parentElement, data, setTriggerValue }: Mounted): void {
  const ask = (asked: unknown): void => {
    setTriggerValue("asked", asked);
  };
  let explorer = explorers.get(parentElement);
  if (!explorer) {
    const style = parentElement.appendChild(document.createElement("style"));
    style.textContent = styles;
    explorer = new Explorer(parentElement.appendChild(document.createElement("div")), ask);
    explorers.set(parentElement, explorer);
  }
  explorer.take(decode(data), ask);
}
