"""What a page shows, as a tree that `view.js` draws: text, or [tag, attributes, children]. Text stays text in it, so
nothing that comes from outside can become markup.

Beside HTML's own, `view.js` knows these attributes: `key` (what a child is, wherever it moves), `choose` (a button says
this to the page), `ago` (how long ago a moment was), `due` with `every` (how long until a moment; all in ms).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

Value: TypeAlias = str | int | float | bool | None
Tree: TypeAlias = str | list[Any]


def el(tag: str, *children: Tree | None, **attributes: Value) -> Tree:
    """An element. `cls` is `class`, `_` in a name is `-`; a child or value of None, or False, is left out."""
    named = {
        ("class" if name == "cls" else name.replace("_", "-")): value
        for name, value in attributes.items()
        if value is not None and value is not False
    }
    return [tag, named, [child for child in children if child is not None]]


def text_of(tree: Tree) -> str:
    """All text in a tree, parted by blanks."""
    return tree if isinstance(tree, str) else " ".join(filter(None, map(text_of, tree[2])))


_PATHS = {
    "completed": "M3 8.5l3.2 3.2L13 5",
    "reused": "M3.2 8a4.8 4.8 0 1 1 1.6 3.6M3 13V9.6h3.4",
    "skipped": "M4 4l4 4-4 4M11.5 4v8",
    "failed": "M4 4l8 8M12 4l-8 8",
    "ok": "M3 8.5l3.2 3.2L13 5",
    "warn": "M8 3v6M8 12v.6",
    "alert": "M4 4l8 8M12 4l-8 8",
    "none": "M4 8h8",
}


def icon(name: str) -> Tree:
    """A small drawing beside a word that says the same."""
    path = el("path", d=_PATHS[name], fill="none", stroke="currentColor", stroke_width="1.8", stroke_linecap="round")
    return el("svg", path, viewBox="0 0 16 16", cls="icon", aria_hidden="true")


def state(name: str, word: str, *, large: bool = False) -> Tree:
    """A state: its icon, its word, its colour."""
    return el("span", icon(name), el("span", word), cls=f"state {name}{' large' if large else ''}")


def ago(ms: int) -> Tree:
    """How long ago a moment was, counted on in the browser: "42 s ago"."""
    return el("time", ago=ms)


def table(heads: Sequence[str], rows: Iterable[Tree], *, label: str) -> Tree:
    """A table; a head that ends with a blank stands over numbers."""
    head = [el("th", name.strip(), scope="col", cls="n" if name.endswith(" ") else None) for name in heads]
    return el("table", el("thead", el("tr", *head)), el("tbody", *rows, roam=True), aria_label=label, cls="rows")


def row(heads: Sequence[str], cells: Sequence[Tree], **attributes: Value) -> Tree:
    """A row of such a table."""
    return el(
        "tr",
        *(
            el("td", cell, label=name.strip() or None, cls="n" if name.endswith(" ") else None)
            for name, cell in zip(heads, cells, strict=True)
        ),
        **attributes,
    )
