"""What a table shows at first sight: its columns, how sound they are, and what depends on what, ranked by strength.

Dependence (`dependence`) is judged over all rows, that on the hour and the weekday of a time over the rows that are
kept as they were. With very many rows everything differs beyond chance: what is too weak is no finding all the same.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from itertools import combinations
from typing import Any, Literal, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from tidemark.cubes.axes import number_text
from tidemark.cubes.columns import Column
from tidemark.cubes.counts import Counts
from tidemark.cubes.dependence import Dependence, edge_text, judged, of_counts, of_times
from tidemark.cubes.views import MOST_VIEWS, Question, View
from tidemark.looks import percent

Floats: TypeAlias = npt.NDArray[np.float64]
FindingKind = Literal["identity", "dependence", "missing", "capped", "far", "constant", "repeated", "rare", "places"]

CAPPED, PILED = 0.001, 3
"""A largest value is a cap where at least so many rows have it, and so many times more than any of the five below."""
FAR = 3.0
"""Tukey's outer fences: so many interquartile ranges beyond the quartiles."""
EXACT = 1e-6
FEW = 10
PLACE = ("longitude", "latitude")
_FACTORS = 8
_HOUR_MS = 3_600_000
_DAY_MS = 24 * _HOUR_MS


class ColumnLook(msgspec.Struct, frozen=True):
    """A column. `missing`, `capped`, `far`: shares of all rows; `distinct`: among the rows that were looked at;
    `middle`: the median, of categories the most frequent."""

    name: str
    kind: str
    missing: float
    distinct: int
    least: str
    middle: str
    most: str
    capped: float
    far: float


class Finding(msgspec.Struct, frozen=True):
    """Something that stands out. `strength`: 0 to 1; `test`: how it was found; `counts`: groups of the first column
    (rows) by groups of the second, whose names are `names`."""

    kind: FindingKind
    columns: tuple[str, ...]
    words: str
    strength: float
    test: str
    counts: list[list[float]] = []
    names: tuple[list[str], list[str]] = ([], [])


class FirstLook(msgspec.Struct, frozen=True):
    """`sound`: the share of all values that are neither missing, nor at a cap, nor far out. `pairs`: how many were
    tested; `dependent`: how many of them depend on each other."""

    rows: int
    columns: list[ColumnLook]
    findings: list[Finding]
    sound: float
    pairs: int
    dependent: int


def first_look(
    engine: Counts, progress: Callable[[float], None] = lambda _: None, stop: threading.Event | None = None
) -> FirstLook:
    """All of it. Raises Stopped once `stop` is set."""
    table = engine.table
    some = table.some_rows()
    values = {name: some.column(name) for name in table.columns}
    numbers = {name: values[name].to_numpy() for name, column in table.columns.items() if column.kind == "number"}
    margins = {}
    pairs: dict[tuple[str, str], Floats] = {}
    names = list(table.columns)
    for place, name in enumerate(names):
        margins[name], found = _joint(engine, name, names[place + 1 :], stop)
        pairs |= {(name, other): counts for other, counts in found.items()}
        progress((place + 1) / len(names))
    columns = [_column(table.columns[name], margins[name], values[name], numbers.get(name)) for name in names]
    identities = _identities(numbers) + _of_times(table.columns, values) + _of_names(table.columns, pairs)
    told = {frozenset(finding.columns) for finding in identities if len(finding.columns) == 2}
    kept = {pair: counts for pair, counts in pairs.items() if frozenset(pair) not in told}
    tested = of_counts(table.columns, kept) + of_times(table.columns, values)
    dependences = _dependences(judged(tested), len(tested))
    findings = [*identities, *dependences, *(finding for column in columns for finding in _of_column(column))]
    findings += [one for name in names for one in _rare(table.columns[name], margins[name])]
    findings += _places(some)
    repeated = 1 - _distinct_rows(some) / max(some.num_rows, 1)
    if repeated > 0:
        words = f"{percent(repeated)} of the rows that were looked at stand there more than once."
        findings.append(Finding("repeated", (), words, repeated, "whole rows compared"))
    unsound = [min(1.0, column.missing + column.capped + column.far) for column in columns]
    return FirstLook(
        rows=table.rows,
        columns=columns,
        findings=sorted(findings, key=lambda finding: -finding.strength),
        sound=1 - float(np.mean(unsound)) if unsound else 1.0,
        pairs=len(tested),
        dependent=len(dependences),
    )


# -- counts of pairs, over all rows


