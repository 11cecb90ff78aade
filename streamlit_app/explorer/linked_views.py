"""The explorer's page: linked views of a table, brushed in the browser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import streamlit as st

from streamlit_app.explorer import binning, looked_at, plain, table_choice, worth_a_look
from streamlit_app.explorer.counting import count, give_up
from streamlit_app.explorer.looked_at import Asked, LookedAt
from streamlit_app.explorer.saved_views import Panel
from streamlit_app.ui.tree import el
from streamlit_app.ui.view import show
from tidemark.cubes.axes import frame, view_of
from tidemark.cubes.counts import Counts
from tidemark.cubes.views import MOST_VIEWS, View
from tidemark.data import ROOT
from tidemark.errors import TidemarkError
from tidemark.tables.sources import Source, of_path

MODULE = ROOT / "web" / "explorer" / "dist" / "explorer.js"


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
    columns = counts.table.columns
    held = looked_at.of(source.made_of, counts)
    panel = Panel(source, columns, held)
    panel.from_address()
    left, right = st.columns([7, 3], vertical_alignment="bottom")
    with left:
        shown = _choice(source, counts, held)
    with right, st.container(horizontal=True, vertical_alignment="center"):
        panel.draw()
        _plain_or_not()
    panel.told()
    if not shown:
        show("explorer-none", el("p", "Choose what to look at.", cls="empty"))
        return
    held.show(shown)
    st.session_state["whole run"] = True
    _views(source, counts, held)


def embedded(path: Path, before: tuple[View, ...]) -> None:
    """The views of a file that an analysis has written, in a page of its own; those of `before` first."""
    source = of_path(str(path))._replace(name=path.stem)
    binning.bin_once(source, table_choice.folder())
    counts = table_choice.engine(source.made_of, source)
    held = looked_at.of(source.made_of, counts, before)
    st.session_state.setdefault("plain held", False)
    st.session_state["whole run"] = True
    _views(source, counts, held)


def _choice(source: Source, counts: Counts, held: LookedAt) -> list[str]:
    """Which views are to be shown."""
    key = looked_at.widget(source.made_of)
    if key not in st.session_state:  # Streamlit forgets what a widget holds once another page is shown
        st.session_state[key] = looked_at.keys(held.look.views)
    return st.multiselect(
        "Views",
        looked_at.options(counts.table.columns),
        format_func=lambda one: " × ".join(view_of(one).names),
        max_selections=MOST_VIEWS,
        key=key,
    )


def _plain_or_not() -> None:
    """Whether Streamlit's own charts are drawn: for where components cannot run."""
    state = st.session_state
    if "plain" not in state:
        state["plain"] = state.get("plain held", st.query_params.get("plain") == "1")
    state["plain held"] = st.toggle("Plain charts", key="plain", help="Streamlit's own charts, without the component")
    table_choice.address(plain="1" if state["plain held"] else None)


@st.fragment(key="views")
def _views(source: Source, counts: Counts, held: LookedAt) -> None:
    state = st.session_state
    if state.pop(worth_a_look.ADDED, False):
        st.rerun(scope="app")
    works = worth_a_look.ahead(source.made_of, counts)

    def asked() -> None:
        value = state["cube"]["asked"]
        if value is not None:
            said = msgspec.convert(value, Asked)
            if said.table == source.made_of:
                held.told(said)

    look = held.look
    question = look.question
    if state.get("question") != (source.made_of, question):
        state["question"] = (source.made_of, question)
        state["look"] = state.get("look", 0) + 1
    cube = counts.known(question) or counts.sampled(question)
    if state["plain held"]:
        plain.draw(cube, counts.table, held)
    else:
        spans = look.spans(look.active)
        content = frame(state["look"], source.sql, counts.table, cube, look.views, spans, held.opened)
        component()(key="cube", data=content, on_asked_change=asked)
    worth_a_look.draw(source.made_of, works, held)
    whole = state.pop("whole run", False)
    if cube.exact:
        give_up()
        worth_a_look.begin(works, held)
        return
    try:
        with works.asking():
            count(counts, question)
    except TidemarkError as error:
        show("count-problem", el("p", str(error), cls="problem"))
        return
    st.rerun(scope="app" if whole else "fragment")
