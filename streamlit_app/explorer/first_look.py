"""The page that comes before all others: what a table holds, how sound it is, and what stands out in it."""

from __future__ import annotations

from typing import Any

import streamlit as st

from streamlit_app.explorer import table_choice
from streamlit_app.explorer.worth_a_look import ahead
from streamlit_app.ui import session
from streamlit_app.ui.looks import dressed
from streamlit_app.ui.tree import Tree, el, row, table
from streamlit_app.ui.view import show
from tidemark.cubes.counts import Counts
from tidemark.cubes.first_look import ColumnLook, Finding, FirstLook
from tidemark.errors import TidemarkError
from tidemark.looks import percent

SHOWN, ACROSS = 12, 2
NOTHING = "there is nothing here to be learnt about one from another"
_HEADS = ("column", "kind", "distinct ", "missing ", "least ", "middle ", "most ", "at a cap ", "far out ")


def found_in(made_of: str, counts: Counts) -> FirstLook:
    """What a table shows at first sight; looked for once."""
    works, slot = ahead(made_of, counts), st.empty()

    def progress(part: float) -> None:
        slot.progress(part, "Looking at every pair of columns")

    found = works.look_now(progress)
    slot.empty()
    return found


def page() -> None:
    """Draw the page."""
    chosen = table_choice.choose("First look", "What a table holds, how sound it is, and what stands out.")
    if chosen is None:
        return
    source, counts = chosen
    try:
        look = found_in(source.made_of, counts)
    except TidemarkError as error:
        show("look-problem", el("p", str(error), cls="problem"))
        return
    show("look-summary", _summary(look))
    show("look-columns", el("h2", "Columns"), _columns(look.columns))
    show("look-findings", el("h2", "What stands out"), el("p", verdict(look), cls="faint"))
    for first in range(0, min(len(look.findings), SHOWN), ACROSS):
        for column, place in zip(st.columns(ACROSS, gap="medium"), range(first, first + ACROSS), strict=True):
            if place < min(len(look.findings), SHOWN):
                with column:
                    _finding(look.findings[place], f"finding-{place}")
    if look.findings[SHOWN:]:
        rest = [
            el("li", finding.words, " ", el("small", finding.test, cls="faint")) for finding in look.findings[SHOWN:]
        ]
        show("look-rest", el("h3", f"{len(rest)} more, weaker"), el("ul", *rest))


def verdict(look: FirstLook) -> str:
    """What the tests of all pairs come to, in a sentence."""
    tested = f"Of {look.pairs} pairs of columns"
    if look.pairs == 0:
        return "There are no two columns to be held against each other."
    if look.dependent == 0:
        return f"{tested} none depends on the other beyond chance: {NOTHING}."
    told = {name for finding in look.findings if finding.kind == "identity" for name in finding.columns}
    real = [finding for finding in look.findings if finding.kind == "dependence" and not set(finding.columns) <= told]
    if not real:
        return f"{tested} only those depend on each other that say the same in other words; beyond that, {NOTHING}."
    return f"{tested} {look.dependent} depend on each other beyond chance."


def _summary(look: FirstLook) -> Tree:
    facts = {
        "rows": f"{look.rows:,}",
        "columns": f"{len(look.columns)}",
        "sound": percent(look.sound),
    }
    pairs = [el("div", el("dt", name), el("dd", text)) for name, text in facts.items()]
    words = "Sound: the share of all values that are neither missing, nor at a cap, nor far out."
    return el("div", el("dl", *pairs, cls="pairs"), el("p", words, cls="faint"))


def _columns(columns: list[ColumnLook]) -> Tree:
    rows = []
    for column in columns:
        shares = [percent(share) if share else "none" for share in (column.missing, column.capped, column.far)]
        cells = [
            column.name,
            column.kind,
            f"{column.distinct:,}",
            shares[0],
            column.least,
            column.middle,
            column.most,
            *(shares[1:] if column.kind == "number" else ["", ""]),
        ]
        rows.append(row(_HEADS, cells))
    return table(_HEADS, rows, label="Columns")


def _finding(finding: Finding, key: str) -> None:
    with st.container(key=f"tile-{key}", border=True, height="stretch"):
        show(key, el("h3", finding.words), el("p", finding.test, cls="faint"))
        if finding.counts:
            with st.container(key=f"chart-{key}"):
                spec = dressed(chart(finding), session.mode())
                st.vega_lite_chart(spec, width="content", theme=None, key=f"{key}-{session.mode()}")


def chart(finding: Finding) -> dict[str, Any]:
    """How the groups of the second column are spread in each group of the first."""
    first, second = finding.columns[:2]
    left, right = finding.names
    values = []
    for a, counts in enumerate(finding.counts):
        whole = sum(counts)
        for b, count in enumerate(counts):
            share = count / whole if whole else 0
            values.append({"a": a, "b": b, "first": left[a], "second": right[b], "share": share, "rows": count})
    return {
        "data": {"values": values},
        "width": 380,
        "height": 18 * len(right) + 10,
        "mark": {"type": "rect"},
        "encoding": {
            "x": {"field": "first", "type": "ordinal", "sort": left, "title": first, "axis": {"labelAngle": -30}},
            "y": {"field": "second", "type": "ordinal", "sort": list(reversed(right)), "title": second},
            "color": {
                "field": "share",
                "type": "quantitative",
                "scale": {"range": "ramp", "domainMin": 0},
                "legend": {"title": "share", "format": ".0%"},
            },
            "tooltip": [
                {"field": "first", "title": first},
                {"field": "second", "title": second},
                {"field": "share", "format": ".1%"},
                {"field": "rows", "format": ",.0f"},
            ],
        },
    }
