"""A column as it is drawn, said and written: its ticks, and the edges of its zones as people and SQL read them."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta

import msgspec
import numpy as np

from tidemark.cubes.columns import OTHER, Column
from tidemark.cubes.counts import Binned
from tidemark.cubes.cube import Cube
from tidemark.cubes.views import Span, View
from tidemark.looks import minus

_PLAIN = re.compile(r"[a-z_][a-z0-9_]*")
_FIRST_MS, _LAST_MS = -62_135_596_800_000, 253_402_300_799_999  # what Python has days for: the years 1 to 9999
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY_MS = 86_400_000
_TICKS = 5
_NOTES = {"log": "logarithmic", "quantile": "equal counts"}


class Axis(msgspec.Struct, frozen=True):
    """What the page knows of a column (web/explorer/src/frame.ts).

    `note`: how it is cut, where not evenly. `texts`, `literals`: of numbers and times the zones' edges, of categories
    their names; the literal of what was put together is empty. `gaps`: whether values are missing.
    """

    name: str
    kind: str
    note: str
    places: int
    bars: int
    fine: int
    missing: int
    coarse: int
    gaps: bool
    ticks: list[tuple[float, str]]
    texts: list[str]
    literals: list[str]
    identifier: str


def axis(column: Column, gaps: bool) -> Axis:
    """A column, as it is drawn."""
    if column.kind == "category":
        texts = list(column.labels)
        literals = ["" if label == OTHER else _string(label) for label in texts]
        ticks: list[tuple[float, str]] = []
    elif column.kind == "time":
        texts = [time_text(edge, column.edges[1] - column.edges[0]) for edge in column.edges]
        literals = [f"TIMESTAMP '{_moment(edge):%Y-%m-%d %H:%M:%S.%f}'" for edge in column.edges]
        ticks = _time_ticks(column)
    else:
        texts = number_texts(column.edges)
        literals = [repr(int(edge) if edge == int(edge) else edge) for edge in column.edges]
        ticks = _number_ticks(column)
    return Axis(
        name=column.name,
        kind=column.kind,
        note=_NOTES.get(column.scale, ""),
        places=column.missing + 1,
        bars=column.bars,
        fine=column.fine,
        missing=column.missing,
        coarse=column.coarse,
        gaps=gaps,
        ticks=ticks,
        texts=texts,
        literals=literals,
        identifier=column.name if _PLAIN.fullmatch(column.name) else '"' + column.name.replace('"', '""') + '"',
    )


def frame(
    look: int,
    source: str,
    table: Binned,
    cube: Cube,
    views: tuple[View, ...],
    brushed: tuple[Span, ...] = (),
    opened: int = 0,
) -> bytes:
    """A cube as the page reads it: the header's length, the header, the sums. `views`: in the order of the page.

    `brushed`: what is selected in the active view; the page takes it, and the rest, where `opened` is another number.
    """
    question = cube.question
    parts = {part.view: [part.first, part.end] for part in cube.parts}
    header = {
        "look": look,
        "opened": opened,
        "table": table.made_of,
        "source": source,
        "counted": cube.counted,
        "rows": cube.rows,
        "active": key_of(question.active),
        "selected": {key_of(one.view): one.spans for one in question.selections},
        "brushed": brushed,
        "shape": cube.sums.shape,
        "views": [
            {
                "key": key_of(view),
                "x": axis(table.columns[view.x], table.gaps(view.x)),
                "y": axis(table.columns[view.y], table.gaps(view.y)) if view.y is not None else None,
                "part": parts.get(view),
            }
            for view in views
        ],
    }
    content = msgspec.json.encode(header)
    content += b" " * (-len(content) % 4)
    return len(content).to_bytes(4, "little") + content + cube.sums.astype("<u4", copy=False).tobytes()


def key_of(view: View) -> str:
    """What names a view on the page."""
    return msgspec.json.encode(view.names).decode()


def view_of(key: str) -> View:
    """The view that a name means. Raises msgspec.DecodeError."""
    return msgspec.json.decode(key, type=View)


def number_texts(edges: tuple[float, ...]) -> list[str]:
    """Each with as many digits as tell it from the next."""
    widths = np.diff(edges, append=2 * edges[-1] - edges[-2])
    return [number_text(edge, width) for edge, width in zip(edges, widths, strict=True)]


def number_text(value: float, width: float) -> str:
    """A number with as many digits as tell it from one that is `width` away."""
    if value != 0 and (abs(value) >= 1e12 or abs(value) < 1e-6):
        return minus(f"{value:.4g}")
    digits = min(8, max(0, math.ceil(-math.log10(width)))) if width > 0 else 4
    text = f"{value:,.{digits}f}"
    return minus(text.rstrip("0").rstrip(".") if "." in text else text)


def time_text(ms: float, width: float) -> str:
    """A moment, as exactly as the width of a zone asks for."""
    moment = _moment(ms)
    if width >= _DAY_MS:
        return f"{moment:%-d %b %Y}"
    return f"{moment:%-d %b %Y %H:%M}" if width >= 60_000 else f"{moment:%-d %b %Y %H:%M:%S}"


def _moment(ms: float) -> datetime:
    return _EPOCH + timedelta(milliseconds=min(max(ms, _FIRST_MS), _LAST_MS))


def _string(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _number_ticks(column: Column) -> list[tuple[float, str]]:
    edges = np.array(column.edges)
    low, high = float(edges[0]), float(edges[-1])
    if column.scale == "each":
        every = max(1, math.ceil(column.zones / 12))
        return [((zone + 0.5) / column.zones, _short(column.edges[zone])) for zone in range(0, column.zones, every)]
    if column.scale == "quantile":
        places = [round(part * column.zones / _TICKS) for part in range(_TICKS + 1)]
        return [(place / column.zones, _short(float(edges[place]))) for place in places]
    if column.scale == "log":
        powers = range(math.ceil(math.log10(low)), math.floor(math.log10(high)) + 1)
        rarely = max(1, math.ceil(len(powers) / 6))
        values = [10.0**power for power in powers if power % rarely == 0] or [low, high]
    else:
        step = _round_step((high - low) / _TICKS)
        values = [step * count for count in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]
    return [(float(np.interp(value, edges, np.linspace(0, 1, len(edges)))), _short(value)) for value in values]


def _round_step(about: float) -> float:
    power = 10.0 ** math.floor(math.log10(about))
    return next(step * power for step in (1.0, 2.0, 5.0, 10.0) if step * power >= about * 0.999)


def _short(value: float) -> str:
    """A number as an axis has room for: 1,500 as 1.5k."""
    for size, sign in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= size:
            unit = 1e3 if sign == "k" else size
            return minus(f"{value / unit:,.4g}{sign}")
    return minus(f"{value:,.4g}")


def _time_ticks(column: Column) -> list[tuple[float, str]]:
    bars = column.edges[:: 1 << column.fine]
    width = bars[1] - bars[0]
    every = max(1, math.ceil((len(bars) - 1) / (_TICKS - 1)))
    return [(place / (len(bars) - 1), _tick(bars[place], width * every)) for place in range(0, len(bars), every)]


def _tick(ms: float, width: float) -> str:
    moment = _moment(ms)
    if width >= 300 * _DAY_MS:
        return f"{moment:%Y}"
    if width >= 27 * _DAY_MS:
        return f"{moment:%b %Y}"
    return f"{moment:%-d %b}" if width >= _DAY_MS else f"{moment:%H:%M}"