def _joint(
    engine: Counts, name: str, others: list[str], stop: threading.Event | None
) -> tuple[Floats, dict[str, Floats]]:
    """How many rows each code of a column has, and by each bar of the others: shape (codes, bars)."""
    found: dict[str, Floats] = {}
    total: Floats | None = None
    for first in range(0, max(len(others), 1), MOST_VIEWS - 1):
        views = tuple(View(other) for other in others[first : first + MOST_VIEWS - 1])
        cube = engine.exact(Question(View(name), views), stop)
        counts = np.diff(cube.sums.astype(np.float64), axis=0)
        total = counts[:, 0]
        for part in cube.parts:
            found[part.view.x] = counts[:, part.first : part.end]
    assert total is not None
    return total, found


def _dependences(found: list[Dependence], pairs: int) -> list[Finding]:
    findings = []
    for one in found:
        how = "strongly" if one.strength >= 0.5 else "clearly" if one.strength >= 0.2 else "weakly"
        chance = "p < 10⁻¹⁰" if one.p < 1e-10 else f"p = {one.p:.2g}"
        words = (
            f"{one.second} depends {how} on the {one.part} of {one.first}."
            if one.part
            else f"{one.first} and {one.second} depend {how} on each other."
        )
        said = (
            f"χ² = {one.statistic:,.0f} over {one.table.shape[0]} × {one.table.shape[1]} groups of "
            f"{one.table.sum():,.0f} rows, {chance} corrected for {pairs} pairs; Cramér's V {one.strength:.2f}"
        )
        columns = (one.first, one.second)
        findings.append(Finding("dependence", columns, words, one.strength, said, one.table.tolist(), one.names))
    return findings


# -- columns, from all rows' codes and some rows' values


def _column(column: Column, counts: Floats, values: Any, numbers: Floats | None) -> ColumnLook:
    rows = max(float(counts.sum()), 1.0)
    known = counts[: column.zones]
    distinct = int(pc.count_distinct(values).as_py())
    least = middle = most = ""
    capped = far = 0.0
    if column.kind == "category":
        middle = column.labels[0] if column.labels else ""
    elif column.kind == "time":
        filled = np.flatnonzero(known)
        if len(filled):
            half = int(np.searchsorted(np.cumsum(known), known.sum() / 2))
            least, middle, most = (edge_text(column, int(zone)) for zone in (filled[0], half, filled[-1]))
    elif numbers is not None:
        seen = numbers[np.isfinite(numbers)]
        if len(seen):
            low, q1, half_, q3, high = np.quantile(seen, [0, 0.25, 0.5, 0.75, 1])
            width = max((high - low) / 1000, 1e-9)
            least, middle, most = (number_text(float(one), width) for one in (low, half_, high))
            share = 1 - float(counts[column.missing]) / rows
            capped = share * at_cap(seen)
            reach = FAR * (q3 - q1)
            far = share * float(np.mean((seen < q1 - reach) | (seen > q3 + reach))) if reach > 0 else 0.0
    return ColumnLook(
        column.name, column.kind, float(counts[column.missing]) / rows, distinct, least, middle, most, capped, far
    )


def at_cap(seen: Floats) -> float:
    """The share of rows at the largest value, where far more stand there than at any value near it; else 0."""
    values, counts = np.unique(seen, return_counts=True)
    if len(values) < 20:
        return 0.0
    share = float(counts[-1]) / len(seen)
    return share if share >= CAPPED and counts[-1] >= max(10, PILED * counts[-6:-1].max()) else 0.0


def _of_column(column: ColumnLook) -> list[Finding]:
    found = []
    if column.distinct <= 1:
        words = f"{column.name} has one value only: it tells nothing."
        found.append(Finding("constant", (column.name,), words, 0.9, "distinct values counted"))
    if column.missing > 0:
        words = f"{column.name} is missing in {percent(column.missing)} of the rows."
        found.append(Finding("missing", (column.name,), words, column.missing, "all rows counted"))
    if column.capped > 0:
        words = (
            f"{column.name} is capped: {percent(column.capped)} of the rows stand at its largest value, {column.most}."
        )
        found.append(Finding("capped", (column.name,), words, max(column.capped, 0.3), "rows at the largest value"))
    if column.far > 0.001:
        words = f"{percent(column.far)} of the rows lie far out in {column.name}."
        found.append(Finding("far", (column.name,), words, column.far, "Tukey's outer fences, 3 interquartile ranges"))
    return found


