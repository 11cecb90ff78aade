"""The explorer's page: linked views of a table, brushed in the browser."""

from __future__ import annotations

import threading
from concurrent.futures import wait
from pathlib import Path
from typing import Any

import msgspec
import streamlit as st

from streamlit_app.explorer import table_choice
from streamlit_app.ui.tree import el
from streamlit_app.ui.view import show
from tidemark.cubes.axes import frame, key_of, view_of
from tidemark.cubes.columns import Column
from tidemark.cubes.counts import Counts
from tidemark.cubes.sources import Source, of_path
from tidemark.cubes.views import MOST_VIEWS, Question, Selection, Span, View
from tidemark.data import ROOT
from tidemark.errors import BadRequest, TidemarkError

SHOWN = 8
LOOKS_UP_S = 0.03
MODULE = ROOT / "web" / "explorer" / "dist" / "explorer.js"


class Asked(msgspec.Struct, frozen=True):
    """What the page asks for (web/explorer/src/explorer.ts)."""

    table: str
    active: str
    selected: dict[str, tuple[Span, ...]]


@st.cache_resource(show_spinner=False)
def component() -> Any:
    """The views' component."""
    return st.components.v2.component("tidemark_explorer", js=MODULE.read_text())


def page() -> None:
    """Draw the page."""
    chosen_table = table_choice.choose("Explorer", "Brush any view; the others follow.")
    if chosen_table is None:
        return
    source, counts = chosen_table
    options = [key_of(View(name)) for name in counts.table.columns] + [key_of(view) for view in grids(counts)]
    chosen = st.multiselect(
        "Views",
        options,
        [key_of(view) for view in first(counts)],
        format_func=lambda key: " × ".join(view_of(key).names),
        max_selections=MOST_VIEWS,
        key=f"views-{source.name}",
    )
    if not chosen:
        show("explorer-none", el("p", "Choose what to look at.", cls="empty"))
        return
    st.session_state["whole run"] = True
    _views(source, counts, tuple(view_of(key) for key in chosen))


def embedded(path: Path, before: tuple[View, ...], name: str) -> None:
    """The views of a file that an analysis has written, in a page of its own; those of `before` first."""
    source = of_path(str(path))._replace(name=name)
    counts = table_choice.engine(source.made_of, source)
    views = [view for view in before if set(view.names) <= set(counts.table.columns)]
    views += [view for view in first(counts) if view not in views]
    st.session_state["whole run"] = True
    _views(source, counts, tuple(views[:SHOWN]))


def grids(counts: Counts) -> list[View]:
    """Pairs that can be seen as a grid: of numbers and times."""
    names = [column.name for column in counts.table.columns.values() if column.kind != "category" and column.zones > 1]
    return [View(x, y) for place, x in enumerate(names) for y in names[place + 1 :]][:200]


def first(counts: Counts) -> list[View]:
    """What is shown first: a map where there is one, and the columns that say something."""
    columns = list(counts.table.columns.values())
    names = {column.name for column in columns}
    place = [View("longitude", "latitude")] if {"longitude", "latitude"} <= names else []
    telling = [
        View(column.name) for column in columns if _tells(column) and column.name not in {"longitude", "latitude"}
    ]
    return [*place, *telling][:SHOWN]


def _tells(column: Column) -> bool:
    return column.zones > 1 and not (column.kind == "category" and column.bars > 40)


@st.fragment(key="views")
def _views(source: Source, counts: Counts, views: tuple[View, ...]) -> None:
    state = st.session_state

    def asked() -> None:
        value = state["cube"]["asked"]
        if value is not None:
            state["asked"] = msgspec.convert(value, Asked)
            state["look"] = state.get("look", 0) + 1

    question = _question(state.get("asked"), source, counts, views)
    found = counts.known(question)
    cube = found or counts.sampled(question)
    content = frame(state.get("look", 0), source.sql, counts.table, cube, views)
    component()(key="cube", data=content, on_asked_change=asked)
    whole = state.pop("whole run", False)
    if not cube.exact:
        try:
            _count(counts, question)
        except TidemarkError as error:
            show("count-problem", el("p", str(error), cls="problem"))
            return
        st.rerun(scope="app" if whole else "fragment")


def _count(counts: Counts, question: Question) -> None:
    """Wait until all rows are counted; where something else is asked meanwhile, this run ends, and the counting."""
    stop, slot = threading.Event(), st.empty()
    counting = counts.start(question, stop)
    try:
        while wait([counting], timeout=LOOKS_UP_S).not_done:
            slot.empty()  # Streamlit ends a run only where it draws
        counting.result()
    finally:
        stop.set()


def _question(asked: Asked | None, source: Source, counts: Counts, views: tuple[View, ...]) -> Question:
    """What is asked for; the first view where nothing is, or another table was meant."""
    if asked is not None and asked.table == source.made_of and asked.active in map(key_of, views):
        active = view_of(asked.active)
        selections = tuple(
            Selection(view_of(key), spans) for key, spans in sorted(asked.selected.items()) if view_of(key) in views
        )
        question = Question(active, tuple(view for view in views if view != active), selections)
        try:
            question.check(counts.table.columns)
            return question
        except BadRequest:
            pass
    return Question(views[0], views[1:])
