/** The arithmetic of tidemark/cubes/cube.py and sampling.py, checked against it by shared vectors. */
import type { Frame, Span, Spans, View } from "./frame";

const ACROSS = 33;
const Z_SQUARED = 1.959964 ** 2;

/** Adds to `bins` the bins of a span of the active view; in a grid, of a span across and one up. */
export function brush(frame: Frame, spans: Spans, bins: Uint32Array): void {
  bins.fill(0);
  if (frame.shape.length === 3) {
    const [across, up] = spans;
    if (across && up) corners(frame, across, up, bins);
    return;
  }
  for (const [first, end] of spans) add(frame, end, first, bins);
}

/** The bins of all places. */
export function everything(frame: Frame): Uint32Array {
  return frame.sums.slice(frame.sums.length - width(frame));
}

export function width(frame: Frame): number {
  return frame.shape.at(-1) ?? 0;
}

function add(frame: Frame, end: number, first: number, bins: Uint32Array): void {
  const { sums } = frame;
  const size = bins.length;
  for (let bin = 0, at = end * size, from = first * size; bin < size; bin++, at++, from++) {
    bins[bin] = (bins[bin] ?? 0) + (sums[at] ?? 0) - (sums[from] ?? 0);
  }
}

function corners(frame: Frame, [left, right]: Span, [bottom, top]: Span, bins: Uint32Array): void {
  const { sums } = frame;
  const size = bins.length;
  const at = (row: number, column: number): number => (row * ACROSS + column) * size;
  const [a, b, c, d] = [at(top, right), at(bottom, left), at(bottom, right), at(top, left)];
  for (let bin = 0; bin < size; bin++) {
    bins[bin] = (sums[a + bin] ?? 0) + (sums[b + bin] ?? 0) - (sums[c + bin] ?? 0) - (sums[d + bin] ?? 0);
  }
}

/** How many rows lie at each place of the view that is brushed over: its own picture. */
export function places(frame: Frame): Uint32Array {
  const size = width(frame);
  if (frame.shape.length === 2) {
    const found = new Uint32Array((frame.shape[0] ?? 1) - 1);
    for (let place = 0; place < found.length; place++) {
      found[place] = (frame.sums[(place + 1) * size] ?? 0) - (frame.sums[place * size] ?? 0);
    }
    return found;
  }
  const found = new Uint32Array((ACROSS - 1) ** 2);
  const one = new Uint32Array(size);
  for (let cell = 0; cell < found.length; cell++) {
    const [row, column] = [Math.floor(cell / (ACROSS - 1)), cell % (ACROSS - 1)];
    corners(frame, [column, column + 1], [row, row + 1], one);
    found[cell] = one[0] ?? 0;
  }
  return found;
}

/** Of the places of the view that is brushed over, those that are selected; the others are empty. */
export function within(view: View, counts: Uint32Array, spans: Spans): Uint32Array {
  const found = new Uint32Array(counts.length);
  const [across, up] = spans;
  counts.forEach((count, place) => {
    const held = view.y
      ? holds(across, place % (ACROSS - 1)) && holds(up, Math.floor(place / (ACROSS - 1)))
      : spans.some((span) => holds(span, place));
    if (held) found[place] = count;
  });
  return found;
}

function holds(span: Span | undefined, place: number): boolean {
  return span !== undefined && place >= span[0] && place < span[1];
}

/** The bars of a column, with what is missing at last, from its places. */
export function barred(view: View, counts: Uint32Array): Uint32Array {
  const bars = new Uint32Array((view.x.missing >> view.x.fine) + 1);
  counts.forEach((count, place) => {
    bars[place >> view.x.fine] = (bars[place >> view.x.fine] ?? 0) + count;
  });
  return bars;
}

/** A count of all rows as a sample tells it, with the ends of its 95 % interval. */
export function estimate(found: number, counted: number, rows: number): { rows: number; least: number; most: number } {
  const share = found / counted;
  const square = (Z_SQUARED * (rows - counted)) / Math.max(rows - 1, 1) / counted;
  const middle = (share + square / 2) / (1 + square);
  const half = Math.sqrt(square * share * (1 - share) + square ** 2 / 4) / (1 + square);
  const least = Math.max(Math.max(middle - half, 0) * rows, found);
  return { rows: share * rows, least, most: Math.min(middle + half, 1) * rows };
}
