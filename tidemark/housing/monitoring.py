"""Do batches still come, whole, in the usual number of rows, with the usual values?

A batch leaves a sketch: counts on a grid that is fixed for ever, so that sketches add up and comparing two costs the
same however many rows they stand for.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Literal, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from tidemark.housing.columns import COLUMNS, Column
from tidemark.housing.profile.significance import holm
from tidemark.runs import Batch

Status = Literal["ok", "warn", "alert"]
Counts: TypeAlias = npt.NDArray[np.int64]

GRID = 400
GROUPS = 10
REFERENCE_BATCHES = 5
RECENT_BATCHES = 20
FEWEST_BATCHES = 5
FEWEST_ROWS = 30
LATE = (2.0, 5.0)
"""Expected intervals without a batch: from the first on a warning, from the second an alert."""
ODD = (3.0, 6.0)
"""Robust standard deviations of the rows a batch; and the share of their median that is never odd."""
ODD_SHARE = (0.2, 0.5)
PSI = (0.1, 0.25)
"""Population stability index: the usual marks for a moderate and a large shift (Siddiqi, Credit Risk Scorecards)."""
KS = (0.1, 0.2)
REFUSED = (0.05, 0.2)
"""Share of the newest batches that are in quarantine whole."""
BAD = (0.01, 0.1)
"""Share of the other batches' rows that are in quarantine."""
CHANCE = 0.01
"""A shift that chance gives more often, of all columns together (Holm), is none."""


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


class Sketch(msgspec.Struct, frozen=True):
    """Of `rows` rows: how many values fall between neighbours of each column's grid, or are of each category. The last
    count of a column is of its empty cells."""

    rows: int
    counts: dict[str, list[int]]


class ColumnDrift(msgspec.Struct, frozen=True):
    """How far a column moved from the reference.

    `psi`: of ten groups that hold as much of the reference each, and of empty cells. `ks`: the largest difference of
    the distributions on the grid, a lower bound of Kolmogorov and Smirnov's D; None of categories. `p`: the smaller of
    both tests' p-values, corrected for all tests (Holm).
    """

    column: str
    status: Status
    words: str
    psi: float
    ks: float | None
    p: float


class Drift(msgspec.Struct, frozen=True):
    """How far the newest batch moved from the reference, the furthest column first."""

    status: Status
    words: str
    reference_rows: int
    rows: int
    columns: list[ColumnDrift]


def worst(statuses: Iterable[Status]) -> Status:
    """The worst of some; ok of none."""
    found = set(statuses)
    return "alert" if "alert" in found else "warn" if "warn" in found else "ok"


def freshness(newest: float | None, now: float, expected_seconds: float, stuck: int = 0) -> Freshness:
    """How old the newest batch is. `newest`, `now`: seconds since 1970; `newest` is None where none ever came. `stuck`:
    how many batches could not be taken though they came."""
    waits = f" {stuck} that came cannot be taken just now, and {'waits' if stuck == 1 else 'wait'}." if stuck else ""
    if newest is None:
        return Freshness("alert", "No batch has been taken yet." + waits, None, expected_seconds)
    age = max(now - newest, 0.0)
    status = worst([_status(age / expected_seconds, LATE), "warn" if stuck else "ok"])
    words = f"The newest batch came {_span(age)} ago; one is expected every {_span(expected_seconds)}."
    return Freshness(status, words + waits, age, expected_seconds)


def quality(newest: Sequence[Batch]) -> Quality:
    """How much of the newest batches is in quarantine; the last 20 count, newest first."""
    recent = newest[:RECENT_BATCHES]
    others = [batch for batch in recent if batch.refused is None]
    refused, rows, bad = len(recent) - len(others), sum(b.rows for b in others), sum(b.quarantined for b in others)
    status = worst([_status(refused / max(len(recent), 1), REFUSED), _status(bad / max(rows, 1), BAD)])
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


@lru_cache
def grid(column: Column) -> npt.NDArray[np.float64]:
    """The edges that a number's values are counted between: evenly spread over its range, or over its logarithm."""
    if column.scale == "log":
        return np.geomspace(column.low, column.high, GRID + 1)
    return np.linspace(column.low, column.high, GRID + 1)


def sketch(rows: pd.DataFrame) -> Sketch:
    """The counts of a frame that has the ten columns."""
    return Sketch(len(rows), {column.name: _counts(rows[column.name], column) for column in COLUMNS})


