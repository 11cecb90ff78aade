import type { ComponentChildren, JSX } from "preact";

interface Props {
  name: string;
  title: string;
  /** what is asked of a mark, or what the tile speaks of: its place is reserved */
  says: ComponentChildren;
  children: ComponentChildren;
}

/** One question. */
export function Tile({ name, title, says, children }: Props): JSX.Element {
  return (
    <section class={`tile ${name}`} data-tile={name} aria-labelledby={`tile-${name}`}>
      <header>
        <h2 id={`tile-${name}`}>{title}</h2>
        <p class="says">{says}</p>
      </header>
      {children}
    </section>
  );
}
