"""The list of runs, newest first; a row is chosen to read more of it."""

from __future__ import annotations

from collections.abc import Sequence

from streamlit_app.ui import words
from streamlit_app.ui.tree import Tree, el, row, state, table
from streamlit_app.ui.words import STATES, TITLES, choice
from tidemark.runs import Run

HEADS = ("Began, UTC", "Flow", "How it ended", "Took ")


def runs_table(runs: Sequence[Run], chosen: str | None, now: int, *, filtered: bool) -> Tree:
    """The runs as a table. `filtered`: whether only some are asked for."""
    if not runs:
        none = "No run is like this. Other flows or states may have some." if filtered else "No run yet."
        return el("div", el("p", none, cls="empty"), cls="runs")
    found = table(HEADS, [_row(run, chosen, now) for run in runs], label="Runs, newest first")
    return el("div", found, cls="runs")


def _row(run: Run, chosen: str | None, now: int) -> Tree:
    here = choice(run) == chosen
    opens = el(
        "button",
        words.clock(run.started_at, now),
        type="button",
        choose=choice(run),
        aria_pressed="true" if here else "false",
        cls="link time",
        title=words.readable(run.headline, now),
    )
    title = TITLES.get(run.flow, run.flow)
    return row(
        HEADS,
        (opens, title, state(run.status, STATES[run.status]), words.span(words.took(run))),
        key=choice(run),
        cls="pick chosen" if here else "pick",
    )
