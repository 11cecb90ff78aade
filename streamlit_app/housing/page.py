"""The page of housing prices: what a block is worth, and what the data looks like."""

from __future__ import annotations

from typing import Any

import streamlit as st

from streamlit_app.housing.blocks import FIELDS, FIRST, OCEANS, PLACES, block, usual
from streamlit_app.housing.eda_charts import MAP, chosen_place, selectable, side_by_side
from streamlit_app.housing.price_view import price_view
from streamlit_app.ui import session
from streamlit_app.ui.api import Eda
from streamlit_app.ui.drawing import draw_chart, draw_tables
from streamlit_app.ui.looks import dressed
from streamlit_app.ui.tree import Tree, ago, el
from streamlit_app.ui.view import now_ms, show
from tidemark.errors import NotFound, TidemarkError

REFRESH_S = 20
NOTHING = (
    "No data run has completed yet. Once one has, the map of prices, charts and tables of the data stand here; the"
    " Pipelines page says when the next one is due."
)
# What says most comes first; what is not named follows.
ORDER = ("histograms", "price-by-income", "price-by-category", "importance", "correlations", "categories", "drift")


def page() -> None:
    """Draw the page."""
    _top()
    with st.container(key="worth"):
        asking, answer, place = st.columns([7, 8, 10], gap="medium")
        with asking, st.container(key="tile-form", border=True):
            _form()
        with answer, st.container(key="tile-price", border=True):
            _price()
        with place, st.container(key="tile-map", border=True):
            _map()
    _explored()


def _eda() -> tuple[Eda | None, str | None]:
    """What there is of the newest profile, or was when the API last answered; and why it does not."""
    try:
        st.session_state["eda"] = session.api().eda()
    except TidemarkError as error:
        return st.session_state.get("eda"), str(error)
    return st.session_state["eda"], None


@st.fragment(run_every=REFRESH_S, key="top")
def _top() -> None:
    if st.session_state.setdefault("mode", session.mode()) != session.mode():
        st.session_state["mode"] = session.mode()
        st.rerun()
    found, problem = _eda()
    show("housing-head", _head(found, problem), now=now_ms())


def _head(found: Eda | None, problem: str | None) -> Tree:
    about = "What the homes of a block were worth in California in 1990, and what moves their price."
    if problem:
        line = el(
            "p", el("span", f"{problem} Asked again every {REFRESH_S} s.", cls="problem"), cls="line", role="status"
        )
    elif found:
        line = el("p", el("span", "data explored ", ago(found.at), cls="live"), cls="line faint")
    else:
        line = el("p", "", cls="line")
    return el("header", el("h1", "Housing prices"), el("p", about, cls="faint grow"), line, cls="top")


# -- a block


def _begin() -> None:
    for name, value in usual().items():
        st.session_state.setdefault(name, float(value))
    st.session_state.setdefault("ocean", PLACES[FIRST].ocean)
    st.session_state.setdefault("place", FIRST)


def _to_place() -> None:
    found = PLACES.get(st.session_state["place"])
    if found is not None:
        st.session_state["longitude"], st.session_state["latitude"] = found.longitude, found.latitude
        st.session_state["ocean"] = found.ocean
    st.session_state["picks"] = st.session_state.get("picks", 0) + 1  # another map, with nothing picked on it
    st.rerun(["form", "price", "map"])


@st.fragment(key="form")
def _form() -> None:
    _begin()
    show("form-head", el("h2", "What is a block worth?"))
    st.selectbox(
        "Begin with a place, or pick one on the map",
        list(PLACES),
        key="place",
        placeholder="the one on the map",
        on_change=_to_place,
    )
    with st.form("block", border=False):
        for first, second in zip(FIELDS[::2], FIELDS[1::2], strict=True):
            for column, field in zip(st.columns(2), (first, second), strict=True):
                column.number_input(
                    field.label,
                    min_value=float(field.low),
                    max_value=float(field.high),
                    step=float(field.step),
                    format=f"%.{field.digits}f",
                    key=field.name,
                )
        st.selectbox("Where it lies, seen from the ocean", list(OCEANS), format_func=OCEANS.__getitem__, key="ocean")
        st.form_submit_button("Price this block", type="primary", on_click=_ask)


def _ask() -> None:
    st.rerun(["form", "price"])


@st.fragment(key="price")
def _price() -> None:
    _begin()
    values = {field.name: float(st.session_state[field.name]) for field in FIELDS}
    try:
        answer = session.api().predict(block(values, st.session_state["ocean"]))
    except TidemarkError as error:
        show("price", el("h2", "What the model says"), el("p", str(error), cls="problem"))
        return
    show("price", price_view(answer, now_ms()))


# -- the data


@st.fragment(run_every=REFRESH_S, key="map")
def _map() -> None:
    found: Eda | None = st.session_state.get("eda")
    try:
        spec = _file(found, MAP) if found else None
    except TidemarkError as error:
        show("no-map", el("h2", "Prices by place"), el("p", str(error), cls="problem"))
        return
    if spec is None:
        show("no-map", el("h2", "Prices by place"), el("p", NOTHING, cls="empty"))
        return
    picking = selectable(spec)
    if picking is None:
        draw_chart(spec, "map")
        return
    with st.container(key="chart-map"):
        st.vega_lite_chart(
            dressed(picking, session.mode()), width="content", theme=None, key=_map_key(), on_select=_to_chosen
        )


def _map_key() -> str:
    return f"map-{session.mode()}-{st.session_state.get('picks', 0)}"


def _to_chosen() -> None:
    place = chosen_place(st.session_state[_map_key()])
    if place is not None:
        st.session_state["longitude"], st.session_state["latitude"] = place
        st.session_state["place"] = None
    st.rerun(["form", "price", "map"])


def _file(found: Eda, name: str) -> dict[str, Any] | None:
    """A table or chart of the profile; None where it has gone, as when a newer one has come."""
    try:
        return session.eda_file(found.results_of, name)
    except NotFound:
        return None


@st.fragment(run_every=REFRESH_S, key="explored")
def _explored() -> None:
    found: Eda | None = st.session_state.get("eda")
    if found is None:
        return
    show("explored-head", el("h2", "What the data looks like"))
    try:
        _charts(found)
        _tables(found)
    except TidemarkError as error:
        show("explored-problem", el("p", str(error), cls="problem"))


def _charts(found: Eda) -> None:
    names = {chart.name.partition(".")[0]: chart.name for chart in found.charts if chart.name != MAP}
    order = [name for name in ORDER if name in names] + [name for name in names if name not in ORDER]
    specs = {name: spec for name in order if (spec := _file(found, names[name])) is not None}
    for line in side_by_side(specs):
        for column, name in zip(st.columns(len(line), gap="medium"), line, strict=True):
            with column, st.container(key=f"tile-{name}", border=True, height="stretch"):
                draw_chart(specs[name], name)


def _tables(found: Eda) -> None:
    with st.container(key="tile-tables", border=True):
        show("tables-head", el("h2", "Tables"))
        first = sorted(found.tables, key=lambda table: table.name != "summary.json")
        titles = {table.title: table.name for table in first}
        chosen = st.selectbox("Table", list(titles), key="eda-table", width=360)
        result = _file(found, titles[chosen]) if chosen else None
        if result is not None:
            draw_tables(result, "eda-facts")
