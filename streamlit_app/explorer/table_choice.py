"""Which table is looked at: one that comes with the product, or one of the user's own. All of these pages share it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from streamlit_app.explorer import binning, live_lake, sources
from streamlit_app.ui import session
from streamlit_app.ui.tree import el
from streamlit_app.ui.view import show
from tidemark.analysis.frame import Frame, read
from tidemark.cubes.counts import Counts
from tidemark.cubes.engine import Engine
from tidemark.errors import NotFound, TidemarkError
from tidemark.tables import lake
from tidemark.tables.sources import Source, of_path, opened

if TYPE_CHECKING:
    from tidemark.cubes.athena import AthenaTable
    from tidemark.cubes.queried import Queried

OWN = "A file or folder of your own"
ATHENA = "athena://"
ATHENA_KEPT_S = 3600
"""So long a table in Athena is taken to have the rows that it had."""


@st.cache_resource(show_spinner=False, max_entries=4)
def engine(made_of: str, _source: Source) -> Engine:
    """What counts a table that is binned. Raises TidemarkError."""
    return Engine(opened(_source, folder()))


def folder() -> Path:
    """Where binned tables are, and what was made of them."""
    found = Path(session.configured().tables).expanduser()
    found.mkdir(parents=True, exist_ok=True)
    return found


@st.cache_resource(show_spinner="Reading the rows that are learnt from", max_entries=4)
def _frame(made_of: str, _source: Source) -> Frame:
    return read(_source, folder())


def choose_frame(heading: str, about: str) -> tuple[Source, Frame] | None:
    """As `choose`, with the table as it is learnt from."""
    chosen = choose(heading, about)
    if chosen is None:
        return None
    source, _ = chosen
    try:
        return source, _frame(source.made_of, source)
    except TidemarkError as error:
        show("frame-problem", el("p", str(error), cls="problem"))
        return None


@st.cache_resource(show_spinner="Asking Athena", max_entries=4, ttl=ATHENA_KEPT_S)
def in_athena(path: str) -> tuple[AthenaTable, Queried]:
    """A table that Athena counts. Raises BadRequest."""
    from tidemark.cubes.athena import AthenaTable  # seconds, that those who ask nothing there need not wait for

    configured = session.configured()
    table = AthenaTable(path, configured.athena_workgroup, configured.athena_results)
    return table, table.opened(folder())


def _opened(title: str, path: str, known: dict[str, Source]) -> tuple[Source, Counts]:
    """The table that was chosen, and what counts it. Raises TidemarkError."""
    if title == OWN and path.startswith(ATHENA):
        table, counts = in_athena(path)
        return table.source()._replace(made_of=counts.table.made_of), counts
    source = of_path(path) if title == OWN else live_lake.source() if title == lake.TITLE else known[title]
    binning.bin_once(source, folder())
    return source, engine(source.made_of, source)


def choose(heading: str, about: str) -> tuple[Source, Counts] | None:
    """A page's head with the choice of a table; None where none is open, which is said."""
    head = el("header", el("h1", heading), el("p", about, cls="faint grow"), cls="top")
    show("table-head", head)
    known = {source.title: source for source in sources.known()}
    titles = [*known, lake.TITLE, OWN]
    state = st.session_state
    left, right = st.columns([1, 2])
    if state.get("choosing-on") != heading:  # Streamlit forgets what a widget holds once another page is shown
        linked = st.query_params.get("path") or state.get("own-path", "")
        named = next((title for title, one in known.items() if one.name == st.query_params.get("table")), None)
        held = state.get("looked-at", named or (OWN if linked else titles[0]))
        state["table"] = held if held in titles else titles[0]
        state["path"] = linked
        state["choosing-on"] = heading
    title = left.selectbox("Table", titles, key="table")
    state["looked-at"] = title
    path = ""
    if title == OWN:
        path = right.text_input("Its path, s3://… or athena://database/table", key="path")
        state["own-path"] = path
        address(table=None, path=path)
        if not path:
            none = "Name a CSV or Parquet file, or a folder of them. It is read here; nothing is sent anywhere."
            show("table-none", el("p", none, cls="empty"))
            return None
    else:
        address(table=lake.NAME if title == lake.TITLE else known[title].name, path=None)
    try:
        source, counts = _opened(title, path, known)
    except TidemarkError as error:
        show("table-problem", el("p", str(error), cls="empty" if isinstance(error, NotFound) else "problem"))
        return None
    right.caption(source.about)
    if counts.table.notes:
        show("table-notes", el("p", " ".join(counts.table.notes), cls="faint"))
    if counts.table.left_out:
        named = ", ".join(f"{name} ({kind})" for name, kind in counts.table.left_out)
        words = f"Left out, as lists, structures and bytes are not counted: {named}."
        show("table-left-out", el("p", words, cls="faint"))
    if title == lake.TITLE:
        with right:
            live_lake.offer()
    return source, counts


def address(**names: str | None) -> None:
    """Have the page's address say this; None: have it say nothing of that."""
    for name, value in names.items():
        if value is None:
            st.query_params.pop(name, None)
        elif st.query_params.get(name) != value:
            st.query_params[name] = value
