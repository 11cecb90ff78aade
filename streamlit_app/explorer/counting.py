"""Waiting for the exact answer while the page stays open to the hand."""

from __future__ import annotations

import threading
from concurrent.futures import Future, wait
from typing import NamedTuple

import streamlit as st

from tidemark.cubes.counts import Counts
from tidemark.cubes.cube import Cube
from tidemark.cubes.views import Question

LOOKS_UP_S = 0.03


class _Counting(NamedTuple):
    engine: Counts
    question: Question
    answer: Future[Cube]
    stop: threading.Event


def count(engine: Counts, question: Question) -> None:
    """Wait until all rows are counted.

    A run that is asked for meanwhile ends this one. Where it asks the same, it waits on; else the counting ends.
    """
    state, slot = st.session_state, st.empty()
    under_way: _Counting | None = state.get("counting")
    if under_way is None or (under_way.engine, under_way.question) != (engine, question):
        give_up()
        stop = threading.Event()
        under_way = state["counting"] = _Counting(engine, question, engine.start(question, stop), stop)
    while wait([under_way.answer], timeout=LOOKS_UP_S).not_done:
        slot.empty()  # Streamlit ends a run only where it draws
    state["counting"] = None
    under_way.answer.result()


def give_up() -> None:
    """End what is being counted for this session."""
    under_way: _Counting | None = st.session_state.get("counting")
    if under_way is not None:
        under_way.stop.set()
        st.session_state["counting"] = None
