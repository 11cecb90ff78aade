"""Charts and tables that runs have left behind, drawn on a page."""

from __future__ import annotations

import re
from typing import Any

import streamlit as st

from streamlit_app.ui import session
from streamlit_app.ui.looks import dressed
from streamlit_app.ui.tables import tables
from streamlit_app.ui.tree import el
from streamlit_app.ui.view import show

_NO_NAME = re.compile(r"[^a-z0-9]+")


def draw_chart(spec: dict[str, Any], name: str) -> None:
    """A chart in its own size; what does not fit is moved sideways. `name` is the chart's alone on the page."""
    key = _NO_NAME.sub("-", name.lower())
    with st.container(key=f"chart-{key}"):
        st.vega_lite_chart(
            dressed(spec, session.mode()), width="content", theme=None, key=f"spec-{key}-{session.mode()}"
        )


def draw_tables(result: dict[str, Any], key: str) -> None:
    """A step's result; `key` is its own on the page."""
    facts, shown = tables(result)
    if facts:
        pairs = [el("div", el("dt", name), el("dd", text)) for name, text in facts.items()]
        show(key, el("dl", *pairs, cls="pairs"))
    for one in shown:
        st.caption(one.title)
        numbers = [name for name, values in one.columns.items() if _are_numbers(values)]
        config = {name: st.column_config.NumberColumn(format="localized") for name in numbers}
        st.dataframe(one.columns, hide_index=True, column_config=config)


def _are_numbers(values: list[Any]) -> bool:
    return all(value is None or (isinstance(value, int | float) and not isinstance(value, bool)) for value in values)
