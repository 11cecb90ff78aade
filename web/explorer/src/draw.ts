/** The picture of a view: bars, or a grid of cells, of all rows and of those that are brushed. */
import { estimate } from "./cube";
import type { Axis, Span, Spans, View } from "./frame";
import type { Surface } from "./surface";

export interface Colours {
  readonly accent: string;
  readonly soft: string;
  readonly edge: string;
  readonly faint: string;
  readonly text: string;
}

/** What a picture shows. `all` and `shown`: counts of each bin, of all places and of the brush. */
export interface Picture {
  readonly view: View;
  readonly all: Uint32Array;
  readonly shown: Uint32Array;
  readonly spans: Spans;
  readonly counted: number;
  readonly rows: number;
  /** The share that the tallest bar has of the height: bars of few rows are drawn taller. */
  readonly shape: boolean;
}

export interface Box {
  readonly width: number;
  readonly height: number;
}

const BELOW = 18;
const ABOVE = 4;
const LEFT_OF_GRID = 64;
const GAP = 14;
const CELLS = 32;
const ROWS = 8;
const NAMES = 116;

/** Where an axis lies on its box: values from `left` over `length`, what is missing after a gap. */
export interface Ruler {
  readonly left: number;
  readonly length: number;
  readonly bar: number;
}

export function ruler(axis: Axis, left: number, width: number, bars: number): Ruler {
  const room = width - left - (axis.gaps ? GAP : 0);
  const bar = room / (bars + (axis.gaps ? 1 : 0));
  return { left, length: bar * bars, bar };
}

export function across(picture: Pick<Picture, "view">, box: Box): Ruler {
  const { x, y } = picture.view;
  return ruler(x, y ? LEFT_OF_GRID : 0, box.width, y ? cells(x) : x.bars);
}

/** How many cells of a grid stand for values. */
export function cells(axis: Axis): number {
  return axis.missing >> axis.coarse;
}

/** The place under a point: a zone, or what is missing. */
export function placeAt(axis: Axis, on: Ruler, x: number, zones: number, missing: number): number {
  const part = (x - on.left) / on.length;
  if (axis.gaps && x > on.left + on.length + GAP / 2) return missing;
  return Math.max(0, Math.min(zones - 1, Math.floor(part * zones)));
}

/** Whether a view is drawn as a row for each category. */
export function rowed({ x, y }: View): boolean {
  return y === null && x.kind === "category" && x.bars + (x.gaps ? 1 : 0) <= ROWS;
}

/** The categories of such a view, in the order of its rows. */
export function rows(axis: Axis): readonly number[] {
  const named = Array.from({ length: axis.bars }, (_, bar) => bar);
  return axis.gaps ? [...named, axis.missing] : named;
}

export function draw(surface: Surface, picture: Picture, box: Box, colours: Colours): void {
  if (picture.view.y) drawGrid(surface, picture, box, colours);
  else if (rowed(picture.view)) drawRows(surface, picture, box, colours);
  else drawBars(surface, picture, box, colours);
}

function drawRows(surface: Surface, picture: Picture, box: Box, colours: Colours): void {
  const { view, all, shown } = picture;
  const shownRows = rows(view.x);
  const high = Math.min(box.height / shownRows.length, 26);
  const most = largest(picture.shape ? shown : all);
  const selected = new Set(picture.spans.map(([first]) => first));
  for (const [place, bar] of shownRows.entries()) {
    const top = place * high;
    const room = box.width - NAMES;
    const faint = selected.size > 0 && !selected.has(bar);
    const name = bar === view.x.missing ? "none" : (view.x.texts[bar] ?? "");
    surface.text(clipped(name), 0, top + high / 2 + 4, faint ? colours.faint : colours.text, "left");
    if (!picture.shape) surface.rect(NAMES, top + 2, ((all[bar] ?? 0) / most) * room, high - 5, colours.soft);
    const [least, end] = interval(picture, shown[bar] ?? 0);
    const long = ((end - least) / most) * room;
    const wide = ((shown[bar] ?? 0) / most) * room;
    surface.rect(NAMES, top + 2, wide, high - 5, bar === view.x.missing ? colours.edge : colours.accent, faint ? 0.35 : 1);
    if (long > 1) surface.rect(NAMES + (least / most) * room, top + high / 2 - 1, long, 1, colours.text);
  }
}

function clipped(name: string): string {
  return name.length > 18 ? `${name.slice(0, 17)}…` : name;
}

