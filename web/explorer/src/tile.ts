/** A view on the page: its picture, and the hand that brushes it. */
import { across, type Box, cells, type Colours, draw, type Picture, placeAt, rowed, rows } from "./draw";
import type { Span, Spans, View } from "./frame";
import { dragged, moved, said, toggled } from "./select";
import { Screen } from "./surface";

/** What a tile tells the page. */
export interface Hand {
  /** It is looked at: the next brush may be over it. */
  near(key: string): void;
  /** It is brushed; `done` when the hand lets go. */
  brushed(key: string, spans: Spans, done: boolean): void;
}

const HEIGHT = 186;
const NEAR_MS = 80;

export class Tile {
  readonly element: HTMLElement;
  private readonly canvas: HTMLCanvasElement;
  private readonly said: HTMLElement;
  private readonly told: HTMLElement;
  private readonly clear: HTMLButtonElement;
  private picture: Picture | undefined;
  private box: Box = { width: 0, height: 0 };
  private drag: { from: Place; began: Spans; kind: "new" | "move" | "pick" } | undefined;
  private waiting: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private view: View,
    private readonly hand: Hand,
  ) {
    const element = document.createElement("section");
    element.className = "tile";
    element.tabIndex = 0;
    element.setAttribute("role", "group");
    element.innerHTML =
      '<header><h3></h3><span class="said"></span><button class="clear" hidden title="Select all of it again (Escape)">×</button></header>' +
      '<canvas aria-hidden="true"></canvas><p class="told" role="status"></p>';
    this.element = element;
    this.canvas = found(element, "canvas") as HTMLCanvasElement;
    // A finger that moves up or down scrolls the page, but for grids.
    this.canvas.style.touchAction = view.y ? "none" : "pan-y";
    this.said = found(element, ".said");
    this.told = found(element, ".told");
    this.clear = found(element, ".clear") as HTMLButtonElement;
    found(element, "h3").textContent = title(view);
    if (view.x.note && !view.y) found(element, "h3").insertAdjacentHTML("beforeend", ` <small>${view.x.note}</small>`);
    element.setAttribute("aria-label", `${title(view)}: ${how(view)}`);
    this.clear.addEventListener("click", () => {
      hand.brushed(view.key, [], true);
    });
    element.addEventListener("keydown", (event) => {
      this.key(event);
    });
    element.addEventListener("focus", () => {
      hand.near(view.key);
    });
    this.listen();
  }

  /** Draw what there is of this view now. */
  show(picture: Picture, colours: Colours): void {
    this.picture = picture;
    this.view = picture.view;
    const { canvas } = this;
    const ratio = devicePixelRatio;
    const width = this.element.clientWidth - 24;
    const height = HEIGHT;
    this.box = { width, height };
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
      canvas.style.height = `${height}px`;
    }
    const context = canvas.getContext("2d");
    if (!context || width <= 0) return;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    draw(new Screen(context), picture, this.box, colours);
    const { x, y } = picture.view;
    const [wide, tall] = picture.spans;
    const words = !wide
      ? ""
      : y && tall
        ? `${said(x, [wide], true)} × ${said(y, [tall], true)}`
        : said(x, picture.spans);
    if (this.said.textContent !== words) this.said.textContent = words;
    this.clear.hidden = words === "";
  }

  private listen(): void {
    const { canvas, hand } = this;
    this.element.addEventListener("pointerenter", () => {
      clearTimeout(this.waiting);
      this.waiting = setTimeout(() => {
        hand.near(this.view.key);
      }, NEAR_MS);
    });
    this.element.addEventListener("pointerleave", () => {
      clearTimeout(this.waiting);
      this.told.textContent = "";
    });
    canvas.addEventListener("pointerdown", (event) => {
      clearTimeout(this.waiting);
      hand.near(this.view.key);
      canvas.setPointerCapture(event.pointerId);
      const at = this.placeOf(event);
      const began = this.picture?.spans ?? [];
      if (this.view.x.kind === "category" && !this.view.y) {
        this.drag = { from: at, began, kind: "pick" };
        return;
      }
      this.drag = { from: at, began, kind: inside(began, at, this.view) ? "move" : "new" };
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!this.drag) this.tell(this.placeOf(event));
      else if (this.drag.kind === "pick") return;
      else hand.brushed(this.view.key, this.spansOf(this.placeOf(event)), false);
    });
    const end = (event: PointerEvent): void => {
      if (!this.drag) return;
      const at = this.placeOf(event);
      const { from, began, kind } = this.drag;
      const still = at.x === from.x && at.y === from.y;
      let spans = still && kind !== "new" ? began : this.spansOf(at);
      if (kind === "pick") spans = still ? toggled(began, at.x) : began;
      else if (still && kind === "new" && !this.view.y) spans = [];
      this.drag = undefined;
      hand.brushed(this.view.key, spans, true);
    };
    const cancel = (): void => {
      if (!this.drag) return;
      const { began } = this.drag;
      this.drag = undefined;
      hand.brushed(this.view.key, began, true);
    };
    canvas.addEventListener("pointerup", end);
    canvas.addEventListener("pointercancel", cancel);
  }

  private spansOf(at: Place): Spans {
    const drag = this.drag;
    if (!drag) return [];
    const { x, y } = this.view;
    const [wide, tall] = drag.began;
    const places = y ? cells(x) + 1 : x.places;
    if (drag.kind === "move" && wide) {
      const along = moved(wide, at.x - drag.from.x, y ? cells(x) : x.bars << x.fine);
      return y && tall ? [along, moved(tall, at.y - drag.from.y, cells(y))] : [along];
    }
    const along = dragged(drag.from.x, at.x, places);
    return y ? [along, dragged(drag.from.y, at.y, cells(y) + 1)] : [along];
  }

  private placeOf(event: PointerEvent): Place {
    const { view, box } = this;
    const bounds = this.canvas.getBoundingClientRect();
    const [left, top] = [event.clientX - bounds.left, event.clientY - bounds.top];
    if (rowed(view)) {
      const shown = rows(view.x);
      const high = Math.min(box.height / shown.length, 26);
      return { x: shown[Math.max(0, Math.min(shown.length - 1, Math.floor(top / high)))] ?? 0, y: 0 };
    }
    const on = across({ view }, box);
    if (view.y) {
      const up = (box.height - 22) / cells(view.y);
      const row = Math.floor((box.height - 18 - top) / up);
      return {
        x: placeAt(view.x, on, left, cells(view.x), cells(view.x)),
        y: Math.max(0, Math.min(cells(view.y) - 1, row)),
      };
    }
    const zones = view.x.kind === "category" ? view.x.bars : view.x.bars << view.x.fine;
    return { x: placeAt(view.x, on, left, zones, view.x.missing), y: 0 };
  }

  /** The exact numbers of what lies under the pointer. */
  private tell(at: Place): void {
    const { picture, view } = this;
    if (!picture) return;
    const scale = picture.rows / Math.max(picture.counted, 1);
    const exact = picture.counted === picture.rows;
    const bin = view.y ? at.y * 32 + at.x : at.x >> view.x.fine;
    const [shown, all] = [picture.shown[bin] ?? 0, picture.all[bin] ?? 0].map((n) => Math.round(n * scale));
    const words = view.y
      ? `${said(view.x, [[at.x, at.x + 1]], true)} · ${said(view.y, [[at.y, at.y + 1]], true)}`
      : said(view.x, [bar(view, bin)]);
    const about = exact ? "" : "about ";
    this.told.textContent = `${words}: ${about}${number(shown ?? 0)} of ${number(all ?? 0)} rows`;
  }

  private key(event: KeyboardEvent): void {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const spans = this.picture?.spans ?? [];
    const { x, y, key } = this.view;
    if (event.key === "Escape" && spans.length > 0) this.hand.brushed(key, [], true);
    else if (step && !y && x.kind !== "category") {
      const zones = x.bars << x.fine;
      const [span] = spans.length ? spans : [[0, 1 << x.fine] as Span];
      if (!span) return;
      const by = step * (event.altKey ? 1 : 1 << x.fine);
      const next: Span = event.shiftKey
        ? [span[0], Math.max(span[0] + 1, Math.min(zones, span[1] + by))]
        : spans.length
          ? moved(span, by, zones)
          : span;
      this.hand.brushed(key, [next], true);
    } else if (/^[1-9]$/u.test(event.key) && !y && x.kind === "category") {
      const code = rows(x)[Number(event.key) - 1];
      if (code !== undefined) this.hand.brushed(key, toggled(spans, code), true);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }
}

interface Place {
  readonly x: number;
  readonly y: number;
}

export function title({ x, y }: View): string {
  return y ? `${x.name} × ${y.name}` : x.name;
}

export function number(value: number): string {
  return value.toLocaleString("en-US");
}

function how({ x, y }: View): string {
  if (y) return "drag to select an area";
  if (x.kind === "category") return "click names, or press their number, to select them";
  return "drag, or press the arrow keys, to select a range; with Shift its end moves";
}

function bar({ x }: View, bin: number): Span {
  return bin << x.fine >= x.missing ? [x.missing, x.missing + 1] : [bin << x.fine, (bin + 1) << x.fine];
}

function inside(spans: Spans, at: Place, { y }: View): boolean {
  const [wide, tall] = spans;
  const within = (span: Span | undefined, place: number): boolean => !!span && place >= span[0] && place < span[1];
  return within(wide, at.x) && (!y || within(tall, at.y));
}

function found(parent: HTMLElement, selector: string): HTMLElement {
  const element = parent.querySelector<HTMLElement>(selector);
  if (!element) throw new Error(`no ${selector}`);
  return element;
}
