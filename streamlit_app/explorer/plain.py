"""The same views in Streamlit's own charts, where components cannot run: a brush is answered by a run of the page."""

from __future__ import annotations

import math
from typing import Any

import streamlit as st

from streamlit_app.explorer.looked_at import LookedAt
from streamlit_app.ui import session
from streamlit_app.ui.looks import dressed
from streamlit_app.ui.tree import el
from streamlit_app.ui.view import show
from tidemark.cubes.axes import Axis, axis, key_of
from tidemark.cubes.counts import Binned
from tidemark.cubes.cube import Cube
from tidemark.cubes.look import Look
from tidemark.cubes.pictures import Picture, cells, pictures
from tidemark.cubes.views import Selection, Span, View

ACROSS = 3
WIDTH, HEIGHT = 400, 170
ROW = 22
_ALL, _SHOWN = "all", "shown"


def draw(cube: Cube, table: Binned, held: LookedAt) -> None:
    """All views, and what they say together."""
    look = held.look
    found, total = pictures(cube, table.columns, look)
    scale = cube.rows / max(cube.counted, 1)
    about = "" if cube.exact else "about "
    more = "" if cube.exact else "; counting them all"
    words = f"{about}{round(total * scale):,} of {cube.rows:,} rows{more}"
    selected = [f"{' × '.join(one.view.names)}: {said(one, table)}" for one in look.selected]
    show("plain-line", el("p", el("b", " · ".join([words, *selected]))))
    st.button("Reset", on_click=_reset, args=(held,), key="plain-reset", disabled=not look.selected)
    for first in range(0, len(look.views), ACROSS):
        for column, view in zip(st.columns(ACROSS, gap="medium"), look.views[first : first + ACROSS], strict=False):
            with column:
                _tile(view, found[view], scale, table, held)


def _tile(view: View, picture: Picture, scale: float, table: Binned, held: LookedAt) -> None:
    key = f"plain-{held.opened}-{key_of(view)}"
    axes = [axis(table.columns[name], table.gaps(name)) for name in view.names]

    def brushed() -> None:
        held.select(view, spans_of(st.session_state[key]["selection"], axes))

    with st.container(key=f"tile-{key}", border=True, height="stretch"):
        show(f"title-{key}", el("h3", " × ".join(view.names)))
        spec, rows = grid(axes, picture, scale) if view.y else bars(axes[0], picture, scale)
        fitted = {**dressed(spec, session.mode()), "autosize": {"type": "fit", "contains": "padding"}}
        st.vega_lite_chart(rows, fitted, theme=None, on_select=brushed, key=key)


def _reset(held: LookedAt) -> None:
    held.set(Look(held.look.views, held.look.active))


# -- what is drawn


def bars(x: Axis, picture: Picture, scale: float) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A chart of one column with its rows: all in the soft colour, behind what passes."""
    places = [*range(x.bars), *([x.missing >> x.fine] if x.gaps else [])]
    rows = [
        {
            "code": place << x.fine,
            "from": at if place < x.bars else x.bars + 0.5,
            "to": at + 1 if place < x.bars else x.bars + 1.5,
            "name": name_of(x, place),
            _ALL: round(float(picture.all[place]) * scale),
            _SHOWN: round(float(picture.shown[place]) * scale),
        }
        for at, place in enumerate(places)
    ]
    tooltip = [
        {"field": "name", "title": x.name},
        {"field": _SHOWN, "title": "selected", "format": ",.0f"},
        {"field": _ALL, "title": "all", "format": ",.0f"},
    ]
    if x.kind == "category":
        along: dict[str, Any] = {
            "y": {"field": "name", "type": "nominal", "sort": None, "title": None, "axis": {"labelLimit": 120}},
            "x": {"field": _ALL, "type": "quantitative", "title": None, "axis": {"tickCount": 3}},
        }
        select: dict[str, Any] = {"type": "point", "fields": ["code"], "toggle": "true"}
        shown = {"x": {**along["x"], "field": _SHOWN}, "y": along["y"]}
        height = max(ROW * len(rows), 60)
    else:
        end = x.bars + (1.5 if x.gaps else 0)
        along = {
            "x": {
                "field": "from",
                "type": "quantitative",
                "scale": {"domain": [0, end], "nice": False, "zero": False},
                "title": None,
                "axis": ticks(x, x.bars),
            },
            "x2": {"field": "to"},
            "y": {"field": _ALL, "type": "quantitative", "title": None, "axis": {"tickCount": 3}},
            "y2": {"datum": 0},
        }
        select = {"type": "interval", "encodings": ["x"]}
        shown = {**along, "y": {**along["y"], "field": _SHOWN}}
        height = HEIGHT
    layers = [
        {"mark": {"type": "bar", "style": "band"}, "encoding": {**along, "tooltip": tooltip}},
        {
            "mark": {"type": "bar"},
            "encoding": {**shown, "tooltip": tooltip},
            "params": [{"name": "brush", "select": select}],
        },
    ]
    return {"width": "container", "height": height, "layer": layers}, rows


def grid(axes: list[Axis], picture: Picture, scale: float) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A chart of two columns with its rows: a cell for each pair of bins."""
    x, y = axes
    wide, tall = cells(x), cells(y)
    rows = [
        {"x": column, "x2": column + 1, "y": row, "y2": row + 1, _SHOWN: round(float(count) * scale)}
        for row in range(tall)
        for column in range(wide)
        if (count := picture.shown[row * 32 + column]) > 0
    ]
    encoding = {
        name: {
            "field": name,
            "type": "quantitative",
            "scale": {"domain": [0, most], "nice": False, "zero": False},
            "title": of.name,
            "axis": ticks(of, most),
        }
        for name, of, most in (("x", x, wide), ("y", y, tall))
    }
    colour = {
        "field": _SHOWN,
        "type": "quantitative",
        "scale": {"range": "ramp", "type": "symlog", "domainMin": 0},
        "legend": None,
    }
    spec = {
        "width": "container",
        "height": HEIGHT,
        "mark": {"type": "rect"},
        "encoding": {
            **encoding,
            "x2": {"field": "x2"},
            "y2": {"field": "y2"},
            "color": colour,
            "tooltip": [{"field": _SHOWN, "title": "rows", "format": ",.0f"}],
        },
        "params": [{"name": "brush", "select": {"type": "interval"}}],
    }
    return spec, rows