def _identities(numbers: dict[str, Floats]) -> list[Finding]:
    """Columns that are another, or the product of two others, times a constant."""
    positive = {name: values for name, values in numbers.items() if np.nanmin(values, initial=np.inf) > 0}
    logs = {name: np.log(values) for name, values in list(positive.items())[:_FACTORS]}
    found: list[Finding] = []
    explained: set[str] = set()
    for target, values in logs.items():
        candidates = [(name,) for name in logs] + list(combinations(logs, 2))
        for factors in candidates:
            if target in factors or target in explained or set(factors) & explained:
                continue
            rest = values - sum(logs[name] for name in factors)
            rest = rest[np.isfinite(rest)]
            if len(rest) < 20 or np.std(values[np.isfinite(values)]) < EXACT or np.ptp(rest) > EXACT:
                continue
            times = float(np.exp(np.median(rest)))
            factor = "" if abs(times - 1) < EXACT else f" × {times:.4g}"
            words = f"{target} is {' × '.join(factors)}{factor}: to predict it from them is arithmetic, not a model."
            found.append(
                Finding("identity", (target, *factors), words, 1.0, f"holds in all {len(rest):,} rows looked at")
            )
            explained.add(target)
    return found


def _of_names(columns: Mapping[str, Column], pairs: Mapping[tuple[str, str], Floats]) -> list[Finding]:
    """Two categories that are one by another name: each value goes with one of the other's, in all rows."""
    found = []
    for (one, other), counts in pairs.items():
        if columns[one].kind != "category" or columns[other].kind != "category":
            continue
        seen = counts[:, counts.any(axis=0)][counts.any(axis=1)] > 0
        if len(seen) > 1 and seen.shape[0] == seen.shape[1] and (seen.sum(axis=0) == 1).all():
            words = f"{one} is {other} by another name: to predict it from that is no model."
            test = f"each of {len(seen)} values goes with one of the other's, in all {counts.sum():,.0f} rows"
            found.append(Finding("identity", (one, other), words, 1.0, test))
    return found


def _of_times(columns: Mapping[str, Column], values: dict[str, Any]) -> list[Finding]:
    """Columns that the calendar tells: one value on each day, or at each hour of the day."""
    found = []
    for at in (name for name, column in columns.items() if column.kind == "time"):
        moments = values[at].to_numpy()
        known = np.isfinite(moments)
        for name in columns:
            if name == at:
                continue
            codes = _numbered(values[name])[known]
            if any(_tells(key, codes) for key in (moments[known] // _DAY_MS, moments[known] % _DAY_MS // _HOUR_MS)):
                words = f"{name} is told by {at}: the calendar, no dependence."
                test = f"one value on each day, or at each hour, of {int(known.sum()):,} rows looked at"
                found.append(Finding("identity", (name, at), words, 1.0, test))
    return found


def _numbered(values: Any) -> npt.NDArray[np.int64]:
    """The same number for the same value; -1 where it is missing."""
    indices = values.combine_chunks().dictionary_encode().indices
    return np.asarray(indices.fill_null(-1), np.int64)


def _tells(keys: Floats, codes: npt.NDArray[np.int64]) -> bool:
    """Whether a key has one code only, where keys come again and codes differ."""
    dense = np.unique(keys, return_inverse=True)[1]
    distinct = int(dense.max(initial=-1)) + 1
    pairs = np.unique(dense * (codes.max(initial=0) + 2) + codes + 1)
    return len(pairs) == distinct and len(keys) >= 3 * distinct and len(np.unique(codes)) > 1


def _rare(column: Column, counts: Floats) -> list[Finding]:
    """Categories that too few rows have to learn anything of them."""
    if column.kind != "category":
        return []
    found = [(label, int(count)) for label, count in zip(column.labels, counts, strict=False) if 0 < count < FEW]
    if not found:
        return []
    said = ", ".join(f"{label} {count}" for label, count in found[:3]) + (", …" if len(found) > 3 else "")
    words = f"{column.name} has values that few rows have: {said}."
    return [Finding("rare", (column.name,), words, 0.01 * len(found), f"fewer than {FEW} of all rows")]


def _places(some: Any) -> list[Finding]:
    """Rows at the place of another tell of each other."""
    if not set(PLACE) <= set(some.column_names):
        return []
    there = some.select(PLACE)
    repeated = there.num_rows - _distinct_rows(there)
    if repeated == 0:
        return []
    words = f"{repeated:,} rows stand at the place of another: split by place, or they tell of each other."
    test = f"equal {PLACE[0]} and {PLACE[1]} among {there.num_rows:,} rows"
    return [Finding("places", PLACE, words, repeated / there.num_rows, test)]


def _distinct_rows(some: Any) -> int:
    return int(some.group_by(some.column_names).aggregate([]).num_rows) if some.num_rows else 0
