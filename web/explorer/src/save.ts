/** Files of what is drawn. */
import type { Box, Colours, Picture } from "./draw";
import { said } from "./select";
import { Screen, type Surface, Svg } from "./surface";

export interface Saved extends Picture {
  readonly title: string;
}

interface Sheet extends Colours {
  readonly ground: string;
  readonly words: string;
}

const COLUMNS = 3;
const MARGIN = 24;
const HEAD = 22;
const TWICE = 2;

/** A sheet of all views. */
export function save(
  kind: "SVG" | "PNG",
  pictures: readonly Saved[],
  box: Box,
  draw: (surface: Surface, picture: Picture) => void,
  sheet: Sheet,
): void {
  const wide = box.width + MARGIN;
  const tall = box.height + MARGIN + HEAD;
  const size = {
    width: MARGIN + COLUMNS * wide,
    height: MARGIN + HEAD + Math.ceil(pictures.length / COLUMNS) * tall,
  };
  const paint = (surface: Surface): void => {
    surface.rect(0, 0, size.width, size.height, sheet.ground);
    surface.text(sheet.words, MARGIN, MARGIN, sheet.text, "left");
    for (const [place, picture] of pictures.entries()) {
      const left = MARGIN + (place % COLUMNS) * wide;
      const top = MARGIN + HEAD + Math.floor(place / COLUMNS) * tall;
      surface.text(picture.title, left, top + 12, sheet.text, "left");
      draw(shifted(surface, left, top + HEAD), picture);
    }
  };
  if (kind === "SVG") {
    const svg = new Svg();
    paint(svg);
    download(new Blob([svg.file(size.width, size.height)], { type: "image/svg+xml" }), "views.svg");
    return;
  }
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [size.width * TWICE, size.height * TWICE];
  const context = canvas.getContext("2d");
  if (!context) return;
  context.scale(TWICE, TWICE);
  paint(new Screen(context));
  canvas.toBlob((blob) => {
    if (blob) download(blob, "views.png");
  });
}

/** Every bin of every view, with how many rows there are in all and how many are selected. */
export function csv(pictures: readonly Saved[]): void {
  const lines = ["view,from,rows,selected"];
  for (const { title, view, all, shown, counted, rows: of } of pictures) {
    const scale = of / Math.max(counted, 1);
    all.forEach((count, bin) => {
      const selected = shown[bin] ?? 0;
      if (count === 0 && selected === 0) return;
      const place = view.y
        ? `${said(view.x, [[bin % 32, (bin % 32) + 1]], true)} · ${said(view.y, [[bin >> 5, (bin >> 5) + 1]], true)}`
        : named(view, bin);
      lines.push([quoted(title), quoted(place), Math.round(count * scale), Math.round(selected * scale)].join(","));
    });
  }
  download(new Blob([`${lines.join("\n")}\n`], { type: "text/csv" }), "views.csv");
}

function named({ x }: Picture["view"], bin: number): string {
  const first = bin << x.fine;
  return first >= x.missing ? "missing" : said(x, [[first, (bin + 1) << x.fine]]);
}

/** A cell that no spreadsheet takes for a formula. */
export function quoted(text: string): string {
  const apart = text.replace(/([;\t\r\n]\s*)(?=[=+\-@＝＋－＠])/gu, "$1'"); // where another program parts fields
  const safe = /^(\s*[=+\-@＝＋－＠]|[\t\r\n])/u.test(apart) ? `'${apart}` : apart;
  return `"${safe.replaceAll('"', '""')}"`;
}

function shifted(surface: Surface, left: number, top: number): Surface {
  return {
    rect: (x, y, width, height, colour, opacity) => {
      surface.rect(left + x, top + y, width, height, colour, opacity);
    },
    text: (text, x, y, colour, align) => {
      surface.text(text, left + x, top + y, colour, align);
    },
  };
}

function download(content: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}
