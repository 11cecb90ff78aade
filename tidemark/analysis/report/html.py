"""A document as one HTML file that needs nothing else."""

from __future__ import annotations

from html import escape
from pathlib import Path

from tidemark.analysis.report.charts import svg
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

STYLE = (Path(__file__).parent / "report.css").read_text()


def html(document: Document) -> str:
    """The whole page."""
    body = "\n".join(_block(block) for block in numbered(document.blocks))
    title = escape(document.title)
    return (
        f'<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{title}</title>'
        f"<style>{STYLE}</style></head>\n<body><main><h1>{title}</h1>\n"
        f'<p class="about">{escape(document.about)}</p>\n{body}\n</main></body>\n</html>\n'
    )


def _block(block: Block) -> str:
    match block:
        case Heading(level, text):
            return f"<h{level + 1}>{escape(text)}</h{level + 1}>"
        case Paragraph(text):
            return f"<p>{escape(text)}</p>"
        case Steps(items):
            return "<ol>" + "".join(f"<li>{escape(item)}</li>" for item in items) + "</ol>"
        case Listing(text):
            return f"<pre>{escape(text)}</pre>"
        case Figure(caption, spec):
            return f"<figure>{svg(spec)}<figcaption>{escape(caption)}</figcaption></figure>"
        case Grid():
            return _grid(block)


def _grid(block: Grid) -> str:
    marks = [' class="n"' if head.endswith(" ") else "" for head in block.heads]
    heads = "".join(
        f'<th scope="col"{mark}>{escape(head.strip())}</th>' for head, mark in zip(block.heads, marks, strict=True)
    )
    rows = "".join(
        "<tr>" + "".join(f"<td{mark}>{escape(cell)}</td>" for cell, mark in zip(row, marks, strict=True)) + "</tr>"
        for row in block.rows
    )
    return (
        f'<div class="wide"><table><caption>{escape(block.caption)}</caption>'
        f"<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
    )
