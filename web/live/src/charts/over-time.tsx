/** Bars over time on one canvas: point to ask, drag or shift with the arrow keys to choose a time, Enter to filter by it. */

import { effect } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { colours } from "../state/theme";

interface Props {
  /** the store's minute at which each bar begins */
  minutes: number[];
  /** what stands under a bar */
  name: (bar: number) => string;
  values: (number | null)[];
  /** what the bars are compared with, drawn as a line */
  compared: (number | null)[] | null;
  label: string;
  /** what a bar says when it is asked */
  says: (bar: number) => string;
  axis: (value: number) => string;
  point: (bar: number | null) => void;
  /** told the first and the last chosen bar */
  choose: (first: number, last: number) => void;
}

/** minutes from one name under the bars to the next */
const STEPS = [5, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 10_080, 20_160, 40_320, 80_640, 161_280, 483_840];
const MONDAY = 5760; // minute 5760 since 1970 began a Monday: steps of days and weeks begin there

const rem = (): number => parseFloat(getComputedStyle(document.documentElement).fontSize);
const CLICK_PX = 4;

export function OverTime(props: Props): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const latest = useRef(props);
  latest.current = props;
  const [at, setAt] = useState<number | null>(null);
  const [from, setFrom] = useState<number | null>(null);
  const [size, setSize] = useState(rem);
  const bars = props.values.length;

  useEffect(() => {
    const parent = box.current;
    if (parent === null) return;
    const made = new uPlot(options(latest, parent), data(latest.current), parent);
    plot.current = made;
    const watcher = new ResizeObserver(() => {
      made.setSize({ width: parent.clientWidth, height: parent.clientHeight });
      setSize(rem());
    });
    watcher.observe(parent);
    const painted = effect(() => {
      if (colours.value.text !== "") made.redraw(false);
    });
    return () => {
      painted();
      watcher.disconnect();
      made.destroy();
    };
  }, [size]);

  useEffect(() => {
    plot.current?.setData(data(props));
  }, [props.values, props.compared, props.axis, props.name]);

  useEffect(() => {
    const made = plot.current;
    if (made === null || at === null) return;
    const [first, last] = [Math.min(from ?? at, at), Math.max(from ?? at, at)];
    const left = made.valToPos(first - 0.5, "x");
    made.setSelect({ left, width: made.valToPos(last + 0.5, "x") - left, top: 0, height: made.over.clientHeight }, false);
    props.point(at);
  }, [at, from]);

  const leave = (): void => {
    setAt(null);
    setFrom(null);
    plot.current?.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
    props.point(null);
  };

  const key = (event: KeyboardEvent): void => {
    const here = at ?? bars - 1;
    const targets: Record<string, number> = {
      ArrowLeft: here - 1, ArrowRight: here + 1, PageUp: here - 10, PageDown: here + 10, Home: 0, End: bars - 1,
    };
    const target = targets[event.key];
    if (target !== undefined && bars > 0) {
      const now = Math.max(0, Math.min(bars - 1, target));
      setFrom(event.shiftKey ? (from ?? at ?? now) : null);
      setAt(now);
    } else if (event.key === "Enter" && at !== null) {
      props.choose(Math.min(from ?? at, at), Math.max(from ?? at, at));
      leave();
    } else if (event.key === "Escape" && at !== null) {
      event.stopPropagation();
      leave();
      return;
    } else return;
    event.preventDefault();
  };

  return (
    <div
      ref={box}
      class="over-time"
      tabIndex={0}
      role="slider"
      aria-label={props.label}
      aria-valuemin={0}
      aria-valuemax={Math.max(0, bars - 1)}
      aria-valuenow={at ?? Math.max(0, bars - 1)}
      aria-valuetext={bars === 0 ? "no sales" : props.says(at ?? bars - 1)}
      onKeyDown={key}
      onBlur={leave}
    />
  );
}

function data({ values, compared }: Props): uPlot.AlignedData {
  return [values.map((_, place) => place), values, compared ?? values.map(() => null)];
}

const someOf = (plot: uPlot): boolean => plot.data.slice(1).some((series) => series.some((value) => (value ?? 0) > 0));

/** The bars that are named: those at which a round time begins, `most` of them at most. */
function named(minutes: number[], most: number): number[] {
  for (const step of STEPS) {
    const found = minutes.flatMap((minute, place) => ((minute - MONDAY) % step === 0 ? [place] : []));
    if (found.length <= most) return found;
  }
  return [];
}

function options(latest: { current: Props }, parent: HTMLElement): uPlot.Options {
  const colour = (name: "faint" | "line" | "accent" | "text"): (() => string) => () => colours.value[name];
  const font = (): string => `${0.85 * rem()}px ui-sans-serif, system-ui, sans-serif`;
  const bars = uPlot.paths.bars?.({ size: [0.8, 64 * devicePixelRatio], radius: 0 });
  const line = uPlot.paths.linear?.();
  const held = { start: 0 };
  return {
    width: parent.clientWidth,
    height: parent.clientHeight,
    padding: [8, 16, 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { show: false }, drag: { x: true, y: false, setScale: false } },
    select: { show: true, left: 0, top: 0, width: 0, height: 0 },
    scales: {
      x: { time: false, range: (_, min, max) => [min - 0.6, max + 0.6] },
      y: { range: (_, __, max) => [0, max > 0 ? max * 1.05 : 1] },
    },
    axes: [
      {
        stroke: colour("faint"), font: font(), gap: 4, size: 2 * rem(), space: 5 * rem(),
        grid: { show: false },
        ticks: { show: false },
        splits: (plot) => named(latest.current.minutes, plot.bbox.width / uPlot.pxRatio / (5 * rem())),
        values: (_, splits) => splits.map((place) => latest.current.name(place)),
      },
      {
        stroke: colour("faint"), font: font(), gap: 6, size: (_, values: string[] | null) => (0.5 * Math.max(7, ...(values ?? []).map((text) => text.length)) + 0.6) * rem(), space: 3 * rem(),
        grid: { stroke: colour("line"), width: 1 },
        ticks: { show: false },
        values: (plot, splits) => splits.map((value) => (someOf(plot) ? latest.current.axis(value) : "")),
      },
    ],
    series: [
      {},
      { fill: colour("accent"), stroke: colour("accent"), width: 0, points: { show: false }, ...(bars && { paths: bars }) },
      { stroke: colour("text"), width: 1.5, dash: [4, 3], points: { show: false }, ...(line && { paths: line }) },
    ],
    hooks: {
      setCursor: [
        (plot) => {
          if (plot.cursor.event === undefined) return;
          latest.current.point(plot.cursor.idx ?? null);
        },
      ],
      setSelect: [
        (plot) => {
          if (plot.select.width < CLICK_PX) return;
          const first = Math.max(0, Math.round(plot.posToVal(plot.select.left, "x")));
          const last = Math.min(latest.current.values.length - 1, Math.round(plot.posToVal(plot.select.left + plot.select.width, "x")));
          plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
          if (last >= first) latest.current.choose(first, last);
        },
      ],
      ready: [
        (plot) => {
          plot.over.addEventListener("pointerdown", (event) => {
            held.start = event.clientX;
          });
          plot.over.addEventListener("click", (event) => {
            const bar = plot.cursor.idx;
            if (Math.abs(event.clientX - held.start) < CLICK_PX && bar !== null && bar !== undefined) latest.current.choose(bar, bar);
          });
        },
      ],
    },
  };
}
