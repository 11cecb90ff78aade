/** Colours for canvases, read from the page's own variables, so that both follow light and dark. */

import { signal } from "@preact/signals";

export interface Colours {
  text: string;
  faint: string;
  line: string;
  accent: string;
  series: string[];
}

function read(): Colours {
  const probe = document.body.appendChild(document.createElement("i"));
  const of = (name: string): string => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  const found = {
    text: of("text"),
    faint: of("faint"),
    line: of("line"),
    accent: of("accent"),
    series: ["1", "2", "3", "4", "5", "6"].map((n) => of(`series-${n}`)),
  };
  probe.remove();
  return found;
}

export const colours = signal<Colours>(read());

export type Theme = "system" | "light" | "dark";
const KEY = "tidemark-theme";
const stored = localStorage.getItem(KEY);
export const theme = signal<Theme>(stored === "light" || stored === "dark" ? stored : "system");

export function setTheme(value: Theme): void {
  theme.value = value;
  localStorage.setItem(KEY, value);
  apply();
}

function apply(): void {
  if (theme.value === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = theme.value;
  colours.value = read();
}

export function followTheme(): void {
  apply();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", apply);
}
