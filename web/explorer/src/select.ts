/** What is selected: how it is moved, said, and written as SQL and Python. Pure. */
import type { Axis, Selected, Span, Spans, View } from "./frame";

/** A span from where a drag began to where it is, in places; both ends in. */
export function dragged(from: number, to: number, places: number): Span {
  const [first, last] = from < to ? [from, to] : [to, from];
  return [Math.max(0, first), Math.min(places, last + 1)];
}

/** Moved by some places, as wide as it was, within the axis. */
export function moved([first, end]: Span, by: number, places: number): Span {
  const step = Math.max(-first, Math.min(by, places - end));
  return [first + step, end + step];
}

/** A category put in or taken out. */
export function toggled(spans: Spans, code: number): Spans {
  const held = new Set(spans.flatMap(([first, end]) => Array.from({ length: end - first }, (_, i) => first + i)));
  if (!held.delete(code)) held.add(code);
  return [...held].sort((a, b) => a - b).map((one) => [one, one + 1] as const);
}

export function without(selected: Selected, key: string): Selected {
  return Object.fromEntries(Object.entries(selected).filter(([name]) => name !== key));
}

/** The same selections, none of them empty. */
export function put(selected: Selected, key: string, spans: Spans): Selected {
  const rest = without(selected, key);
  return spans.some(([first, end]) => end > first) ? { ...rest, [key]: spans } : rest;
}

export function same(one: Selected, other: Selected): boolean {
  const sorted = (found: Selected): string => JSON.stringify(Object.entries(found).sort(([a], [b]) => (a < b ? -1 : 1)));
  return sorted(one) === sorted(other);
}

/** A span of an axis as people say it. `cells`: it is in cells of a grid, not in places. */
export function said(axis: Axis, spans: Spans, cells = false): string {
  if (axis.kind === "category") {
    const names = spans.flatMap(([first, end]) => names_of(axis, scaled(axis, [first, end], cells)));
    return listed(names);
  }
  return spans
    .map((span) => {
      const [first, end] = scaled(axis, span, cells);
      const last = Math.min(end, axis.texts.length - 1);
      if (first >= axis.texts.length - 1) return "missing";
      const low = first === 0 ? null : axis.texts[first];
      const high = last === axis.texts.length - 1 ? null : axis.texts[last];
      const missing = end > axis.missing ? " or missing" : "";
      if (low === null && high === null) return `any${missing}`;
      if (low === null) return `below ${high ?? ""}${missing}`;
      if (high === null) return `from ${low ?? ""}${missing}`;
      return `${low ?? ""} – ${high ?? ""}${missing}`;
    })
    .join(", ");
}

/** The condition of a selection, as SQL. */
export function condition(view: View, spans: Spans): string {
  if (view.y) {
    const [across, up] = spans;
    return [across && of_axis(view.x, [across], true), up && of_axis(view.y, [up], true)].filter(Boolean).join(" AND ");
  }
  return of_axis(view.x, spans, false);
}

/** All conditions, as SQL over a table that is called as the source is. */
export function sql(source: string, views: readonly View[], selected: Selected): string {
  const found = views.flatMap((view) => (selected[view.key] ? [condition(view, selected[view.key] ?? [])] : []));
  return `SELECT *\nFROM ${source}${found.length ? `\nWHERE ${found.join("\n  AND ")}` : ""}`;
}

/** The same, as Python. */
export function python(source: string, views: readonly View[], selected: Selected): string {
  return `import duckdb\n\nrows = duckdb.sql("""\n${sql(source, views, selected)}\n""").df()`;
}

function scaled(axis: Axis, [first, end]: Span, cells: boolean): Span {
  return cells ? [first << axis.coarse, Math.min(end << axis.coarse, axis.places)] : [first, end];
}

function names_of(axis: Axis, [first, end]: Span): string[] {
  const named = axis.texts.slice(first, Math.min(end, axis.texts.length));
  return end > axis.missing ? [...named, "missing"] : named;
}

function of_axis(axis: Axis, spans: Spans, cells: boolean): string {
  const name = axis.identifier;
  const parts = spans.map((span) => {
    const [first, end] = scaled(axis, span, cells);
    const found: string[] = [];
    if (axis.kind === "category") {
      const named = axis.literals.slice(first, end).filter((text) => text !== "");
      const others = axis.literals.slice(first, end).includes("");
      if (named.length) found.push(`${name} IN (${named.join(", ")})`);
      if (others) found.push(`${name} NOT IN (${axis.literals.filter((text) => text !== "").join(", ")})`);
    } else {
      const last = axis.literals.length - 1;
      const ends: string[] = [];
      if (first > 0 && first < last) ends.push(`${name} >= ${axis.literals[first] ?? ""}`);
      if (end < last) ends.push(`${name} < ${axis.literals[end] ?? ""}`);
      if (first < last) found.push(ends.length ? ends.join(" AND ") : `${name} IS NOT NULL`);
    }
    if (end > axis.missing) found.push(`${name} IS NULL`);
    return found.length > 1 ? `(${found.join(" OR ")})` : (found[0] ?? "FALSE");
  });
  return parts.length > 1 ? `(${parts.join(" OR ")})` : (parts[0] ?? "FALSE");
}

function listed(names: readonly string[]): string {
  if (names.length < 2) return names[0] ?? "none";
  if (names.length > 6) return `${names.slice(0, 5).join(", ")} and ${names.length - 5} more`;
  return `${names.slice(0, -1).join(", ")} or ${names.at(-1) ?? ""}`;
}
