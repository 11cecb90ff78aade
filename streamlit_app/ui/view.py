"""Mounting trees on a page: `view.js` draws them, `styles/` dresses them."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import streamlit as st

from streamlit_app.ui.tree import Tree

_HERE = Path(__file__).resolve().parent
_STYLES = [(_HERE / "styles" / f"{name}.css").read_text() for name in ("marks", "run", "price", "report")]
_component = st.components.v2.component("tidemark_view", css="\n".join(_STYLES), js=(_HERE / "view.js").read_text())


def now_ms() -> int:
    """Milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def show(
    key: str,
    *trees: Tree,
    choose: Callable[[str], None] | None = None,
    undo: str | None = None,
    appear: str | None = None,
    now: int | None = None,
) -> None:
    """Draw trees under a name that is theirs alone.

    `choose` is told what a button says; Escape says `undo`. With another `appear` than before, the trees are brought
    into sight. `now`: the time here, which all counting in the browser goes by; one view of a page tells it. The others
    stay the same from one refresh to the next, and are not sent again.
    """

    def chosen() -> None:
        value = st.session_state[key]["chosen"]
        if choose is not None and value is not None:
            choose(str(value))

    data = {"now": now, "trees": list(trees), "undo": undo, "appear": appear}
    _component(key=key, data=data, on_chosen_change=chosen)
