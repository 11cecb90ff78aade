"""Do batches still come, whole, in the usual number of rows, with the usual values?"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence

import msgspec
import pandas as pd

from tidemark.housing.columns import COLUMNS
from tidemark.models import shift
from tidemark.models.shift import Drift, Sketch, Status, status_of, worst
from tidemark.runs import Batch

REFERENCE_BATCHES = 5
RECENT_BATCHES = 20
FEWEST_BATCHES = 5
LATE = (2.0, 5.0)
"""Expected intervals without a batch: from the first on a warning, from the second an alert."""
ODD = (3.0, 6.0)
"""Robust standard deviations of the rows a batch; and the share of their median that is never odd."""
ODD_SHARE = (0.2, 0.5)
REFUSED = (0.05, 0.2)
"""Share of the newest batches that are in quarantine whole."""
BAD = (0.01, 0.1)
"""Share of the other batches' rows that are in quarantine."""


class Freshness(msgspec.Struct, frozen=True):
    """How old the newest batch is. `age_seconds`: None where none ever came."""

    status: Status
    words: str
    age_seconds: float | None
    expected_seconds: float


class Volume(msgspec.Struct, frozen=True):
    """The newest batch's rows, and between which numbers they are usual; None where too few batches came before."""

    status: Status
    words: str
    rows: int
    median: float | None
    low: float | None
    high: float | None
    batches: int


class Quality(msgspec.Struct, frozen=True):
    """How much of the newest `batches` is in quarantine: `refused` of them whole, of the others' `rows` those `bad`."""

    status: Status
    words: str
    batches: int
    refused: int
    rows: int
    bad: int


def freshness(newest: float | None, now: float, expected_seconds: float, stuck: int = 0) -> Freshness:
    """How old the newest batch is. `newest`, `now`: seconds since 1970; `newest` is None where none ever came. `stuck`:
    how many batches could not be taken though they came."""
    waits = f" {stuck} that came cannot be taken just now, and {'waits' if stuck == 1 else 'wait'}." if stuck else ""
    if newest is None:
        return Freshness("alert", "No batch has been taken yet." + waits, None, expected_seconds)
    age = max(now - newest, 0.0)
    status = worst([status_of(age / expected_seconds, LATE), "warn" if stuck else "ok"])
    words = f"The newest batch came {_span(age)} ago; one is expected every {_span(expected_seconds)}."
    return Freshness(status, words + waits, age, expected_seconds)


def quality(newest: Sequence[Batch]) -> Quality:
    """How much of the newest batches is in quarantine; the last 20 count, newest first."""
    recent = newest[:RECENT_BATCHES]
    others = [batch for batch in recent if batch.refused is None]
    refused, rows, bad = len(recent) - len(others), sum(b.rows for b in others), sum(b.quarantined for b in others)
    status = worst([status_of(refused / max(len(recent), 1), REFUSED), status_of(bad / max(rows, 1), BAD)])
    came = "the newest batch" if len(recent) == 1 else f"the newest {len(recent)} batches"
    if not refused and not bad:
        return Quality(status, f"Nothing of {came} is in quarantine.", len(recent), 0, rows, 0)
    words = f"Of {came} {refused or 'none'} {'is' if refused == 1 else 'are'} in quarantine whole"
    words += f", of the others' {rows:,} rows {bad:,}." if others else "."
    return Quality(status, words, len(recent), refused, rows, bad)


def volume(rows: int, before: Sequence[int]) -> Volume:
    """The newest batch's `rows` against those of the batches `before` it, oldest first; the last 20 count."""
    recent = before[-RECENT_BATCHES:]
    if len(recent) < FEWEST_BATCHES:
        came = "1 batch" if len(recent) == 1 else f"{len(recent)} batches"
        words = f"{rows:,} rows; {came} came before, too few to say what is usual."
        return Volume("ok", words, rows, None, None, None, len(recent))
    median = statistics.median(recent)
    spread = 1.4826 * statistics.median(abs(count - median) for count in recent)
    reaches = [max(odd * spread, share * median) for odd, share in zip(ODD, ODD_SHARE, strict=True)]
    low, high = max(median - reaches[0], 0.0), median + reaches[0]
    status: Status = (
        "ok" if abs(rows - median) <= reaches[0] else "warn" if abs(rows - median) <= reaches[1] else "alert"
    )
    usual = f"usual are {low:,.0f} to {high:,.0f} (median of {len(recent)} batches: {median:,.0f})"
    return Volume(status, f"{rows:,} rows; {usual}.", rows, median, low, high, len(recent))


def sketch(rows: pd.DataFrame) -> Sketch:
    """The counts of a frame that has the ten columns."""
    return shift.sketch({column.name: rows[column.name] for column in COLUMNS}, len(rows), COLUMNS)


def drift(reference: Iterable[Sketch], newest: Sketch) -> Drift:
    """How far each column of the newest batch is from some earlier ones."""
    return shift.drift(shift.merge(reference, COLUMNS), newest, COLUMNS)


def _span(seconds: float) -> str:
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 1.5 * size:
            return f"{seconds / size:,.0f} {unit}"
    return f"{seconds:,.0f} s"
