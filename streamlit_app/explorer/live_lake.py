"""The live lake as a browser looks at it: as it was when it was opened, until newer sales are asked for."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from streamlit_app.ui import session
from tidemark.adapters import aws
from tidemark.adapters.s3_lake import S3Lake
from tidemark.errors import NotFound, TidemarkError
from tidemark.tables.lake import LOOK_S, TITLE, LakeSales
from tidemark.tables.sources import Source


@st.cache_resource(show_spinner=False)
def lake(bucket: str, tables: str) -> LakeSales:
    """The lake in a bucket."""
    return LakeSales(S3Lake(aws.s3(), bucket), Path(tables).expanduser())


def source() -> Source:
    """The state of the lake that this browser looks at. Raises NotFound, Unavailable."""
    found = _configured()
    newest = found.newest()
    held: Source = st.session_state.get("live sales", newest)
    if not found.is_kept(held):
        held = newest
    st.session_state["live sales"] = held
    return held


@st.fragment(key="newer-sales", run_every=LOOK_S)
def offer() -> None:
    """A button that looks again, once newer sales have come; the lake is asked once a minute."""
    try:
        newest = _configured().newest()
    except TidemarkError:
        return
    held = st.session_state.get("live sales", newest)
    if held.made_of != newest.made_of and st.button("Newer sales have come: look again", key="look-again"):
        st.session_state["live sales"] = newest
        st.rerun()


def _configured() -> LakeSales:
    configured = session.configured()
    if not configured.lake_bucket:
        raise NotFound(f"{TITLE}: this app has not been told of a lake; `tidemark up` does.")
    return lake(configured.lake_bucket, configured.tables)
