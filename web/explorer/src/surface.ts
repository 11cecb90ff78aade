/** What pictures are drawn on: a canvas for the screen, SVG for a file. */

export interface Surface {
  rect(x: number, y: number, width: number, height: number, colour: string, opacity?: number): void;
  text(text: string, x: number, y: number, colour: string, align: "left" | "center" | "right"): void;
}

const FONT = "11px ui-sans-serif, system-ui, sans-serif";

export class Screen implements Surface {
  constructor(private readonly context: CanvasRenderingContext2D) {}

  rect(x: number, y: number, width: number, height: number, colour: string, opacity = 1): void {
    const { context } = this;
    context.globalAlpha = opacity;
    context.fillStyle = colour;
    context.fillRect(x, y, width, height);
    context.globalAlpha = 1;
  }

  text(text: string, x: number, y: number, colour: string, align: "left" | "center" | "right"): void {
    const { context } = this;
    context.font = FONT;
    context.fillStyle = colour;
    context.textAlign = align;
    context.fillText(text, x, y);
  }
}

const ANCHORS = { left: "start", center: "middle", right: "end" } as const;
const ESCAPES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

/** Writes what is drawn as SVG. */
export class Svg implements Surface {
  private readonly parts: string[] = [];

  rect(x: number, y: number, width: number, height: number, colour: string, opacity = 1): void {
    const [left, top, wide, high] = [x, y, width, height].map(short);
    const faint = opacity < 1 ? ` fill-opacity="${opacity}"` : "";
    this.parts.push(`<rect x="${left}" y="${top}" width="${wide}" height="${high}" fill="${colour}"${faint}/>`);
  }

  text(text: string, x: number, y: number, colour: string, align: "left" | "center" | "right"): void {
    const place = `x="${short(x)}" y="${short(y)}" text-anchor="${ANCHORS[align]}"`;
    this.parts.push(`<text ${place} fill="${colour}" style="font:${FONT}">${escaped(text)}</text>`);
  }

  /** The whole file. */
  file(width: number, height: number): string {
    const size = `width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"`;
    return `<svg xmlns="http://www.w3.org/2000/svg" ${size}>${this.parts.join("")}</svg>\n`;
  }
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/gu, (sign) => ESCAPES[sign] ?? "");
}

function short(value: number): string {
  return String(Math.round(value * 100) / 100);
}
