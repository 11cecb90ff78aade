/** What is seen, as a file. */

import type { View } from "./data/look";
import { sumAt } from "./data/sums";
import { MEASURES } from "./data/wire";
import { CATEGORIES } from "./data/select";
import { text } from "./data/exact";
import { DAY, dayName } from "./data/store";

type Cell = string | number;

const DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const IN_UNITS = new Set(["sales", "cogs", "tax", "returned_sales", "returned_cogs", "rating_sum"]);

/** A CSV field (RFC 4180). What a spreadsheet would take for a formula is made text, wherever it parts fields. */
export function field(value: Cell): string {
  if (typeof value === "number") return String(value);
  const apart = value.replace(/([;\t\r\n]\s*)(?=[=+\-@＝＋－＠])/gu, "$1'"); // where another program parts fields
  const safe = /^(\s*[=+\-@＝＋－＠]|[\t\r\n])/u.test(apart) && !/^-?[\d.]+$/.test(apart) ? `'${apart}` : apart;
  return /[",;\t\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

export const csv = (rows: Cell[][]): string => rows.map((row) => row.map(field).join(",")).join("\r\n") + "\r\n";

const minuteName = (minute: number): string => {
  const [day, within] = [Math.floor(minute / DAY), ((minute % DAY) + DAY) % DAY];
  return `${dayName(day)}T${String(Math.floor(within / 60)).padStart(2, "0")}:${String(within % 60).padStart(2, "0")}`;
};

/** Every number of a view: what it is of, the value, and all measures, exactly. Times are the store's, money is in its
 * currency. `selected`: the page's query, which says what was chosen. */
export function viewCsv(view: View, selected: string): string {
  const rows: Cell[][] = [["view", "value", "and", "kpi", ...MEASURES], ["selected", selected]];
  const put = (name: string, value: string, and: string, sum: ArrayLike<number>): void => {
    rows.push([name, value, and, "", ...MEASURES.map((measure, i) => (IN_UNITS.has(measure) ? text(BigInt(sum[i] ?? 0)) : (sum[i] ?? 0)))]);
  };
  put("all", "", "", view.sum);
  for (const [name, value] of Object.entries(view.kpis)) rows.push(["kpi", name, "", String(value ?? "")]);
  view.bars.forEach((minute, place) => {
    put("over time", minuteName(minute), "", sumAt(view.over, place));
  });
  for (const category of CATEGORIES) for (const [value, sum] of view.by[category]) put(category, value, "", sum);
  for (const [payment, row] of view.matrix) for (const [customer, sum] of row) put("payment × customer_type", payment, customer, sum);
  for (let hour = 0; hour < 24; hour++) put("hour", String(hour), "", sumAt(view.hours, hour));
  for (let day = 0; day < 7; day++) put("weekday", DAYS[day] ?? "", "", sumAt(view.weekdays, day));
  return csv(rows);
}

function save(name: string, content: Blob): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => {
    URL.revokeObjectURL(link.href);
  }, 10_000);
}

export function saveCsv(view: View, selected: string, name: string): void {
  save(`${name}.csv`, new Blob([viewCsv(view, selected)], { type: "text/csv;charset=utf-8" }));
}

/** The page as it is seen, as a picture. */
export async function savePng(element: HTMLElement, name: string): Promise<void> {
  const { domToBlob } = await import("modern-screenshot");
  const background = getComputedStyle(document.body).backgroundColor;
  const filter = (node: Node): boolean => !(node instanceof HTMLElement && "unpictured" in node.dataset);
  save(`${name}.png`, await domToBlob(element, { backgroundColor: background, scale: Math.max(1, devicePixelRatio), filter }));
}
