"""What else this user might look at, said in words; and what is counted before it is asked."""

from __future__ import annotations

import streamlit as st

from streamlit_app.explorer import looked_at
from streamlit_app.explorer.looked_at import LookedAt
from streamlit_app.ui.tree import el
from streamlit_app.ui.view import show
from tidemark.cubes.ahead import Ahead
from tidemark.cubes.counts import Counts
from tidemark.cubes.suggest import Suggestion, likely_next, suggestions
from tidemark.cubes.views import View

ADDED = "view-added"


@st.cache_resource(show_spinner=False, max_entries=4)
def ahead(made_of: str, _counts: Counts) -> Ahead:
    """What counts in advance over a table."""
    return Ahead(_counts)


def begin(works: Ahead, held: LookedAt) -> None:
    """Count in advance what will likely be asked next."""
    following = likely_next(held.look, held.brushed)
    works.begin(following.question if following else None)


def draw(made_of: str, works: Ahead, held: LookedAt) -> None:
    """Up to three suggestions below the views."""
    if works.look is None:
        return
    found = suggestions(works.look, held.look, held.brushed)
    if not found:
        return
    show("suggested", el("h2", "Worth a look"))
    for place, one in enumerate(found):
        with st.container(horizontal=True, vertical_alignment="center", key=f"suggested-{place}"):
            label = "Add it" if one.instead is None else "Show it"
            st.button(label, on_click=_add, args=(made_of, held, one), key=f"add-{one.view.x}")
            show(f"suggested-words-{place}", el("p", one.words, _instead(one.instead)))


def _instead(view: View | None) -> str:
    return "" if view is None else f" It would take the place of {' × '.join(view.names)}."


def _add(made_of: str, held: LookedAt, one: Suggestion) -> None:
    views = [*(view for view in held.look.views if view != one.instead), one.view]
    held.look = held.look.showing(views)
    st.session_state[looked_at.widget(made_of)] = looked_at.keys(views)
    st.session_state[ADDED] = True
