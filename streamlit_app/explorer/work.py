"""Long work beside the page: it tells how far it is, and ends when it is told to. One piece at a time on a server."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Generic, TypeVar, cast

import streamlit as st

from streamlit_app.ui.tree import el
from streamlit_app.ui.view import show
from tidemark.analysis.frame import Progress
from tidemark.analysis.placed import KEPT
from tidemark.cubes.counts import Stopped
from tidemark.errors import TidemarkError

Found = TypeVar("Found")

LOOKS_UP_S = 0.5
_TURN = threading.Lock()
_log = logging.getLogger(__name__)


class Work(Generic[Found]):
    """A piece of work on a thread of its own."""

    def __init__(self, does: Callable[[Progress], Found]) -> None:
        self.share = 0.0
        self.words = "Waiting until another analysis is done"
        self.found: Found | None = None
        self.problem = ""
        self._stop = threading.Event()
        self._does = does
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def at_work(self) -> bool:
        """Whether it goes on."""
        return self._thread.is_alive()

    def stop(self) -> None:
        """End at the next step."""
        self._stop.set()
        self.words = "Stopping"

    def _run(self) -> None:
        try:
            while not _TURN.acquire(timeout=LOOKS_UP_S):
                self._progress(0.0, self.words)
            try:
                self.found = self._does(self._progress)
            finally:
                _TURN.release()
        except Stopped:
            self.problem = "Stopped; nothing was kept."
        except TidemarkError as error:
            self.problem = str(error)
        except Exception:  # noqa: BLE001  the page says so, and the log what
            _log.exception("an analysis failed")
            self.problem = "This analysis failed; the app's log says where."

    def _progress(self, share: float, words: str) -> None:
        if self._stop.is_set():
            raise Stopped
        self.share, self.words = share, words


def result(key: str, button: str, does: Callable[[Progress], Found]) -> Found | None:
    """What a piece of work has found; until then a button that begins it, or how far it is.

    `key`: what the work is of, and nothing else; what was found under it is kept for all sessions.
    """
    kept = found_before()
    if key in kept:
        return cast("Found", kept[key])
    held: Work[Found] | None = st.session_state.get("work") if st.session_state.get("work of") == key else None
    if held is None or held.problem:
        if held is not None:
            show("work-problem", el("p", held.problem, cls="problem"))
        if st.button(button, type="primary"):
            _end_other()
            st.session_state["work"], st.session_state["work of"] = Work(does), key
            st.rerun()
        return None
    if held.at_work or held.found is None:
        _watch(key)
        return None
    kept[key] = held.found
    while len(kept) > KEPT:
        kept.pop(next(iter(kept)))
    del st.session_state["work"], st.session_state["work of"]
    return held.found


@st.cache_resource(show_spinner=False)
def found_before() -> dict[str, object]:
    """What work of all sessions has found, the oldest first."""
    return {}


def _end_other() -> None:
    other = st.session_state.get("work")
    if other is not None:
        other.stop()


@st.fragment(run_every=LOOKS_UP_S)
def _watch(key: str) -> None:
    work = st.session_state.get("work")
    if work is None or st.session_state.get("work of") != key or not work.at_work:
        st.rerun()
    left, right = st.columns([5, 1], vertical_alignment="center")
    left.progress(min(work.share, 1.0), work.words)
    right.button("Cancel", on_click=work.stop, width="stretch")
