"""A table as it is learnt from: whole, or every n-th row, its columns turned into features.

Nothing is drawn at random: a stranger who has the table and these rules gets the same rows and features.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Literal, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tidemark.cubes.build import readable_columns, types_of
from tidemark.cubes.dependence import WEEKDAYS
from tidemark.errors import BadRequest
from tidemark.tables.sources import Rows, Source, read_rows

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]
Bools: TypeAlias = npt.NDArray[np.bool_]
Progress: TypeAlias = Callable[[float, str], None]
"""Told which share of the work is done, and what is done now; raises Stopped to stop."""
FeatureKind = Literal["number", "category"]

MOST_ROWS = 30_000
MOST_LEVELS = 30
MOSTLY_DISTINCT = 0.5
"""A category of which so many of the rows have a value of their own names the row, and is no feature."""
OTHER = "other"
_HOUR_MS = 3_600_000
_DAY_MS = 24 * _HOUR_MS


class Feature(msgspec.Struct, frozen=True):
    """A column that is learnt from. `column`: the table's; `levels`: of a category, the most frequent first."""

    name: str
    column: str
    kind: FeatureKind
    levels: tuple[str, ...] = ()


class LeftOut(msgspec.Struct, frozen=True):
    """A column that is not learnt from, and why."""

    column: str
    reason: str


class Frame:
    """Rows and features.

    `values`: by feature, float64 of shape (rows,): numbers, or places in `levels`; NaN where missing. `times`: by
    column of times, milliseconds since 1970. `step`: every so many rows of the table, from the first.
    """

    def __init__(
        self,
        title: str,
        table_rows: int,
        step: int,
        features: dict[str, Feature],
        values: dict[str, Floats],
        times: dict[str, Floats],
        left_out: list[LeftOut],
    ) -> None:
        self.title = title
        self.table_rows = table_rows
        self.step = step
        self.features = features
        self.values = values
        self.times = times
        self.left_out = left_out
        self.rows = len(next(iter(values.values()))) if values else 0

    def numbers(self) -> list[str]:
        """The names of features that are numbers of the table."""
        return [feature.name for feature in self.features.values() if feature.kind == "number" and self.own(feature)]

    def own(self, feature: Feature) -> bool:
        """Whether a feature is a column of the table, not a part of a time."""
        return feature.column not in self.times

    def labels(self, name: str) -> list[str | None]:
        """The values of a category in words."""
        levels = self.features[name].levels
        return [None if np.isnan(code) else levels[int(code)] for code in self.values[name]]


def read(source: Source, folder: Path, most: int = MOST_ROWS) -> Frame:
    """At most `most` rows of a table, evenly taken; what is written meanwhile is written below `folder`.

    Raises BadRequest where the table cannot be read, or has nothing to learn from.
    """

    def take(rows: Rows) -> Frame:
        (count,) = rows.relation.aggregate("count(*)").fetchall()[0]
        step = max(1, math.ceil(count / most))
        numbered = readable_columns(rows.relation).project("*, (row_number() OVER ()) - 1 AS tidemark_row")
        taken = numbered.filter(f"tidemark_row % {step} = 0").to_arrow_table()
        return _frame(source.title, count, step, taken.drop_columns(["tidemark_row"]), types_of(rows.relation))

    found = read_rows(source, folder, take)
    if not found.features:
        raise BadRequest(f"{source.title}: no column can be learnt from")
    return found


def _frame(title: str, rows: int, step: int, table: pa.Table, types: dict[str, str]) -> Frame:
    features: dict[str, Feature] = {}
    values: dict[str, Floats] = {}
    times: dict[str, Floats] = {}
    left_out: list[LeftOut] = []
    for name, column in zip(table.column_names, table.columns, strict=True):
        if pa.types.is_floating(column.type):
            numbers = np.asarray(column.to_numpy(), np.float64)
            numbers = np.where(np.isfinite(numbers), numbers, np.nan)
            if _is_time(types[name]):
                times[name] = numbers
                continue
            feature = Feature(name, name, "number")
        else:
            numbers, feature = _category(name, column)
        reason = _reason(feature, numbers, column, table.num_rows)
        if reason:
            left_out.append(LeftOut(name, reason))
            continue
        features[name], values[name] = feature, numbers
    for name, moments in times.items():
        for feature, numbers in _parts(name, moments):
            same = next((other for other, held in values.items() if _same(numbers, held)), None)
            if same:
                left_out.append(LeftOut(feature.name, f"{same} says the same"))
            else:
                features[feature.name], values[feature.name] = feature, numbers
    return Frame(title, rows, step, features, values, times, left_out)


def _is_time(kind: str) -> bool:
    return kind.startswith(("DATE", "TIMESTAMP"))


def _category(name: str, column: pa.ChunkedArray) -> tuple[Floats, Feature]:
    encoded = column.combine_chunks().dictionary_encode()
    words = [str(word) for word in encoded.dictionary.to_pylist()]
    codes = np.asarray(encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False), np.int64)
    counts = np.bincount(codes[codes >= 0], minlength=len(words))
    order = sorted(range(len(words)), key=lambda place: (-counts[place], words[place]))
    kept = order if len(order) <= MOST_LEVELS else order[: MOST_LEVELS - 1]
    levels = [words[place] for place in kept] + ([OTHER] if len(kept) < len(order) else [])
    ranks = np.full(len(words) + 1, len(kept), np.float64)
    ranks[kept] = np.arange(len(kept))
    ranks[-1] = np.nan  # missing, whose code is -1
    return ranks[codes], Feature(name, name, "category", tuple(levels))


def _reason(feature: Feature, values: Floats, column: pa.ChunkedArray, rows: int) -> str:
    known = values[~np.isnan(values)]
    if len(known) == 0:
        return "it holds no value"
    if np.ptp(known) == 0:
        return "it has one value only"
    if feature.kind == "category":
        distinct = len(column.unique().drop_null())
        if distinct > MOST_LEVELS and distinct > MOSTLY_DISTINCT * rows:
            return f"it names the row: {distinct:,} values in {rows:,} rows"
    return ""


def _parts(name: str, moments: Floats) -> list[tuple[Feature, Floats]]:
    """The hour and the day of the week of a time, where they differ among the rows."""
    found = []
    hour = np.floor(moments % _DAY_MS / _HOUR_MS)
    day = np.floor(moments / _DAY_MS + 3) % 7  # 1 January 1970 was a Thursday
    for feature, values in (
        (Feature(f"{name}: hour", name, "number"), hour),
        (Feature(f"{name}: weekday", name, "category", WEEKDAYS), day),
    ):
        known = values[~np.isnan(values)]
        if len(known) and np.ptp(known) > 0:
            found.append((feature, values))
    return found


def _same(one: Floats, other: Floats) -> bool:
    """Whether each tells the other."""
    known = ~np.isnan(one) & ~np.isnan(other)
    if not known.any() or not np.array_equal(np.isnan(one), np.isnan(other)):
        return False
    pairs = len(np.unique(np.stack([one[known], other[known]]), axis=1).T)
    return pairs == len(np.unique(one[known])) == len(np.unique(other[known]))
