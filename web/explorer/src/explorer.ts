/** All views, and what is selected in them. The server is asked when the cube itself must change, and only then. */
import { barred, brush, estimate, everything, places, width, within } from "./cube";
import { type Box, type Colours, draw, type Picture } from "./draw";
import type { Frame, Selected, Spans, View } from "./frame";
import { csv, save, type Saved } from "./save";
import { put, python, said, same, sql, without } from "./select";
import type { Surface } from "./surface";
import { number, Tile, title } from "./tile";

/** What is looked at: the server answers with all views at every place of a brush over `active`, where that changes. */
export interface Asked {
  readonly table: string;
  readonly active: string;
  readonly selected: Selected;
}

const TOLD_MS = 200;
const COLOURS: readonly (keyof Colours)[] = ["accent", "soft", "edge", "faint", "text"];

export class Explorer {
  private frame: Frame | undefined;
  private bins: Uint32Array = new Uint32Array();
  private all: Uint32Array = new Uint32Array();
  private own: Uint32Array = new Uint32Array();
  private active = "";
  private selected: Selected = {};
  private readonly before: Selected[] = [];
  private tiles = new Map<string, Tile>();
  private shape = false;
  /** What the server knows, or was told last. */
  private asked: Asked | undefined;
  private telling: ReturnType<typeof setTimeout> | undefined;
  /** What was selected when the hand went down. */
  private drag: Selected | undefined;
  private colours: Colours | undefined;
  private drawing = 0;
  private readonly line: HTMLElement;
  private readonly tools: HTMLElement;
  private readonly grid: HTMLElement;

  constructor(
    private readonly root: HTMLElement,
    private ask: (asked: Asked) => void,
  ) {
    root.className = "explorer";
    root.innerHTML =
      '<header><p class="line" role="status"></p><div class="tools"></div></header><div class="tiles"></div>';
    this.line = child(root, ".line");
    this.tools = child(root, ".tools");
    this.grid = child(root, ".tiles");
    this.tool("Undo", "Take the last selection back (Escape, Ctrl+Z)", () => {
      this.undo();
    });
    this.tool("Reset", "Select everything again", () => {
      this.select({});
    });
    this.tool("Shape", "Draw the selected rows to their own scale", (button) => {
      this.shape = !this.shape;
      button.setAttribute("aria-pressed", String(this.shape));
      this.redraw();
    }).setAttribute("aria-pressed", "false");
    this.tool("SQL", "Copy the selection as SQL", (button) => {
      this.copy(button, sql);
    });
    this.tool("Python", "Copy the selection as Python", (button) => {
      this.copy(button, python);
    });
    for (const kind of ["CSV", "SVG", "PNG"] as const) {
      this.tool(kind, `Save what is drawn as ${kind}`, () => {
        this.save(kind);
      });
    }
    root.addEventListener("keydown", (event) => {
      if (event.key === "Escape" || (event.key === "z" && (event.ctrlKey || event.metaKey))) this.undo();
      else return;
      event.preventDefault();
    });
    new ResizeObserver(() => {
      this.redraw();
    }).observe(this.grid);
  }

  /** A cube has come. */
  take(frame: Frame, ask: (asked: Asked) => void): void {
    this.ask = ask;
    const { frame: before } = this;
    if (before?.look === frame.look && before.counted === frame.counted && before.opened === frame.opened) return;
    const other = !before || before.table !== frame.table || before.opened !== frame.opened;
    this.frame = frame;
    if (other) {
      this.active = frame.active;
      this.selected = put(frame.selected, frame.active, frame.brushed);
      this.asked = { table: frame.table, active: this.active, selected: this.selected };
    }
    if (other || !alike(before.views, frame.views)) this.lay(frame.views);
    if (!this.tiles.has(this.active)) this.active = frame.active;
    this.selected = only(this.selected, this.tiles);
    this.bins = new Uint32Array(width(frame));
    this.all = everything(frame);
    this.own = places(frame);
    this.root.dataset["look"] = String(frame.look);
    this.redraw();
    this.request();
  }

  /** The mode has changed: light or dark. */
  dress(): void {
    this.colours = undefined;
    this.redraw();
  }

  private lay(views: readonly View[]): void {
    const hand = {
      near: (key: string) => {
        this.active = key;
        this.request();
      },
      brushed: (key: string, spans: Spans, done: boolean) => {
        this.brushed(key, spans, done);
      },
    };
    this.before.length = 0;
    this.tiles = new Map(views.map((view) => [view.key, new Tile(view, hand)]));
    this.grid.replaceChildren(...[...this.tiles.values()].map((tile) => tile.element));
  }

  private brushed(key: string, spans: Spans, done: boolean): void {
    this.drag ??= this.selected;
    this.active = key;
    this.selected = put(this.selected, key, spans);
    if (done) {
      if (!same(this.drag, this.selected)) this.before.push(this.drag);
      this.drag = undefined;
      this.request();
    }
    this.redraw();
  }

  private select(selected: Selected, remember = true): void {
    if (same(selected, this.selected)) return;
    if (remember) this.before.push(this.selected);
    this.selected = selected;
    this.request();
    this.redraw();
  }

  private undo(): void {
    const last = this.before.pop();
    if (last) this.select(last, false);
  }

