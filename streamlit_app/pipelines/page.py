"""The Pipelines page: do the flows run, is the data well, how good is the model, what did each run do."""

from __future__ import annotations

import streamlit as st

from streamlit_app.pipelines.data_tiles import data_tile
from streamlit_app.pipelines.flow_tiles import flow_tiles
from streamlit_app.pipelines.model_tiles import NO_TRAINING, champion_tile, chart, decisions
from streamlit_app.pipelines.overview import Listed, Overview, listed, read
from streamlit_app.pipelines.run_detail import NO_RUN, run_detail
from streamlit_app.pipelines.runs_list import runs_table
from streamlit_app.ui import session
from streamlit_app.ui.looks import dressed
from streamlit_app.ui.tree import Tree, ago, el
from streamlit_app.ui.view import now_ms, show
from streamlit_app.ui.words import NO_CHOICE, STATES, TITLES, chosen
from tidemark.errors import TidemarkError
from tidemark.runs import FLOWS, Status

REFRESH_S = 5
A_PAGE = 12
NOT_HERE = (
    "No flow runs here: the part `flows` was not started. What stands here is of earlier runs, if there were any."
    " `tidemark up --only core,flows,explorer` starts it."
)


def page() -> None:
    """Draw the page."""
    _now()
    listing, detail = st.columns([5, 8], gap="medium")
    with listing, st.container(key="tile-runs", border=True):
        _runs()
    with detail:
        _detail()


def selected() -> str | None:
    """The selected run, as the address names it."""
    named = st.query_params.get("run")
    return named if chosen(named) else None


def choose(value: str) -> None:
    """Select a run, or none."""
    if value not in (NO_CHOICE, selected()):
        st.query_params["run"] = value
    else:
        st.query_params.pop("run", None)
    st.session_state["appear"] = selected()
    st.rerun(["now", "runs", "run"])


@st.fragment(run_every=REFRESH_S, key="now")
def _now() -> None:
    if st.session_state.setdefault("mode", session.mode()) != session.mode():
        st.session_state["mode"] = session.mode()
        st.rerun()
    found, problem = _overview()
    here = bool(session.configured().prefect_url)
    show("head", _head(found, problem, here=here), now=now_ms())
    if found is None:
        return
    show("flows", flow_tiles(found, selected(), here=here), choose=choose, undo=NO_CHOICE)
    show("data", data_tile(found))
    with st.container(key="tile-model", border=True):
        who, errors, explained = st.columns([3, 4, 4], gap="medium")
        with who:
            show("champion", champion_tile(found))
        for column, measure in ((errors, "rmse"), (explained, "r2")):
            spec = chart(found.metrics, measure)
            if spec is not None:
                column.vega_lite_chart(dressed(spec, session.mode()), theme=None, key=f"{measure}-{session.mode()}")
        if not found.metrics:
            with errors:
                show("no-training", el("p", NO_TRAINING, cls="empty"))
        show("decisions", decisions(found))


def _overview() -> tuple[Overview | None, str | None]:
    """How things stand, or stood when the API last answered; and why it does not."""
    before: Overview | None = st.session_state.get("overview")
    try:
        if before is None:
            with st.spinner("Asking the API for the newest runs …"):
                found = read(session.api(), None, now_ms())
        else:
            found = read(session.api(), before, now_ms())
    except TidemarkError as error:
        return before, str(error)
    st.session_state["overview"] = found
    return found, None


def _head(found: Overview | None, problem: str | None, *, here: bool) -> Tree:
    if problem:
        again = f"{problem} Asked again every {REFRESH_S} s."
        since = [el("span", "what stands here was read ", ago(found.at))] if found else []
        line = el("p", el("span", again, cls="problem"), *since, cls="line", role="status")
    elif found:
        line = el("p", el("span", "read ", ago(found.at), cls="live"), cls="line faint")
    else:
        line = el("p", "", cls="line")
    note = None if here else el("p", *_code(NOT_HERE), cls="note")
    about = "Flows look after the housing data, its price models, and the model that scores the sales."
    return el("header", el("h1", "Pipelines"), el("p", about, cls="faint grow"), line, note, cls="top")


def _code(text: str) -> list[Tree]:
    """Words, those between backticks as a command."""
    return [el("code", part) if place % 2 else part for place, part in enumerate(text.split("`"))]


@st.fragment(run_every=REFRESH_S, key="runs")
def _runs() -> None:
    show("runs-head", el("h2", "Runs"))
    with st.container(horizontal=True, key="filters"):
        flow = st.selectbox(
            "Flow",
            ["", *FLOWS],
            format_func=lambda name: TITLES.get(name, "All flows"),
            key="flow",
            bind="query-params",
            on_change=_first,
            width=135,
        )
        status = st.selectbox(
            "How it ended",
            ["", *STATES],
            format_func=lambda name: STATES.get(name, "Any"),
            key="status",
            bind="query-params",
            on_change=_first,
            width=135,
        )
    cursors: list[str] = st.session_state.setdefault("cursors", [])
    try:
        found = _listed(flow, status, cursors[-1] if cursors else None)
    except TidemarkError as error:
        show("runs", el("p", str(error), cls="problem"))
        return
    show(
        "runs",
        runs_table(found.runs, selected(), now_ms(), filtered=bool(flow or status)),
        choose=choose,
        undo=NO_CHOICE,
    )
    with st.container(horizontal=True, key="pages"):
        st.button("Newer", key="newer", disabled=not cursors, on_click=_newer, icon=":material/chevron_left:")
        st.button(
            "Older",
            key="older",
            disabled=found.older is None,
            on_click=_older,
            args=(found.older,),
            icon=":material/chevron_right:",
            icon_position="right",
        )


def _listed(flow: str, status: str, before: str | None) -> Listed:
    """The runs of the page; asked for again once a run has been added."""
    overview: Overview | None = st.session_state.get("overview")
    mark = (flow, status, before, overview.mark if overview else None)
    kept: tuple[object, Listed] | None = st.session_state.get("listed")
    if kept is not None and kept[0] == mark:
        return kept[1]
    found = listed(session.api(), [flow] if flow else FLOWS, _status(status), before, A_PAGE)
    st.session_state["listed"] = (mark, found)
    return found


def _status(name: str) -> Status | None:
    return next((status for status in STATES if status == name), None)


def _first() -> None:
    st.session_state["cursors"] = []


def _newer() -> None:
    st.session_state["cursors"].pop()


def _older(cursor: str) -> None:
    st.session_state["cursors"].append(cursor)


@st.fragment(key="run")
def _detail() -> None:
    with st.container(key="tile-run", border=True):
        named = chosen(selected())
        if named is None:
            show("run-head", el("p", NO_RUN, cls="empty"))
        else:
            run_detail(*named, choose=choose, appear=st.session_state.get("appear"))
