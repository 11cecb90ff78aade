"""Is the data well? Freshness, quality, volume and drift as the newest data run judged them, and the newest batches."""

from __future__ import annotations

from streamlit_app.pipelines.overview import Overview
from streamlit_app.ui import words
from streamlit_app.ui.api import Judged
from streamlit_app.ui.tree import Tree, ago, el, row, state, table
from streamlit_app.ui.words import JUDGED
from tidemark.runs import Batch

WATCHED = (
    ("freshness", "Freshness", "Do batches still come?"),
    ("quality", "Quality", "Is what comes good?"),
    ("volume", "Volume", "Are they as large as usual?"),
    ("drift", "Drift", "Are their values as usual?"),
)
HEADS = ("Arrived", "File", "Rows ", "New ", "Known ", "Quarantine ", "What became of it")
NOT_YET = "There is no batch to judge yet."
NO_BATCH = "No batch has come yet. Each batch will stand here with what was taken, and what is in quarantine and why."


def data_tile(found: Overview) -> Tree:
    """The whole tile."""
    summary = found.summary
    rows = f"{summary.rows:,} blocks known" if summary else "no block known yet"
    judged = [el("span", "judged ", ago(summary.at))] if summary else []
    head = el("header", el("h2", "Is the housing data well?"), el("p", el("span", rows), *judged, cls="line faint"))
    monitoring = summary.monitoring if summary else None
    cells = [
        _judged(title, question, getattr(monitoring, name) if monitoring else None) for name, title, question in WATCHED
    ]
    return el("section", head, el("div", *cells, cls="judged"), _batches(found.batches, found.at), cls="tile data")


def _judged(title: str, question: str, judged: Judged | None) -> Tree:
    status = judged.status if judged else "none"
    return el(
        "div",
        el("h3", title, el("small", f" {question}", cls="faint")),
        el("p", state(status, JUDGED.get(status, status), large=True)),
        el("p", judged.words if judged else NOT_YET, cls="faint"),
        data_watched=title.lower(),
    )


def _batches(batches: list[Batch], now: int) -> Tree:
    if not batches:
        return el("p", NO_BATCH, cls="empty")
    rows = [
        row(
            HEADS,
            (
                el("span", words.clock(batch.arrived_at, now), cls="time"),
                el("span", batch.name, cls="name"),
                f"{batch.rows:,}",
                f"{batch.accepted:,}",
                f"{batch.known:,}",
                f"{_bad(batch):,}",
                fate(batch),
            ),
            key=batch.id,
            cls=None if batch.refused is None else "refused",
        )
        for batch in batches
    ]
    return el(
        "div",
        el("h3", "The newest batches", el("small", " arrived, UTC", cls="faint")),
        table(HEADS, rows, label="The newest batches"),
        cls="batches",
        tabindex=0,
        role="region",
        aria_label="The newest batches",
    )


def _bad(batch: Batch) -> int:
    return batch.quarantined if batch.refused is None else batch.rows


def fate(batch: Batch) -> Tree:
    """What became of a batch, and why."""
    if batch.refused is not None:
        return el("div", state("alert", "Quarantined whole"), el("p", batch.refused, cls="why"), cls="fate")
    if batch.quarantined:
        reasons = "; ".join(f"{count:,} × {reason}" for reason, count in batch.reasons.items())
        word = f"{batch.quarantined:,} {'row' if batch.quarantined == 1 else 'rows'} in quarantine"
        return el("div", state("warn", word), el("p", reasons, cls="why"), cls="fate")
    return el("div", state("ok", "Taken"), cls="fate")
