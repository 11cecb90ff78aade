"""A table while it is binned: how far it is, and meanwhile its columns and first rows."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import duckdb
import streamlit as st

from streamlit_app.ui.tree import Tree, el, row, table
from streamlit_app.ui.view import show
from tidemark.cubes.table import Table
from tidemark.tables.preview import Preview, preview
from tidemark.tables.sources import Source, binned_at, opened

_HEADS = ("column", "type", "")


@st.cache_resource(show_spinner=False, max_entries=64)
def _turn(made_of: str) -> threading.Lock:
    """Two sessions that open the same table: one bins it."""
    return threading.Lock()


def bin_once(source: Source, folder: Path) -> None:
    """Bin a table, and show it meanwhile, where that was not done before. Raises TidemarkError.

    The page goes on with the same run: one begun here (`st.rerun`) would give the browser the choice of table that this
    run began with once more, over what has been chosen meanwhile.
    """
    slot = st.empty()
    if Table.is_at(binned_at(source, folder)):
        return
    try:
        with slot.container(), _turn(source.made_of):
            _bin(source, folder)
    finally:
        slot.empty()


def _bin(source: Source, folder: Path) -> None:
    bar = st.progress(0.0, f"Looking into {source.title}")
    slot = st.empty()

    def seen(table: duckdb.DuckDBPyRelation) -> None:
        found = preview(table)
        with slot.container():
            show("binning-columns", el("h2", "What it holds"), _columns(found))
            st.dataframe(found.rows, hide_index=True, height="content")

    began = time.monotonic()

    def progress(done: int, rows: int) -> None:
        nonlocal began
        if done == 0:
            began = time.monotonic()
        left = time_left(time.monotonic() - began, done, rows)
        bar.progress(min(done / max(rows, 1), 1.0), f"Reading {source.title}: {done:,} of {rows:,} rows{left}")

    opened(source, folder, progress, seen=seen)


def time_left(seconds: float, done: int, rows: int) -> str:
    """How long the rest will take at the pace so far, in words; nothing before the first rows and after the last."""
    if not 0 < done < rows:
        return ""
    left = seconds / done * (rows - done)
    if left < 1:
        return ", under a second left"
    return f", about {left:.0f} s left" if left < 100 else f", about {left / 60:.0f} min left"


def _columns(found: Preview) -> Tree:
    rows = [
        row(_HEADS, [name, kind, "left out: it cannot be counted" if name in found.left_out else ""])
        for name, kind in found.columns.items()
    ]
    return table(_HEADS, rows, label="Columns")
