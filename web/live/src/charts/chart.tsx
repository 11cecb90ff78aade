/** One ECharts canvas in a box whose size is reserved: options in, clicks out. */

import { BarChart, HeatmapChart } from "echarts/charts";
import { AriaComponent, GridComponent, TooltipComponent, VisualMapComponent } from "echarts/components";
import * as echarts from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";

echarts.use([BarChart, HeatmapChart, GridComponent, TooltipComponent, VisualMapComponent, AriaComponent, CanvasRenderer]);

export type Option = echarts.EChartsCoreOption;

interface Props {
  option: Option;
  label: string;
  height: number;
  onPick?: (name: string) => void;
}

export function Chart({ option, label, height, onPick }: Props): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const chart = useRef<echarts.ECharts | null>(null);
  const pick = useRef(onPick);
  pick.current = onPick;

  useEffect(() => {
    if (box.current === null) return;
    const made = echarts.init(box.current, null, { renderer: "canvas" });
    chart.current = made;
    made.on("click", (event) => pick.current?.(event.name));
    const watcher = new ResizeObserver(() => {
      made.resize();
    });
    watcher.observe(box.current);
    return () => {
      watcher.disconnect();
      made.dispose();
    };
  }, []);

  useEffect(() => {
    chart.current?.setOption({ animation: false, ...option }, { replaceMerge: ["series"], lazyUpdate: true });
  }, [option]);

  return <div ref={box} class="chart" style={{ height: `${height}px` }} role="img" aria-label={label} />;
}