def _counts(values: pd.Series, column: Column) -> list[int]:
    if column.kind == "category":
        found = values.value_counts()
        counts = [int(found.get(name, 0)) for name in column.categories]
        return [*counts, len(values) - sum(counts)]
    numbers = values.to_numpy(dtype=np.float64)
    have = numbers[~np.isnan(numbers)]
    places = np.clip(np.searchsorted(grid(column), have, side="left") - 1, 0, GRID - 1)
    return [*np.bincount(places, minlength=GRID).tolist(), len(numbers) - len(have)]


def merge(sketches: Iterable[Sketch]) -> Sketch:
    """The sketch of all rows together."""
    rows, counts = 0, {column.name: np.zeros(_size(column), dtype=np.int64) for column in COLUMNS}
    for part in sketches:
        rows += part.rows
        for name, total in counts.items():
            total += np.array(part.counts[name], dtype=np.int64)
    return Sketch(rows, {name: total.tolist() for name, total in counts.items()})


def _size(column: Column) -> int:
    return (len(column.categories) if column.kind == "category" else GRID) + 1


def drift(reference: Sketch, newest: Sketch) -> Drift:
    """How far each column of the newest batch is from the reference."""
    if min(reference.rows, newest.rows) < FEWEST_ROWS:
        words = f"{min(reference.rows, newest.rows):,} rows are too few to tell a shift from chance."
        return Drift("ok", words, reference.rows, newest.rows, [])
    tests: list[float] = []
    measured = []
    for column in COLUMNS:
        old, new = (np.array(s.counts[column.name], dtype=np.int64) for s in (reference, newest))
        psi, psi_p = _psi(old, new, column)
        ks, ks_p = _ks(old[:-1], new[:-1]) if column.kind == "number" else (None, 1.0)
        measured.append((column, psi, ks))
        tests += [psi_p, ks_p]
    corrected = [p for p in holm(tests) if p is not None]
    columns = [
        _judged(column, psi, ks, min(corrected[2 * place : 2 * place + 2]))
        for place, (column, psi, ks) in enumerate(measured)
    ]
    columns.sort(key=lambda found: -found.psi)
    moved = [found for found in columns if found.status != "ok"]
    words = " ".join(found.words for found in moved) or "No column has moved from the reference beyond chance."
    return Drift(worst(found.status for found in columns), words, reference.rows, newest.rows, columns)


def _judged(column: Column, psi: float, ks: float | None, p: float) -> ColumnDrift:
    status: Status = "ok"
    if p < CHANCE:
        status = worst([_status(psi, PSI), _status(ks or 0.0, KS)])
    figures = f"PSI {psi:.2f}" + (f", KS {ks:.2f}" if ks is not None else "")
    still = "no further than chance moves so few rows" if psi >= PSI[0] else "not moved"
    how = {"ok": still, "warn": "moved", "alert": "moved far"}[status]
    return ColumnDrift(column.name, status, f"{column.title}: {how} ({figures}).", psi, ks, p)


def _psi(old: Counts, new: Counts, column: Column) -> tuple[float, float]:
    """The index, and how likely a batch of the reference's kind has as much."""
    if column.kind == "number":
        below = np.cumsum(old[:-1]) - old[:-1]
        group = np.minimum(below * GROUPS // max(int(old[:-1].sum()), 1), GROUPS - 1)
        old, new = (np.append(np.bincount(group, counts[:-1], GROUPS), counts[-1]) for counts in (old, new))
    used = (old + new) > 0
    old, new = old[used], new[used]
    # Half a row where there is none: the index has no value for an empty group.
    p, q = (np.maximum(counts, 0.5) / counts.sum() for counts in (old, new))
    psi = float(((q - p) * np.log(q / p)).sum())
    both = float(old.sum() * new.sum() / (old.sum() + new.sum()))
    return psi, float(stats.chi2.sf(psi * both, max(len(old) - 1, 1)))


def _ks(old: Counts, new: Counts) -> tuple[float, float]:
    n, m = int(old.sum()), int(new.sum())
    if min(n, m) == 0:
        return 0.0, 1.0
    distance = float(np.abs(np.cumsum(old) / n - np.cumsum(new) / m).max())
    return distance, float(stats.kstwobign.sf(distance * math.sqrt(n * m / (n + m))))


def _status(value: float, marks: tuple[float, float]) -> Status:
    return "alert" if value >= marks[1] else "warn" if value >= marks[0] else "ok"


def _span(seconds: float) -> str:
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 1.5 * size:
            return f"{seconds / size:,.0f} {unit}"
    return f"{seconds:,.0f} s"
