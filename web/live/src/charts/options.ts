/** What each chart shows, as ECharts options. Pure: view and colours in, option out. */

import { at, type Measures } from "../cells";
import { clock, count, day, fullDay, type Money } from "../format";
import type { View } from "../view";
import type { Option } from "./chart";
import type { Colours } from "./theme";

const SALES = at("sales");
const TICKETS = at("tickets");
const FONT = "12px ui-sans-serif, system-ui, sans-serif";

const base = (c: Colours): Option => ({
  textStyle: { fontFamily: "ui-sans-serif, system-ui, sans-serif", color: c.faint },
  aria: { enabled: true },
  tooltip: {
    backgroundColor: c.surface,
    borderColor: c.line,
    padding: [6, 10],
    textStyle: { color: c.text, fontSize: 13 },
    extraCssText: "box-shadow:none;font-variant-numeric:tabular-nums",
    transitionDuration: 0,
  },
});

const valueAxis = (c: Colours, money: Money): Option => ({
  type: "value",
  min: 0,
  splitNumber: 3,
  axisLabel: { formatter: money.round, color: c.faint },
  splitLine: { lineStyle: { color: c.line } },
});

const categoryAxis = (c: Colours, data: string[]): Option => ({
  type: "category",
  data,
  axisTick: { show: false },
  axisLine: { lineStyle: { color: c.line } },
  axisLabel: { color: c.faint, hideOverlap: true },
});

const total = (measures: Measures | undefined): number => measures?.[SALES] ?? 0;

export function overTime(view: View, branchColour: (branch: string) => string, c: Colours, money: Money): Option {
  const name = view.grain === "day" ? day : clock;
  const full = (place: number): string => {
    const minute = view.buckets[place] ?? 0;
    return view.grain === "day" ? fullDay(minute) : `${fullDay(minute)}, ${clock(minute)}`;
  };
  return {
    ...base(c),
    grid: { left: 8, right: 8, top: 12, bottom: 4, containLabel: true },
    tooltip: {
      ...(base(c)["tooltip"] as Option),
      trigger: "axis",
      axisPointer: { type: "shadow", shadowStyle: { color: c.line, opacity: 0.5 } },
      valueFormatter: (value: number) => money.fromUnits(value),
      formatter: (parts: { dataIndex: number; seriesName: string; value: number; marker: string }[]) => {
        const sum = parts.reduce((so, part) => so + part.value, 0);
        const lines = parts.map((part) => `${part.marker} Branch ${escape(part.seriesName)} <b>${money.fromUnits(part.value)}</b>`);
        return [`${full(parts[0]?.dataIndex ?? 0)} <b>${money.fromUnits(sum)}</b>`, ...lines].join("<br>");
      },
    },
    xAxis: categoryAxis(c, view.buckets.map(name)),
    yAxis: valueAxis(c, money),
    series: [...view.salesByBranch].map(([branch, data]) => ({
      type: "bar",
      name: branch,
      stack: "all",
      data,
      itemStyle: { color: branchColour(branch) },
      barCategoryGap: view.buckets.length > 60 ? "12%" : "30%",
      emphasis: { disabled: true },
    })),
  };
}

export function byLine(view: View, selected: ReadonlySet<string>, c: Colours, money: Money): Option {
  const lines = [...view.byLine].sort((a, b) => total(a[1]) - total(b[1]) || b[0].localeCompare(a[0]));
  return {
    ...base(c),
    grid: { left: 8, right: 64, top: 4, bottom: 4, containLabel: true },
    tooltip: {
      ...(base(c)["tooltip"] as Option),
      formatter: (part: { name: string; dataIndex: number }) => mark(part.name, lines[part.dataIndex]?.[1], money),
    },
    xAxis: { type: "value", min: 0, show: false },
    yAxis: { ...categoryAxis(c, lines.map(([line]) => line)), axisLabel: { color: c.text, fontSize: 13 }, axisLine: { show: false } },
    series: [
      {
        type: "bar",
        barCategoryGap: "38%",
        data: lines.map(([line, measures]) => ({
          value: total(measures),
          itemStyle: { color: selected.size === 0 || selected.has(line) ? c.accent : c.accentSoft },
        })),
        label: {
          show: true,
          position: "right",
          color: c.text,
          font: FONT,
          formatter: (part: { value: number }) => money.short(part.value),
        },
        emphasis: { disabled: true },
      },
    ],
  };
}

export function paymentByCustomer(view: View, payments: string[], customers: string[], c: Colours, money: Money): Option {
  const cells = payments.flatMap((payment, y) =>
    customers.map((customer, x) => [x, y, total(view.byPayment.get(payment)?.get(customer))]),
  );
  const most = Math.max(1, ...cells.map((cell) => cell[2] ?? 0));
  return {
    ...base(c),
    grid: { left: 8, right: 8, top: 4, bottom: 4, containLabel: true },
    tooltip: {
      ...(base(c)["tooltip"] as Option),
      formatter: (part: { value: number[] }) => {
        const [x = 0, y = 0] = part.value;
        const [payment, customer] = [payments[y] ?? "", customers[x] ?? ""];
        return mark(`${payment}, ${customer}`, view.byPayment.get(payment)?.get(customer), money);
      },
    },
    xAxis: { ...categoryAxis(c, customers), axisLabel: { color: c.text, fontSize: 13 }, axisLine: { show: false } },
    yAxis: { ...categoryAxis(c, payments), axisLabel: { color: c.text, fontSize: 13 }, axisLine: { show: false } },
    visualMap: { show: false, min: 0, max: most, inRange: { color: [c.surface, c.accentSoft] } },
    series: [
      {
        type: "heatmap",
        data: cells,
        label: {
          show: true,
          color: c.text,
          fontSize: 13,
          formatter: (part: { value: number[] }) => money.short(part.value[2] ?? 0),
        },
        itemStyle: { borderColor: c.line, borderWidth: 1 },
        emphasis: { disabled: true },
      },
    ],
  };
}

export function byHour(view: View, opens: number, closes: number, c: Colours, money: Money): Option {
  const hours = view.byHour
    .map((measures, hour) => ({ hour, measures }))
    .filter(({ hour, measures }) => (hour >= opens && hour < closes) || total(measures) > 0);
  return {
    ...base(c),
    grid: { left: 8, right: 8, top: 12, bottom: 4, containLabel: true },
    tooltip: {
      ...(base(c)["tooltip"] as Option),
      formatter: (part: { dataIndex: number }) => {
        const found = hours[part.dataIndex];
        const from = found?.hour ?? 0;
        return mark(`${String(from)}:00 to ${String(from + 1)}:00`, found?.measures, money);
      },
    },
    xAxis: categoryAxis(c, hours.map(({ hour }) => String(hour))),
    yAxis: valueAxis(c, money),
    series: [
      {
        type: "bar",
        barCategoryGap: "25%",
        data: hours.map(({ measures }) => total(measures)),
        itemStyle: { color: c.accent },
        emphasis: { disabled: true },
      },
    ],
  };
}

/** What a mark says when it is asked: what it is, its exact value, its count of sales. */
function mark(name: string, measures: Measures | undefined, money: Money): string {
  return `${escape(name)}<br><b>${money.fromUnits(total(measures))}</b> · ${count(measures?.[TICKETS] ?? 0)} tickets`;
}

/** Names come from tills: nothing in them may be markup. */
export function escape(value: string): string {
  return value.replace(/[&<>"']/g, (found) => `&#${found.charCodeAt(0)};`);
}
