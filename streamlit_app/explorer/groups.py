"""The page of a table's shape: components, groups and rows that stand apart, each beside what chance gives."""

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
from tidemark.analysis.unsupervised import Places, Unsupervised, unsupervised
from tidemark.analysis.words import number, of_unsupervised
from tidemark.cubes.views import View
from tidemark.looks import percent

ABOUT = "What shape a table's numbers have, beside the same table with each column shuffled for itself."
VIEWS = (View("component 1", "component 2"), View("group"), View("apart"))


def page() -> None:
    """Draw the page."""
    chosen = table_choice.choose_frame("Groups", ABOUT)
    if chosen is None:
        return
    source, frame = chosen
    key = f"groups:{source.made_of}"
    found = work.result(key, "Look for groups", lambda told: _look(frame, key, told))
    if found is not None:
        _draw(*found)


def _look(frame: Frame, key: str, told: Progress) -> tuple[Unsupervised, Places, Path]:
    found, places = unsupervised(frame, told)
    return found, places, placed.write(frame, placed.of_places(places), table_choice.folder(), key)


def _draw(found: Unsupervised, places: Places, path: Path) -> None:
    said = of_unsupervised(found)
    show("groups-verdict", el("h2", said.verdict), *(el("p", words) for words in said.details))
    left, right = st.columns(2, gap="medium")
    with left, _tile("components"):
        show("components-head", el("h3", "Components"), el("p", said.components, cls="faint"))
        draw_chart(charts.components(found), "components")
    with right, _tile("groupings"):
        show("groupings-head", el("h3", "Groups by k-means"), el("p", said.groups, cls="faint"))
        draw_chart(charts.groupings(found), "groupings")
    left, right = st.columns(2, gap="medium")
    with left, _tile("plane"):
        show("plane-head", el("h3", "Neighbours on a plane"), el("p", said.plane, cls="faint"))
        draw_chart(charts.plane(found, places), "plane")
    with right, _tile("apart"):
        show("apart-head", el("h3", "Dense groups, and rows that stand apart"))
        show("apart-words", el("p", said.density), el("p", said.apart))
        if found.profiles:
            show("profiles", el("h3", f"The {found.best} groups"), _profiles(found))
    if not found.nothing:
        show("groups-views", el("h2", "Look into them"), el("p", "Brush a group; the columns follow.", cls="faint"))
        linked_views.embedded(path, VIEWS)


def _tile(name: str) -> st.delta_generator.DeltaGenerator:
    return st.container(key=f"tile-{name}-{session.mode()}", border=True, height="stretch")


def _profiles(found: Unsupervised) -> Tree:
    heads = ("column", *(f"group {one.group} " for one in found.profiles))
    rows = [row(heads, ["share of the rows", *(percent(one.share) for one in found.profiles)])]
    rows += [
        row(heads, [scaled.column, *(number(one.means[scaled.column]) for one in found.profiles)])
        for scaled in found.scaled
    ]
    return table(heads, rows, label="Means of the groups")
