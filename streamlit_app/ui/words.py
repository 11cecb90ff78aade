"""Moments, spans and states, as people say them."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from tidemark.errors import BadRequest
from tidemark.runs import FLOWS, HOUSING_DATA, HOUSING_ML, SALES_MODEL, SALES_WATCH, Run, Status, read_cursor

STATES: dict[Status, str] = {
    "completed": "Completed",
    "reused": "Nothing new",
    "skipped": "Skipped",
    "failed": "Failed",
}
MEANS: dict[Status, str] = {
    "completed": "did all its work",
    "reused": "nothing had changed, so earlier results stand",
    "skipped": "left to another run",
    "failed": "ended with an error",
}
JUDGED = {"ok": "Well", "warn": "Watch", "alert": "Needs a hand", "none": "Not judged yet"}
TITLES = {
    HOUSING_DATA: "Housing data",
    HOUSING_ML: "Price models",
    SALES_WATCH: "Sales watch",
    SALES_MODEL: "Sales model",
}
NO_CHOICE = "none"
_RUN = re.compile(r"\b(?:the )?run ([0-9]{13})-[0-9a-f]{12}\b")


def choice(run: Run) -> str:
    """What names a run on the page and in its address."""
    return f"{run.flow}.{run.id}"


def chosen(text: str | None) -> tuple[str, str] | None:
    """Flow and run that a choice names; None where it names none."""
    flow, _, run = (text or "").partition(".")
    try:
        return (flow, read_cursor(run)) if flow in FLOWS else None
    except BadRequest:
        return None


def clock(ms: int, now: int) -> str:
    """A moment in UTC: the time, before today with its day."""
    moment, today = (datetime.fromtimestamp(at / 1000, UTC) for at in (ms, now))
    return f"{moment:%H:%M:%S}" if moment.date() == today.date() else day(ms)


def day(ms: int) -> str:
    """A moment in UTC with its day."""
    return f"{datetime.fromtimestamp(ms / 1000, UTC):%-d %b %H:%M:%S}"


def span(seconds: float) -> str:
    """How long something took, to three digits."""
    if seconds < 10:
        return f"{seconds:.2f} s"
    return f"{seconds:.1f} s" if seconds < 100 else f"{seconds / 60:.1f} min"


def took(run: Run) -> float:
    """Seconds from a run's begin to its end."""
    return max(run.ended_at - run.started_at, 0) / 1000


def readable(text: str, now: int) -> str:
    """With runs named by the time when they began, and algorithms as their makers write them."""
    return _RUN.sub(lambda found: f"the run of {clock(int(found[1]), now)}", text).replace("lightgbm", "LightGBM")


def sentence(text: str, now: int) -> str:
    """Readable, as a sentence of its own."""
    said = readable(text, now).strip()
    said = said[:1].upper() + said[1:]
    return said if said.endswith((".", "!", "?")) or not said else f"{said}."
