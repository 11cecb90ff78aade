"""How far columns have moved from what they were, beyond chance.

Rows leave a sketch: counts on a grid that is fixed for ever, so that sketches add up and comparing two costs the same
however many rows they stand for.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, Protocol, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from tidemark.models.significance import holm

Status = Literal["ok", "warn", "alert"]
Counts: TypeAlias = npt.NDArray[np.int64]

GRID = 400
GROUPS = 10
FEWEST_ROWS = 30
PSI = (0.1, 0.25)
"""Population stability index: the usual marks for a moderate and a large shift (Siddiqi, Credit Risk Scorecards)."""
KS = (0.1, 0.2)
CHANCE = 0.01
"""A shift that chance gives more often, of all columns together (Holm), is none."""


class Counted(Protocol):
    """A column that is counted: between which numbers, on which scale, or of which codes."""

    @property
    def name(self) -> str:
        """See the class."""

    @property
    def title(self) -> str:
        """See the class."""

    @property
    def kind(self) -> Literal["number", "category"]:
        """See the class."""

    @property
    def low(self) -> float:
        """See the class."""

    @property
    def high(self) -> float:
        """See the class."""

    @property
    def scale(self) -> Literal["linear", "log"]:
        """See the class."""

    @property
    def categories(self) -> tuple[str, ...]:
        """See the class."""


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


def status_of(value: float, marks: tuple[float, float]) -> Status:
    """A figure held against its marks: from the first on a warning, from the second an alert."""
    return "alert" if value >= marks[1] else "warn" if value >= marks[0] else "ok"


def grid(column: Counted) -> npt.NDArray[np.float64]:
    """The edges that a number's values are counted between: evenly spread over its range, or over its logarithm."""
    if column.scale == "log":
        return np.geomspace(column.low, column.high, GRID + 1)
    return np.linspace(column.low, column.high, GRID + 1)


def sketch(rows: Mapping[str, pd.Series], count: int, columns: Sequence[Counted]) -> Sketch:
    """The counts of `count` rows."""
    return Sketch(count, {column.name: _counts(rows[column.name], column) for column in columns})


def _counts(values: pd.Series, column: Counted) -> list[int]:
    if column.kind == "category":
        found = values.value_counts()
        counts = [int(found.get(name, 0)) for name in column.categories]
        return [*counts, len(values) - sum(counts)]
    numbers = values.to_numpy(dtype=np.float64)
    have = numbers[~np.isnan(numbers)]
    places = np.clip(np.searchsorted(grid(column), have, side="left") - 1, 0, GRID - 1)
    return [*np.bincount(places, minlength=GRID).tolist(), len(numbers) - len(have)]


def merge(sketches: Iterable[Sketch], columns: Sequence[Counted]) -> Sketch:
    """The sketch of all rows together."""
    rows, counts = 0, {column.name: np.zeros(_size(column), dtype=np.int64) for column in columns}
    for part in sketches:
        rows += part.rows
        for name, total in counts.items():
            total += np.array(part.counts[name], dtype=np.int64)
    return Sketch(rows, {name: total.tolist() for name, total in counts.items()})


def _size(column: Counted) -> int:
    return (len(column.categories) if column.kind == "category" else GRID) + 1


def drift(reference: Sketch, newest: Sketch, columns: Sequence[Counted]) -> Drift:
    """How far each column of the newest rows is from the reference."""
    if min(reference.rows, newest.rows) < FEWEST_ROWS:
        words = f"{min(reference.rows, newest.rows):,} rows are too few to tell a shift from chance."
        return Drift("ok", words, reference.rows, newest.rows, [])
    tests: list[float] = []
    measured = []
    for column in columns:
        old, new = (np.array(s.counts[column.name], dtype=np.int64) for s in (reference, newest))
        psi, psi_p = _psi(old, new, column)
        ks, ks_p = _ks(old[:-1], new[:-1]) if column.kind == "number" else (None, 1.0)
        measured.append((column, psi, ks))
        tests += [psi_p, ks_p]
    corrected = [p for p in holm(tests) if p is not None]
    judged = [
        _judged(column, psi, ks, min(corrected[2 * place : 2 * place + 2]))
        for place, (column, psi, ks) in enumerate(measured)
    ]
    judged.sort(key=lambda found: -found.psi)
    moved = [found for found in judged if found.status != "ok"]
    words = " ".join(found.words for found in moved) or "No column has moved from the reference beyond chance."
    return Drift(worst(found.status for found in judged), words, reference.rows, newest.rows, judged)


def _judged(column: Counted, psi: float, ks: float | None, p: float) -> ColumnDrift:
    status: Status = "ok"
    if p < CHANCE:
        status = worst([status_of(psi, PSI), status_of(ks or 0.0, KS)])
    figures = f"PSI {psi:.2f}" + (f", KS {ks:.2f}" if ks is not None else "")
    still = "no further than chance moves so few rows" if psi >= PSI[0] else "not moved"
    how = {"ok": still, "warn": "moved", "alert": "moved far"}[status]
    return ColumnDrift(column.name, status, f"{column.title}: {how} ({figures}).", psi, ks, p)


def _psi(old: Counts, new: Counts, column: Counted) -> tuple[float, float]:
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
