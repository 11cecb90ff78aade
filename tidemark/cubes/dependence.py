"""Which columns depend on each other: cut into a few groups of nearly equal counts, tested by Pearson's χ², corrected
for how many pairs there are (Holm), and measured by Cramér's V with Bergsma's correction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from tidemark.cubes.axes import number_text, time_text
from tidemark.cubes.columns import Column
from tidemark.models.significance import chi_squared, cramers_v, holm

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]
Bools: TypeAlias = npt.NDArray[np.bool_]

CHANCE = 0.01
WEAK = 0.05
MOST_GROUPS = 10
ROWS_A_CELL = 10
"""A group is only as fine as leaves so many rows in each cell, were the columns independent."""
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
HOURS = tuple(f"{hour}:00" for hour in range(24))
_HOUR_MS = 3_600_000
_DAY_MS = 24 * _HOUR_MS
_NONE = np.zeros(0)


class Tested(NamedTuple):
    """Two columns; of a time its `part`, hour or weekday. `table`: rows by groups of the first and of the second, whose
    names are `names`."""

    first: str
    second: str
    part: str
    table: Floats
    names: tuple[list[str], list[str]]


class Dependence(NamedTuple):
    """Two columns that depend on each other. `p`: corrected for all pairs; `strength`: Cramér's V, 0 to 1."""

    first: str
    second: str
    part: str
    table: Floats
    names: tuple[list[str], list[str]]
    statistic: float
    p: float
    strength: float


def _groups(counts: Floats, most: int) -> npt.NDArray[np.int64]:
    """For each code a group of nearly equal counts, at most so many."""
    whole = counts.sum()
    if whole == 0:
        return np.zeros(len(counts), np.int64)
    middle = np.cumsum(counts) - counts / 2
    found = np.minimum((middle / whole * most).astype(np.int64), most - 1)
    _, dense = np.unique(found, return_inverse=True)
    return np.asarray(dense, np.int64)


def of_counts(columns: Mapping[str, Column], pairs: dict[tuple[str, str], Floats]) -> list[Tested]:
    """Pairs of columns, from all rows' counts of the codes of the first by the bars of the second."""
    tested = []
    for (first, second), counts in pairs.items():
        a, b = columns[first], columns[second]
        values = counts[: a.zones, : b.bars]  # what is missing says nothing of what a value depends on
        rows = values.sum()
        most = int(min(MOST_GROUPS, max(2.0, np.sqrt(rows / ROWS_A_CELL))))
        left = _grouping(a, values.sum(axis=1), most)
        right = _grouping(b, values.sum(axis=0), most)
        table = np.zeros((left.max(initial=0) + 1, right.max(initial=0) + 1))
        np.add.at(table, (left[:, None], right[None, :]), values)
        names = (_names(a, left, 0), _names(b, right, b.fine))
        tested.append(Tested(first, second, "", table, names))
    return tested


def of_times(columns: Mapping[str, Column], values: Mapping[str, Any]) -> list[Tested]:
    """The hour and the day of the week of each column of times with every other column, from some rows' values; but
    not where another column tells that part, which is tested itself."""
    tested = []
    for at in (name for name, column in columns.items() if column.kind == "time"):
        moments = values[at].to_numpy()
        others = [name for name, column in columns.items() if column.kind != "time"]
        codes = {name: _codes(values[name]) for name in others}
        for part, keys, words in (("hour", _hour(moments), HOURS), ("weekday", _weekday(moments), WEEKDAYS)):
            known = np.isfinite(moments)
            if len(np.unique(keys[known])) < 2 or any(_same(keys[known], codes[name][known]) for name in others):
                continue
            for name in others:
                table, names = _cut(columns[name], values[name], keys, known, len(words))
                tested.append(Tested(at, name, part, table, (list(words), names)))
    return tested


def _hour(moments: Floats) -> Floats:
    return np.floor(moments % _DAY_MS / _HOUR_MS)


def _weekday(moments: Floats) -> Floats:
    return np.floor(moments / _DAY_MS + 3) % 7  # 1 January 1970 was a Thursday


def _codes(values: Any) -> Ints:
    """The same number for the same value; -1 where it is missing."""
    return np.asarray(values.combine_chunks().dictionary_encode().indices.fill_null(-1), np.int64)


def _same(keys: Floats, codes: Ints) -> bool:
    """Whether each tells the other."""
    pairs: int = np.unique(np.stack([keys, codes.astype(np.float64)]), axis=1).shape[1]
    return pairs == len(np.unique(keys)) == len(np.unique(codes))


def _cut(column: Column, values: Any, keys: Floats, known: Bools, parts: int) -> tuple[Floats, list[str]]:
    """Rows by part of the time and by group of a column: its most frequent categories, or equal counts of a number."""
    if column.kind == "category":
        codes, labels = _codes(values), list(values.combine_chunks().dictionary_encode().dictionary.to_pylist())
        frequent = [int(code) for code in np.argsort(-np.bincount(codes[codes >= 0]), kind="stable")[:MOST_GROUPS]]
        groups = np.full(len(codes), -1)
        for place, code in enumerate(frequent):
            groups[codes == code] = place
        names = [str(labels[code]) for code in frequent]
    else:
        numbers = values.to_numpy()
        there = np.isfinite(numbers)
        edges = np.unique(np.quantile(numbers[there], np.arange(MOST_GROUPS) / MOST_GROUPS)) if there.any() else _NONE
        groups = np.where(there, np.searchsorted(edges, numbers, side="right") - 1, -1)
        width = float(np.ptp(edges)) / 100 if len(edges) else 1.0
        names = [number_text(float(edge), width) for edge in edges]
    table = np.zeros((parts, max(len(names), 1)))
    rows = known & (groups >= 0)
    np.add.at(table, (keys[rows].astype(np.int64), groups[rows]), 1)
    return table, names or [""]


def judged(tested: list[Tested]) -> list[Dependence]:
    """Those that depend on each other beyond chance, and not too weakly to matter."""
    tests = [chi_squared(one.table) for one in tested]
    corrected = holm([test.p for test in tests])
    found = []
    for one, test, p in zip(tested, tests, corrected, strict=True):
        strength = cramers_v(one.table)
        if p is not None and strength is not None and p <= CHANCE and strength >= WEAK:
            found.append(Dependence(*one, test.statistic, p, strength))
    return found


def _grouping(column: Column, counts: Floats, most: int) -> npt.NDArray[np.int64]:
    """Few categories as they are; zones and bars, and many categories, in groups of nearly equal counts."""
    if column.kind == "category" and len(counts) <= most:
        return np.arange(len(counts))
    return _groups(counts, most)


def _names(column: Column, groups: npt.NDArray[np.int64], shift: int) -> list[str]:
    """What each group holds, as people say it."""
    found = []
    for group in range(int(groups.max(initial=0)) + 1):
        places = np.flatnonzero(groups == group)
        if column.kind == "category":
            labels = [column.labels[place] for place in places[:3]]
            found.append(", ".join(labels) + (", …" if len(places) > 3 else ""))
        else:
            found.append(edge_text(column, int(places[0]) << shift))
    return found


def edge_text(column: Column, zone: int) -> str:
    """Where a zone begins."""
    edges = column.edges
    zone = min(zone, len(edges) - 2)
    width = edges[zone + 1] - edges[zone]
    return time_text(edges[zone], width) if column.kind == "time" else number_text(edges[zone], width * 8)