  /** Tells what is looked at: at once where the cube here does not hold it, else when the hand rests. */
  private request(): void {
    const { frame, active, selected } = this;
    if (!frame || !this.tiles.has(active)) return;
    clearTimeout(this.telling);
    if (this.asked?.active === active && same(this.asked.selected, selected)) return;
    const tell = (): void => {
      this.asked = { table: frame.table, active, selected };
      this.ask(this.asked);
    };
    if (frame.active === active && same(frame.selected, without(selected, active))) {
      this.telling = setTimeout(tell, TOLD_MS);
    } else tell();
  }

  private redraw(): void {
    cancelAnimationFrame(this.drawing);
    this.drawing = requestAnimationFrame(() => {
      this.draw();
    });
  }

  private draw(): void {
    const { frame } = this;
    if (!frame) return;
    this.colours ??= read(this.root);
    const spans = this.selected[frame.active];
    if (spans) brush(frame, spans, this.bins);
    else this.bins.set(this.all);
    for (const view of frame.views) this.tiles.get(view.key)?.show(this.picture(frame, view), this.colours);
    this.say(frame);
  }

  /** What a view shows: bins of the cube; the view that is brushed over, its own places. */
  private picture(frame: Frame, view: View): Picture {
    const { counted, rows } = frame;
    const spans = this.selected[view.key] ?? [];
    const rest = { view, spans, counted, rows, shape: this.shape };
    if (!view.part) {
      const shown = spans.length > 0 ? within(view, this.own, spans) : this.own;
      if (view.y) return { ...rest, all: this.own, shown };
      return { ...rest, all: barred(view, this.own), shown: barred(view, shown) };
    }
    const [first, end] = view.part;
    return { ...rest, all: this.all.subarray(first, end), shown: this.bins.subarray(first, end) };
  }

  private say(frame: Frame): void {
    const { counted, rows } = frame;
    const found = this.bins[0] ?? 0;
    const told = estimate(found, counted, rows);
    const range = `${number(Math.round(told.least))} to ${number(Math.round(told.most))}`;
    const count =
      counted === rows
        ? `${number(found)} of ${number(rows)} rows`
        : `about ${number(Math.round(told.rows))} of ${number(rows)} rows (${range}); counting them all`;
    const parts = frame.views.flatMap((view) => {
      const spans = this.selected[view.key];
      return spans ? [`${view.y ? "" : `${title(view)} `}${words(view, spans)}`] : [];
    });
    const share = rows > 0 ? ` · ${((told.rows / rows) * 100).toFixed(1)} %` : "";
    const text = `${count}${parts.length ? `${share} · ${parts.join(" · ")}` : ""}`;
    if (this.line.textContent !== text) this.line.textContent = text;
    this.root.dataset["exact"] = String(counted === rows);
    this.root.dataset["found"] = String(found);
  }

  private tool(name: string, help: string, act: (button: HTMLButtonElement) => void): HTMLButtonElement {
    const button = document.createElement("button");
    button.textContent = name;
    button.title = help;
    button.addEventListener("click", () => {
      act(button);
    });
    this.tools.append(button);
    return button;
  }

  private copy(button: HTMLButtonElement, write: typeof sql): void {
    const { frame } = this;
    if (!frame) return;
    void navigator.clipboard.writeText(write(frame.source, frame.views, this.selected)).then(
      () => {
        flash(button, "Copied");
      },
      () => {
        flash(button, "Not allowed");
      },
    );
  }

  private save(kind: "CSV" | "SVG" | "PNG"): void {
    const { frame, colours } = this;
    if (!frame || !colours) return;
    const pictures = frame.views.map((view): Saved => ({ title: title(view), ...this.picture(frame, view) }));
    const ground = getComputedStyle(this.root).backgroundColor;
    const box = (): Box => ({ width: 420, height: 186 });
    const words = this.line.textContent;
    if (kind === "CSV") csv(pictures);
    else {
      const paint = (surface: Surface, picture: Picture): void => {
        draw(surface, picture, box(), colours);
      };
      save(kind, pictures, box(), paint, { ...colours, ground, words });
    }
  }
}

function words({ x, y }: View, spans: Spans): string {
  const [wide, tall] = spans;
  return y && wide && tall
    ? `${x.name} ${said(x, [wide], true)} · ${y.name} ${said(y, [tall], true)}`
    : said(x, spans);
}

/** What is selected in views that are shown. */
function only(selected: Selected, shown: ReadonlyMap<string, unknown>): Selected {
  return Object.fromEntries(Object.entries(selected).filter(([key]) => shown.has(key)));
}

function alike(views: readonly View[], others: readonly View[]): boolean {
  return views.length === others.length && views.every((view, place) => view.key === others[place]?.key);
}

/** Says what came of it in a button's own place, for a moment. */
function flash(button: HTMLButtonElement, word: string): void {
  const name = (button.dataset["name"] ??= button.textContent);
  button.textContent = word;
  setTimeout(() => {
    button.textContent = name;
  }, 1200);
}

/** The page's colours, as a canvas takes them. */
function read(root: HTMLElement): Colours {
  const probe = root.appendChild(document.createElement("i"));
  const entries = COLOURS.map((name) => {
    probe.style.color = `var(--${name})`;
    return [name, getComputedStyle(probe).color] as const;
  });
  probe.remove();
  return Object.fromEntries(entries) as unknown as Colours;
}

function child(parent: HTMLElement, selector: string): HTMLElement {
  const element = parent.querySelector<HTMLElement>(selector);
  if (!element) throw new Error(`no ${selector}`);
  return element;
}