function drawBars(surface: Surface, picture: Picture, box: Box, colours: Colours): void {
  const { view, all, shown } = picture;
  const on = across(picture, box);
  const floor = box.height - BELOW;
  const high = floor - ABOVE;
  const most = largest(picture.shape ? shown : all);
  const gap = on.bar > 3 ? 1 : 0;
  const missing = view.x.missing >> view.x.fine;
  for (let bar = 0; bar <= missing; bar++) {
    if (bar >= view.x.bars && bar < missing) continue;
    const left = bar < missing ? on.left + bar * on.bar : on.left + on.length + GAP;
    const whole = ((all[bar] ?? 0) / most) * high;
    const part = ((shown[bar] ?? 0) / most) * high;
    const wide = Math.max(on.bar - gap, 0.5);
    if (!picture.shape) surface.rect(left, floor - whole, wide, whole, colours.soft);
    surface.rect(left, floor - part, wide, part, bar < missing ? colours.accent : colours.edge);
    const [least, top] = interval(picture, shown[bar] ?? 0);
    const tall = ((top - least) / most) * high;
    if (tall > 1) surface.rect(left + wide / 2 - 0.5, floor - (top / most) * high, 1, tall, colours.text);
  }
  surface.rect(on.left, floor, box.width - on.left, 1, colours.edge);
  drawTicks(surface, view.x, on, box.height - 5, colours);
  if (view.x.gaps) surface.text("none", box.width, box.height - 5, colours.faint, "right");
  for (const span of picture.spans) drawSpan(surface, view.x, on, span, floor, colours);
}

/** The 95 % interval of a bin that a sample tells, in rows of the sample. */
function interval({ counted, rows }: Picture, found: number): Span {
  if (counted === rows) return [found, found];
  const { least, most } = estimate(found, counted, rows);
  return [(least / rows) * counted, (most / rows) * counted];
}

function drawTicks(surface: Surface, axis: Axis, on: Ruler, y: number, colours: Colours): void {
  for (const [at, text] of axis.ticks) {
    const align = at < 0.04 ? "left" : at > 0.96 && !axis.gaps ? "right" : "center";
    surface.text(text, on.left + at * on.length, y, colours.faint, align);
  }
}

function drawSpan(surface: Surface, axis: Axis, on: Ruler, span: Span, floor: number, colours: Colours): void {
  const [left, right] = ends(axis, on, span, axis.fine > 0 ? axis.bars << axis.fine : axis.bars, axis.missing);
  surface.rect(left, 0, right - left, floor, colours.accent, 0.12);
  surface.rect(left, 0, 1, floor, colours.accent);
  surface.rect(right - 1, 0, 1, floor, colours.accent);
}

/** Where a span begins and ends on the screen. */
export function ends(axis: Axis, on: Ruler, [first, end]: Span, zones: number, missing: number): [number, number] {
  const at = (place: number): number => on.left + (Math.min(place, zones) / zones) * on.length;
  if (first >= missing) return [on.left + on.length + GAP, on.left + on.length + GAP + on.bar];
  return [at(first), end > missing && axis.gaps ? on.left + on.length + GAP + on.bar : at(end)];
}

function drawGrid(surface: Surface, picture: Picture, box: Box, colours: Colours): void {
  const { view, all, shown } = picture;
  const { x } = view;
  const y = view.y ?? x;
  const on = across(picture, box);
  const [columns, rows] = [cells(x), cells(y)];
  const floor = box.height - BELOW;
  const up = (floor - ABOVE) / rows;
  const most = Math.log1p(largest(picture.shape ? shown : all));
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const count = shown[row * CELLS + column] ?? 0;
      const left = on.left + column * on.bar;
      const top = floor - (row + 1) * up;
      if (count > 0) surface.rect(left, top, on.bar + 0.3, up + 0.3, colours.accent, 0.08 + 0.92 * (Math.log1p(count) / most));
      else if (all[row * CELLS + column]) surface.rect(left, top, on.bar + 0.3, up + 0.3, colours.soft, 0.7);
    }
  }
  surface.rect(on.left, floor, on.length, 1, colours.edge);
  drawTicks(surface, x, on, box.height - 5, colours);
  for (const [at, text] of y.ticks) {
    const place = floor - at * (floor - ABOVE);
    surface.text(text, on.left - 6, Math.min(floor, Math.max(ABOVE + 8, place + 4)), colours.faint, "right");
  }
  const [wide, tall] = picture.spans;
  if (wide && tall) {
    const left = on.left + wide[0] * on.bar;
    const right = on.left + Math.min(wide[1], columns) * on.bar;
    const [top, bottom] = [floor - Math.min(tall[1], rows) * up, floor - tall[0] * up];
    surface.rect(left, top, right - left, bottom - top, colours.accent, 0.12);
    for (const [a, b, w, h] of [
      [left, top, right - left, 1],
      [left, bottom - 1, right - left, 1],
      [left, top, 1, bottom - top],
      [right - 1, top, 1, bottom - top],
    ] as const) {
      surface.rect(a, b, w, h, colours.accent);
    }
  }
}

function largest(counts: Uint32Array): number {
  let most = 1;
  for (const count of counts) if (count > most) most = count;
  return most;
}
