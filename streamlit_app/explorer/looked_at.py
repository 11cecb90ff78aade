"""What this session looks at in a table, from one run of the page to the next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec
import streamlit as st

from tidemark.cubes.axes import key_of, view_of
from tidemark.cubes.columns import Column
from tidemark.cubes.counts import Counts
from tidemark.cubes.look import Look
from tidemark.cubes.views import MOST_VIEWS, Selection, Span, View
from tidemark.errors import BadRequest

SHOWN = 8


class Asked(msgspec.Struct, frozen=True):
    """What the page says is looked at (web/explorer/src/explorer.ts)."""

    table: str
    active: str
    selected: dict[str, tuple[Span, ...]]


class LookedAt:
    """Of one table. `opened` grows when a look is set here, which the page then takes; `brushed` counts brushes."""

    def __init__(self, counts: Counts, before: Iterable[View] = ()) -> None:
        self._columns = counts.table.columns
        self.look = first(self._columns, before)
        self.opened = 0
        self.brushed: dict[View, int] = {}

    def set(self, look: Look) -> None:
        """Look at something else, which the page is to take as it is."""
        self.look = look
        self.opened += 1

    def show(self, keys: Iterable[str]) -> None:
        """Show other views."""
        views = [view_of(key) for key in keys]
        if views:
            self.look = self.look.showing(views) if self.look.views else Look(tuple(views), views[0])

    def told(self, asked: Asked) -> None:
        """Take what the page says, where it makes sense."""
        try:
            selected = [Selection(view_of(key), spans) for key, spans in asked.selected.items()]
            look = self.look.at(view_of(asked.active), selected)
            look.question.check(self._columns)
        except (BadRequest, msgspec.MsgspecError):
            return
        self._take(look)

    def select(self, view: View, spans: tuple[Span, ...]) -> None:
        """Select this in a view, which becomes the active one."""
        others = [one for one in self.look.selected if one.view != view]
        self._take(self.look.at(view, [*others, Selection(view, spans)]))

    def _take(self, look: Look) -> None:
        for one in look.selected:
            if self.look.spans(one.view) != one.spans:
                self.brushed[one.view] = self.brushed.get(one.view, 0) + 1
        self.look = look


def of(made_of: str, counts: Counts, before: Iterable[View] = ()) -> LookedAt:
    """What is looked at in a table; at first these views before others."""
    held: dict[str, LookedAt] = st.session_state.setdefault("looked-at-in", {})
    return held.setdefault(made_of, LookedAt(counts, before))


def options(columns: Mapping[str, Column]) -> list[str]:
    """The keys of all views that can be chosen."""
    return [key_of(View(name)) for name in columns] + [key_of(view) for view in grids(columns)]


def grids(columns: Mapping[str, Column]) -> list[View]:
    """Pairs that can be seen as a grid: of numbers and times."""
    names = [column.name for column in columns.values() if column.kind != "category" and column.zones > 1]
    return [View(x, y) for place, x in enumerate(names) for y in names[place + 1 :]][:200]


def first(columns: Mapping[str, Column], before: Iterable[View] = ()) -> Look:
    """What is shown first: those of `before` that there are, a map, and the columns that say something."""
    on_map = {"longitude", "latitude"}
    place = [View("longitude", "latitude")] if on_map <= set(columns) else []
    telling = [View(column.name) for column in columns.values() if _tells(column) and column.name not in on_map]
    wanted = [view for view in before if set(view.names) <= set(columns)]
    views = [*wanted, *(view for view in [*place, *telling] if view not in wanted)][:SHOWN] or [
        View(name) for name in columns
    ][:1]
    assert len(views) <= MOST_VIEWS
    return Look(tuple(views), views[0])


def _tells(column: Column) -> bool:
    return column.zones > 1 and not (column.kind == "category" and column.bars > 40)


def keys(views: Iterable[View]) -> list[str]:
    """What names views on the page."""
    return [key_of(view) for view in views]


def widget(made_of: str) -> str:
    """What the choice of a table's views is called in the session."""
    return f"views-{made_of}"
