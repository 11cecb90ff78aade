"""Selections carried over to columns that are cut otherwise than when they were made: by value, not by code."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tidemark.cubes.columns import OTHER, Column
from tidemark.cubes.views import Selection, Span


def recut(
    selection: Selection, before: Mapping[str, Column], now: Mapping[str, Column]
) -> tuple[tuple[Span, ...], bool]:
    """The spans over the columns of today, none where nothing is left; and whether they mean exactly the same."""
    names = selection.view.names
    if all(before.get(name) == now[name] for name in names):
        return selection.spans, True
    if any(name not in before or before[name].kind != now[name].kind for name in names):
        return (), False
    if selection.view.y is None:
        found, exact = _spans(selection.spans, before[names[0]], now[names[0]])
        return found, exact
    cells, exact = [], True
    for name, span in zip(names, selection.spans, strict=True):
        old, new = before[name], now[name]
        codes = Span(span.first << old.coarse, min(span.end << old.coarse, old.missing + 1))
        moved, same = _spans((codes,), old, new)
        if not moved:
            return (), False
        first, end = moved[0].first >> new.coarse, -(-moved[-1].end >> new.coarse)
        cells.append(Span(first, end))
        exact = exact and same and _whole(Span(first, end), moved, new)
    return tuple(cells), exact


def _whole(cells: Span, codes: tuple[Span, ...], column: Column) -> bool:
    return codes == (Span(cells.first << column.coarse, min(cells.end << column.coarse, column.missing + 1)),)


def _spans(spans: tuple[Span, ...], old: Column, new: Column) -> tuple[tuple[Span, ...], bool]:
    if old.kind == "category":
        return _categories(spans, old, new)
    found, exact = [], True
    edges = np.array(new.edges)
    for span in spans:
        ends = []
        for code in (span.first, min(span.end, old.zones)):
            if code == 0 or code >= old.zones:  # zones at the ends are open
                ends.append(0 if code == 0 else new.zones)
            else:
                at = int(np.abs(edges - old.edges[code]).argmin())
                exact = exact and bool(edges[at] == old.edges[code])
                ends.append(at)
        if span.first < old.zones and ends[1] > ends[0]:
            found.append(Span(ends[0], ends[1]))
        elif span.first < old.zones:
            exact = False
        if span.end > old.missing:
            found.append(Span(new.missing, new.missing + 1))
    return tuple(found), exact


def _categories(spans: tuple[Span, ...], old: Column, new: Column) -> tuple[tuple[Span, ...], bool]:
    named = (*old.labels, *[None] * (old.missing + 1 - len(old.labels)))
    wanted = {label for span in spans for label in named[max(span.first, 0) : span.end] if label is not None}
    codes = [code for code, label in enumerate(new.labels) if label in wanted]
    if any(span.end > old.missing for span in spans):
        codes.append(new.missing)
    return tuple(Span(code, code + 1) for code in codes), OTHER not in wanted and wanted <= set(new.labels)
