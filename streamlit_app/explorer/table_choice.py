"""Which table is looked at: one that comes with the product, or one of the user's own. All of these pages share it."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from streamlit_app.explorer import binning, sources
from streamlit_app.ui import session
from streamlit_app.ui.tree import el
from streamlit_app.ui.view import show
from tidemark.cubes.engine import Engine
from tidemark.cubes.sources import Source, of_path, opened
from tidemark.errors import TidemarkError

OWN = "A file or folder of your own"


@st.cache_resource(show_spinner=False, max_entries=4)
def engine(made_of: str, _source: Source) -> Engine:
    """What counts a table that is binned. Raises TidemarkError."""
    return Engine(opened(_source, _folder()))


def _folder() -> Path:
    folder = Path(session.configured().tables).expanduser()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def choose(heading: str, about: str) -> tuple[Source, Engine] | None:
    """A page's head with the choice of a table; None where none is open, which is said."""
    head = el("header", el("h1", heading), el("p", about, cls="faint grow"), cls="top")
    show("table-head", head)
    known = {source.title: source for source in sources.known()}
    titles = [*known, OWN]
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
    if title != OWN:
        address(table=known[title].name, path=None)
    else:
        path = right.text_input("Its path, or s3://…", key="path")
        state["own-path"] = path
        address(table=None, path=path)
        if not path:
            none = "Name a CSV or Parquet file, or a folder of them. It is read here; nothing is sent anywhere."
            show("table-none", el("p", none, cls="empty"))
            return None
    try:
        source = of_path(path) if title == OWN else known[title]
        binning.bin_once(source, _folder())
        counts = engine(source.made_of, source)
    except TidemarkError as error:
        show("table-problem", el("p", str(error), cls="problem"))
        return None
    right.caption(source.about)
    if counts.table.left_out:
        named = ", ".join(f"{name} ({kind})" for name, kind in counts.table.left_out)
        words = f"Left out, as lists, structures and bytes are not counted: {named}."
        show("table-left-out", el("p", words, cls="faint"))
    return source, counts


def address(**names: str | None) -> None:
    """Have the page's address say this; None: have it say nothing of that."""
    for name, value in names.items():
        if value is None:
            st.query_params.pop(name, None)
        elif st.query_params.get(name) != value:
            st.query_params[name] = value
