"""The page of predictions: a column from the others, beside a baseline, judged on rows that were not learnt from."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from streamlit_app.explorer import linked_views, table_choice, work
from streamlit_app.ui import session
from streamlit_app.ui.drawing import draw_chart
from streamlit_app.ui.tree import Tree, el, row, table
from streamlit_app.ui.view import show
from tidemark.analysis import charts, placed
from tidemark.analysis.frame import Frame, Progress
from tidemark.analysis.splits import SplitKind, kinds
from tidemark.analysis.supervised import Predictions, Supervised, supervised, targets
from tidemark.analysis.words import SPLITS, number, of_supervised
from tidemark.cubes.views import View
from tidemark.looks import minus, percent
from tidemark.tables.sources import Source

ABOUT = "One column from the others: what can be told, how surely, and what it rests on."
USUAL = ("median_house_value", "value", "items", "total")
"""What is offered first, where a table has it."""


def page() -> None:
    """Draw the page."""
    chosen = table_choice.choose_frame("Prediction", ABOUT)
    if chosen is None:
        return
    source, frame = chosen
    target, kind = aim(frame, source)
    key = f"prediction:{source.made_of}:{target}:{kind}"
    found = work.result(key, f"Learn to predict {target}", lambda told: _learn(frame, key, target, kind, told))
    if found is not None:
        _draw(*found)


def aim(frame: Frame, source: Source) -> tuple[str, SplitKind]:
    """Which column is to be predicted, and which rows judge that; the same on all pages."""
    state = st.session_state
    left, right = st.columns([1, 2])
    names, ways = targets(frame), kinds(frame)
    usual = next((name for name in USUAL if name in names), names[0])
    held = state.get("aims", {}).get(source.made_of, (usual, ways[0]))
    one, other = (f"{what}-{source.name}-{state.get('choosing-on')}" for what in ("target", "split"))
    if one not in state:  # Streamlit forgets what a widget holds once another page is shown
        state[one], state[other] = held
    target = left.selectbox("What is to be predicted", names, key=one)
    kind: SplitKind = right.radio("Judged on rows that", ways, format_func=SPLITS.get, horizontal=True, key=other)
    state.setdefault("aims", {})[source.made_of] = (target, kind)
    return target, kind


def _learn(
    frame: Frame, key: str, target: str, kind: SplitKind, told: Progress
) -> tuple[Supervised, Predictions, Path]:
    found, predictions = supervised(frame, target, kind, told)
    path = placed.write(frame, placed.of_predictions(found, predictions), table_choice.folder(), key)
    return found, predictions, path


def _draw(found: Supervised, predictions: Predictions, path: Path) -> None:
    said = of_supervised(found)
    show("prediction-verdict", el("h2", said.verdict), *(el("p", words) for words in said.details))
    for place, leak in enumerate(said.leaks):
        show(f"leak-{place}", el("p", leak, cls="warning"))
    left, right = st.columns(2, gap="medium")
    with left, _tile("scores"):
        show("scores-head", el("h3", "Beside the baseline"), el("p", said.split, cls="faint"), _scores(found))
    with right, _tile("skill"):
        show("skill-head", el("h3", "How much is told"), el("p", said.skill, cls="faint"))
        draw_chart(charts.scores(found), "scores")
    if found.best is None:
        return
    left, right = st.columns(2, gap="medium")
    with left, _tile("importance"):
        show("importance-head", el("h3", "What it rests on"), el("p", said.importance, cls="faint"))
        draw_chart(charts.importance(found), "importance")
    with right, _tile("segments"):
        show("segments-head", el("h3", "Where it is wrong"), el("p", said.segments, cls="faint"))
        if found.segments:
            draw_chart(charts.segments(found), "segments")
    left, right = st.columns(2, gap="medium")
    with left, _tile("calibration"):
        show("calibration-head", el("h3", "Is it calibrated?"), el("p", said.calibration, cls="faint"))
        draw_chart(charts.calibration(found), "calibration")
    with right, _tile("residuals"):
        show("residuals-head", el("h3", "Residuals"), el("p", said.residuals, cls="faint"))
        draw_chart(charts.residuals(found, predictions), "residuals")
    show("partial-head", el("h2", "What if a column were different?"), el("p", said.partial, cls="faint"))
    for column, one in zip(st.columns(3, gap="medium"), found.partial, strict=False):
        with column, _tile(f"partial-{one.column}"):
            draw_chart(charts.partial(found, one), f"partial-{one.column}")
    show("prediction-views", el("h2", "Look into it"), el("p", "Brush the residuals; the columns follow.", cls="faint"))
    views = (View("residual"), View(f"{found.target} predicted"), View(found.target))
    linked_views.embedded(path, views)


def _tile(name: str) -> st.delta_generator.DeltaGenerator:
    return st.container(key=f"tile-{name}-{session.mode()}", border=True, height="stretch")


def _scores(found: Supervised) -> Tree:
    figures = list(found.baseline)
    heads = ("", "saved of the baseline's error ", "p ", *(f"{name} " for name in figures))
    rows = [row(heads, ["Baseline", "0 %", "", *(number(found.baseline[name]) for name in figures)])]
    for one in found.scores:
        saved = minus(f"{percent(one.skill)} ({percent(one.low)} to {percent(one.high)})")
        chance = "< 10⁻¹⁰" if one.p < 1e-10 else f"{one.p:.2g}"
        cells = [charts.NAMES[one.name], saved, chance, *(number(one.figures[name]) for name in figures)]
        rows.append(row(heads, cells))
    return table(heads, rows, label="Algorithms beside the baseline")
