"""The page of the report: written from one run over a table, shown, and given as HTML and PDF."""

from __future__ import annotations

import streamlit as st

from streamlit_app.explorer import prediction, table_choice, work
from streamlit_app.ui.drawing import draw_chart
from streamlit_app.ui.tree import Tree, el, row, table
from streamlit_app.ui.view import show
from tidemark.analysis.frame import Frame, Progress
from tidemark.analysis.report.document import (
    Block,
    Document,
    Figure,
    Grid,
    Heading,
    Listing,
    Paragraph,
    Steps,
    numbered,
)
from tidemark.analysis.report.html import html
from tidemark.analysis.report.pdf import pdf
from tidemark.analysis.report.study import study
from tidemark.analysis.report.write import report
from tidemark.analysis.splits import SplitKind
from tidemark.tables.sources import Source

ABOUT = "What was done, so that others can do it again; what came out; what it means."


def page() -> None:
    """Draw the page."""
    chosen = table_choice.choose_frame("Report", ABOUT)
    if chosen is None:
        return
    source, frame = chosen
    target, kind = prediction.aim(frame, source)
    found = work.result(
        f"report:{source.made_of}:{target}:{kind}",
        "Write the report",
        lambda told: _written(source, frame, target, kind, told),
    )
    if found is None:
        return
    document, page_, pages = found
    name = f"{source.name}-{target}"
    with st.container(horizontal=True):
        st.download_button("PDF", pages, f"{name}.pdf", "application/pdf", on_click="ignore")
        st.download_button("HTML", page_, f"{name}.html", "text/html", on_click="ignore")
    with st.container(key="report"):
        _draw(document)


def _written(source: Source, frame: Frame, target: str, kind: SplitKind, told: Progress) -> tuple[Document, str, bytes]:
    document = report(study(source, frame, target, kind, lambda share, words: told(0.95 * share, words)))
    told(0.96, "Setting the pages")
    return document, html(document), pdf(document)


def _draw(document: Document) -> None:
    about = el("p", document.about, cls="faint")
    show("report-title", el("div", el("h1", document.title), about, cls="report"))
    text: list[Tree] = []
    for place, block in enumerate(numbered(document.blocks)):
        if isinstance(block, Figure):
            _say(text, place)
            draw_chart(block.spec, f"report-{place}")
            text = [el("p", block.caption, cls="faint")]
        else:
            text.append(_tree(block))
    _say(text, len(document.blocks))


def _say(text: list[Tree], place: int) -> None:
    if text:
        show(f"report-text-{place}", el("div", *text, cls="report"))


def _tree(block: Block) -> Tree:
    match block:
        case Heading(level, text):
            return el(f"h{level + 1}", text)
        case Paragraph(text):
            return el("p", text)
        case Steps(items):
            return el("ol", *(el("li", item) for item in items))
        case Listing(text):
            return el("pre", text)
        case Grid(caption, heads, rows):
            body = table(heads, [row(heads, cells) for cells in rows], label=caption)
            return el("div", el("p", caption, cls="faint"), body, cls="scroll")
        case Figure():
            raise TypeError(block)