def ticks(of: Axis, most: int) -> dict[str, Any]:
    """An axis whose ticks stand at parts of its length, with the texts that the other views have too."""
    texts = {round(at * most, 4): text for at, text in of.ticks}
    return {
        "values": list(texts),
        "labelExpr": f"{texts_of(texts)}[indexof({list(texts)}, datum.value)]",
        "grid": False,
    }


def texts_of(texts: dict[float, str]) -> str:
    """The texts as an expression of Vega's."""
    return "[" + ", ".join("'" + text.replace("\\", "").replace("'", "’") + "'" for text in texts.values()) + "]"


def name_of(x: Axis, place: int) -> str:
    """What a bar holds."""
    if place << x.fine >= x.missing:
        return "missing"
    if x.kind == "category":
        return x.texts[place]
    return f"{x.texts[place << x.fine]} – {x.texts[min((place + 1) << x.fine, len(x.texts) - 1)]}"


# -- what is selected


def said(one: Selection, table: Binned) -> str:
    """A selection in words."""
    grid_of_both = one.view.y is not None
    found = []
    for place, name in enumerate(one.view.names):
        x = axis(table.columns[name], table.gaps(name))
        spans = one.spans
        if grid_of_both:
            spans = (Span(spans[place].first << x.coarse, spans[place].end << x.coarse),)
        found.append(", ".join(_span_said(x, span) for span in spans))
    return " × ".join(found)


def _span_said(x: Axis, span: Span) -> str:
    if span.first >= x.missing:
        return "missing"
    if x.kind == "category":
        return ", ".join(x.texts[span.first : span.end])
    return f"{x.texts[span.first]} – {x.texts[min(span.end, len(x.texts) - 1)]}"


def spans_of(selection: Any, axes: list[Axis]) -> tuple[Span, ...]:
    """What a chart's own selection means; nothing where it was taken back."""
    brush = selection.get("brush") if selection else None
    if not brush:
        return ()
    if isinstance(brush, list):
        codes = sorted({int(one["code"]) for one in brush if "code" in one})
        return tuple(Span(code, code + 1) for code in codes)
    if len(axes) == 2:
        both = [brush.get("x"), brush.get("y")]
        if not all(both):
            return ()
        return tuple(_within(end, cells(of), 1) for end, of in zip(both, axes, strict=True))
    (x,) = axes
    ends: Any = next(iter(brush.values()), None)
    if not ends:
        return ()
    low, high = min(ends), max(ends)
    spans = [_within(ends, x.bars, 1 << x.fine)] if low < x.bars else []
    return (*spans, *([Span(x.missing, x.missing + 1)] if x.gaps and high > x.bars + 0.5 else []))


def _within(ends: list[float], most: int, zones: int) -> Span:
    """The zones that an interval of bars touches the most of."""
    low, high = (max(0.0, min(float(end), most)) for end in (min(ends), max(ends)))
    first = min(round(low * zones), most * zones - 1)
    return Span(first, max(first + 1, math.floor(high * zones + 0.5)))
