"""A document: what is said, in order, before it becomes HTML or PDF."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias


class Heading(NamedTuple):
    """`level`: 1 for a section, 2 within one."""

    level: int
    text: str


class Paragraph(NamedTuple):
    """Plain text."""

    text: str


class Steps(NamedTuple):
    """Things in their order."""

    items: Sequence[str]


class Grid(NamedTuple):
    """A table. A head that ends with a blank stands over numbers."""

    caption: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]


class Figure(NamedTuple):
    """A Vega-Lite chart."""

    caption: str
    spec: dict[str, Any]


class Listing(NamedTuple):
    """Text as it is written, a query for one."""

    text: str


Block: TypeAlias = Heading | Paragraph | Steps | Grid | Figure | Listing


class Document(NamedTuple):
    """`about`: a line below the title."""

    title: str
    about: str
    blocks: Sequence[Block]


def numbered(blocks: Sequence[Block]) -> list[Block]:
    """With numbers before headings and captions: 2.1 Preparation; Table 3; Figure 1."""
    found: list[Block] = []
    section = part = tables = figures = 0
    for block in blocks:
        match block:
            case Heading(1, text):
                section, part = section + 1, 0
                found.append(Heading(1, f"{section} {text}"))
            case Heading(level, text):
                part += 1
                found.append(Heading(level, f"{section}.{part} {text}"))
            case Grid(caption, heads, rows):
                tables += 1
                found.append(Grid(f"Table {tables}. {caption}", heads, rows))
            case Figure(caption, spec):
                figures += 1
                found.append(Figure(f"Figure {figures}. {caption}", spec))
            case _:
                found.append(block)
    return found
