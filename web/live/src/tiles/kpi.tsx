import type { ComponentChildren, JSX } from "preact";

interface Props {
  name: string;
  /** The exact value, for programs and for whoever points at the number. */
  exact: string | number | null;
  children: ComponentChildren;
  note: ComponentChildren;
}

/** One question, its answer readable from two metres, and what it speaks of under it. */
export function KpiTile({ name, exact, children, note }: Props): JSX.Element {
  const id = name.toLowerCase().replaceAll(" ", "-");
  return (
    <section class="tile kpi" aria-labelledby={`kpi-${id}`}>
      <h2 id={`kpi-${id}`}>{name}</h2>
      <p class="number" data-kpi={id} data-exact={exact ?? ""} title={exact === null ? "no sales yet" : String(exact)}>
        {exact === null ? "–" : children}
      </p>
      <p class="note">{note}</p>
    </section>
  );
}
