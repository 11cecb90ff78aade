"""A document as PDF, set by Typst."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import typst

from tidemark.analysis.report.charts import png
from tidemark.analysis.report.document import (
    Block,
    Document,
    Figure,
    Grid,
    Heading,
    Listing,
    Paragraph,
    Steps,
    numbered,
)

_HEAD = (Path(__file__).parent / "report.typ").read_text()
_MARKS = re.compile(r'([\\#$*_`<>@=\-+/~\[\]"\'])')
SMALL = 6
"""Tables of so many columns and more are set smaller."""


def pdf(document: Document) -> bytes:
    """The pages, tagged for screen readers."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        parts = [_HEAD, f"#head([{_text(document.title)}], [{_text(document.about)}])"]
        parts += [_block(block, folder, place) for place, block in enumerate(numbered(document.blocks))]
        source = folder / "report.typ"
        source.write_text("\n\n".join(parts))
        found: bytes = typst.compile(str(source))
        return found


def _text(text: str) -> str:
    return _MARKS.sub(r"\\\1", text)


def _quoted(text: str) -> str:
    inner = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{inner}"'


def _block(block: Block, folder: Path, place: int) -> str:
    match block:
        case Heading(level, text):
            return f"#heading(level: {level})[{_text(text)}]"
        case Paragraph(text):
            return _text(text)
        case Steps(items):
            return "#enum(" + ", ".join(f"[{_text(item)}]" for item in items) + ")"
        case Listing(text):
            return f"#raw({_quoted(text)}, block: true)"
        case Figure(caption, spec):
            name = f"chart-{place}.png"
            (folder / name).write_bytes(png(spec))
            width = "72%" if int(spec.get("width", 400)) > 300 else "48%"
            return f'#figure(image("{name}", width: {width}, alt: {_quoted(caption)}), caption: [{_text(caption)}])'
        case Grid():
            return _grid(block)


def _grid(block: Grid) -> str:
    align = ", ".join("right" if head.endswith(" ") else "left" for head in block.heads)
    heads = ", ".join(f"[{_text(head.strip())}]" for head in block.heads)
    cells = ",\n".join(", ".join(f"[{_text(cell)}]" for cell in row) for row in block.rows)
    size = "7pt" if len(block.heads) >= SMALL else "8.5pt"
    return (
        f"#figure(text(size: {size}, table(columns: {len(block.heads)}, align: ({align},), "
        f"table.header({heads}),\n{cells})), caption: [{_text(block.caption)}])"
    )
