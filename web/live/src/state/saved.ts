/** What this browser keeps for its user. */

import { effect, signal, type Signal } from "@preact/signals";

/** A value kept in this browser under a name, the same in each of its pages; what cannot be read is taken for `otherwise`. */
export function kept<T>(name: string, otherwise: T, valid: (value: unknown) => value is T): Signal<T> {
  const key = `tidemark-${name}`;
  const read = (text: string | null): T => {
    try {
      const stored: unknown = JSON.parse(text ?? "null");
      return valid(stored) ? stored : otherwise;
    } catch {
      return otherwise;
    }
  };
  let text = localStorage.getItem(key);
  const value = signal(read(text));
  effect(() => {
    const now = JSON.stringify(value.value);
    if (now !== text) localStorage.setItem(key, (text = now));
  });
  addEventListener("storage", (event) => {
    if (event.key !== key) return;
    text = event.newValue;
    value.value = read(text);
  });
  return value;
}

/** Whether `value` is a list of objects that have these fields, each of this type. */
export function listOf<T>(fields: Record<keyof T & string, "string" | "number" | "boolean">): (value: unknown) => value is T[] {
  return (value): value is T[] =>
    Array.isArray(value) &&
    value.every((one: unknown) => {
      if (typeof one !== "object" || one === null) return false;
      const given = one as Record<string, unknown>;
      return Object.entries(fields).every(([name, type]) => typeof given[name] === type);
    });
}

/** A view by name: its query. */
export interface NamedView {
  name: string;
  query: string;
}

export const views = kept<NamedView[]>("views", [], listOf<NamedView>({ name: "string", query: "string" }));

export function keepView(name: string, query: string): void {
  views.value = [...views.value.filter((view) => view.name !== name), { name, query }];
}

export function forgetView(name: string): void {
  views.value = views.value.filter((view) => view.name !== name);
}
