"""Saving what is looked at by name, and opening it again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode

import streamlit as st

from streamlit_app.explorer import looked_at
from streamlit_app.explorer.looked_at import LookedAt
from streamlit_app.ui import session
from streamlit_app.ui.tree import Tree, el
from streamlit_app.ui.view import show
from tidemark.cubes.columns import Column
from tidemark.cubes.saved import LONGEST_NAME, SavedViews, Taken, opened
from tidemark.errors import TidemarkError
from tidemark.tables.sources import Source

ADDRESS = "view"


class _Sure(NamedTuple):
    """What is asked before it is done."""

    words: str
    yes: str
    act: Callable[[], None]


class Panel:
    """The saved views of one table."""

    def __init__(self, source: Source, columns: Mapping[str, Column], held: LookedAt) -> None:
        self._store = SavedViews(Path(session.configured().tables).expanduser(), source)
        self._source, self._columns, self._held = source, columns, held

    def from_address(self) -> None:
        """Open the view that the address names, once."""
        state = st.session_state
        name = st.query_params.get(ADDRESS)
        if name is None:
            state.setdefault("view-opened", None)
        elif "view-opened" not in state:
            self._try(lambda: self._open(name))
            state.setdefault("view-opened", None)
        elif state["view-opened"] != (self._source.made_of, name):
            del st.query_params[ADDRESS]

    def draw(self) -> None:
        """The button that opens the panel, and what came of it."""
        state = st.session_state
        with st.popover("Saved views"):
            st.text_input("Name", key="saved-name", max_chars=LONGEST_NAME, placeholder="A name of your own")
            st.button(
                "Save what is looked at", on_click=lambda: self._save(_written()), key="saved-save", width="stretch"
            )
            sure: _Sure | None = state.get("saved-sure")
            if sure is not None:
                show("saved-sure", el("p", sure.words, cls="problem"))
                with st.container(horizontal=True):
                    st.button(sure.yes, on_click=self._yes, key="saved-yes")
                    st.button("Leave it", on_click=self._no, key="saved-no")
            words = state.get("saved-said")
            if words:
                show("saved-said", el("p", words))
            self._list()

    def told(self) -> None:
        """What a view that was opened could not show."""
        lost: list[str] = st.session_state.get("view-lost", [])
        if lost:
            show("view-lost", el("p", " ".join(lost), cls="problem"))

    def _list(self) -> None:
        names = self._store.names()
        if not names:
            show("saved-none", el("p", "None of this table yet.", cls="empty"))
            return
        chosen = st.selectbox("Saved", names, key="saved-chosen")
        with st.container(horizontal=True):
            st.button("Open", on_click=self._try, args=(lambda: self._open(chosen),), key="saved-open")
            st.button(
                "Rename",
                on_click=lambda: self._rename(chosen, _written()),
                key="saved-rename",
                help="To the name above",
            )
            st.button("Delete", on_click=self._delete, args=(chosen,), key="saved-delete")
        show("saved-link", self._link(chosen))

    def _link(self, name: str) -> Tree:
        at = {"path": st.query_params["path"]} if "path" in st.query_params else {"table": self._source.name}
        return el("p", el("a", f"A link to “{name}”", href=f"?{urlencode({**at, ADDRESS: name})}"))

    # -- what the buttons do

    def _save(self, name: str, replace: bool = False) -> None:
        def save() -> None:
            kept = self._store.save(name, self._held.look, self._columns, replace=replace)
            self._named(kept, f"Saved as “{kept}”.")

        self._try(save, f"Replace “{name.strip()}”", lambda: self._save(name, replace=True))

    def _rename(self, name: str, to: str, replace: bool = False) -> None:
        def rename() -> None:
            kept = self._store.rename(name, to, replace=replace)
            self._named(kept, f"“{name}” is called “{kept}” now.")

        self._try(rename, f"Replace “{to.strip()}”", lambda: self._rename(name, to, replace=True))

    def _delete(self, name: str) -> None:
        def delete() -> None:
            self._store.delete(name)
            st.session_state.pop("saved-chosen", None)
            self._say(f"“{name}” is deleted.")

        self._ask(_Sure(f"Delete “{name}” for good?", "Delete it", lambda: self._try(delete)))

    def _open(self, name: str) -> None:
        state = st.session_state
        found = opened(self._store.find(name), self._columns)
        state["view-lost"] = [f"“{name}”:", *found.lost] if found.lost else []
        if found.look is None:
            state["view-lost"].append("Nothing of it is left to be shown.")
            return
        self._held.set(found.look)
        state[looked_at.widget(self._source.made_of)] = looked_at.keys(found.look.views)
        self._named(name, f"“{name}” is open.")

    def _named(self, name: str, words: str) -> None:
        state = st.session_state
        state["saved-chosen"] = name
        state["view-opened"] = (self._source.made_of, name)
        st.query_params[ADDRESS] = name
        self._say(words)

    # -- asking and saying

    def _try(self, act: Callable[[], None], replace: str = "", again: Callable[[], None] | None = None) -> None:
        st.session_state["saved-sure"] = None
        try:
            act()
        except Taken as error:
            assert again is not None
            self._ask(_Sure(str(error), replace, again))
        except TidemarkError as error:
            self._say(str(error))

    def _ask(self, sure: _Sure) -> None:
        st.session_state["saved-sure"] = sure
        st.session_state["saved-said"] = ""

    def _say(self, words: str) -> None:
        st.session_state["saved-said"] = words

    def _yes(self) -> None:
        sure: _Sure = st.session_state["saved-sure"]
        st.session_state["saved-sure"] = None
        sure.act()

    def _no(self) -> None:
        st.session_state["saved-sure"] = None


def _written() -> str:
    """The name in the panel, also where it was written just now."""
    return str(st.session_state.get("saved-name", ""))
