"""The same cubes of a table that stays where it is: a question is one grouped Ibis query, numpy makes its cube.

What is proved where: that the cubes equal those of `Engine.exact` is tested on Ibis' DuckDB backend, and again with the
very text that Ibis writes for Athena, translated to DuckDB's dialect by sqlglot. That text has not been run on Athena.
Two of Trino's functions are called by name, `width_bucket(value, bins)` and `to_unixtime(timestamp)`; DuckDB has
neither, and the tests define them as Trino's documentation does.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tidemark.cubes import columns as binned
from tidemark.cubes.build import Progress, build
from tidemark.cubes.columns import OTHER, Column
from tidemark.cubes.counts import Stopped
from tidemark.cubes.cube import Cube, lay_out, summed
from tidemark.cubes.engine import Engine
from tidemark.cubes.kept import Kept
from tidemark.cubes.table import Table
from tidemark.cubes.views import CELLS_ACROSS, Question, View, passing
from tidemark.errors import BadRequest
from tidemark.tables.sources import MOST_COLUMNS, Source, binned_at

Asks = Callable[[ir.Table], pa.Table]
"""Runs a query. Raises BadRequest that says why it fails."""

SAMPLED = 200_000
MOST_ROWS = 2**32 - 1
"""A cube counts in 32 bits."""


@ibis.udf.scalar.builtin  # type: ignore[untyped-decorator]
def width_bucket(value: dt.float64, bins: dt.Array[dt.float64]) -> dt.int64:
    """How many of the bins, in rising order, lie at or below a value; Trino's."""


@ibis.udf.scalar.builtin  # type: ignore[untyped-decorator]
def to_unixtime(at: dt.timestamp) -> dt.float64:
    """Seconds since 1970; Trino's."""


class Remote(NamedTuple):
    """A table elsewhere: how many rows it has, and a sample of it here that chose how its columns are cut."""

    rows: int
    sample: Table

    @property
    def folder(self) -> Path:
        """Where the sample, and the cubes that were asked for, are kept."""
        return self.sample.folder

    @property
    def made_of(self) -> str:
        """What tells this state of the table from another."""
        return self.sample.made_of

    @property
    def columns(self) -> Mapping[str, Column]:
        """How they are cut."""
        return self.sample.columns

    @property
    def left_out(self) -> tuple[tuple[str, str], ...]:
        """The names and types of columns that are not counted."""
        return self.sample.left_out

    @property
    def notes(self) -> tuple[str, ...]:
        """What is to be known of how it was read."""
        return self.sample.notes

    def gaps(self, name: str) -> bool:
        """Whether values of a column are missing, as far as the sample shows."""
        return self.sample.gaps(name)

    def some_rows(self) -> pa.Table:
        """Some of the sample's rows."""
        return self.sample.some_rows()


class Queried:
    """Counts by queries, one at a time, and only the result comes here. Rows that were added since count too."""

    def __init__(self, rows: ir.Table, table: Remote, asks: Asks) -> None:
        self.table = table
        self._rows = rows
        self._asks = asks
        self._kept = Kept(table)
        self._sample = Engine(table.sample)
        self._started = ThreadPoolExecutor(1, "queries")

    def sampled(self, question: Question) -> Cube:
        """An answer from the sample. Raises BadRequest."""
        return self._sample.sampled(question)._replace(rows=self.table.rows)

    def known(self, question: Question) -> Cube | None:
        """The exact answer, where it was given before. Raises BadRequest."""
        question.check(self.table.columns)
        return self._kept.find(question)

    def exact(self, question: Question, stop: threading.Event | None = None) -> Cube:
        """An answer from all rows, and kept. Raises BadRequest; Stopped where `stop` is set before it is asked for."""
        known = self.known(question)
        if known is not None:
            return known
        if stop is not None and stop.is_set():
            raise Stopped
        found = self._asks(query(self._rows, question, self.table.columns))
        cube = cube_of(question, self.table.columns, found, self.table.rows)
        self._kept.keep(cube)
        return cube

    def start(self, question: Question, stop: threading.Event) -> Future[Cube]:
        """Begin to ask; the caller goes on meanwhile. A query that has begun is not ended, and its answer kept."""
        return self._started.submit(self.exact, question, stop)

    def close(self) -> None:
        """End the threads."""
        self._started.shutdown()
        self._sample.close()


def opened(source: Source, rows: ir.Table, asks: Asks, folder: Path, progress: Progress = lambda *_: None) -> Queried:
    """Count a table and draw a sample, which is binned below `folder` where its state is not there yet.

    Two queries; a sample by BERNOULLI reads the whole table, as each question does. Raises BadRequest.
    """
    names = [name for name, kind in rows.schema().items() if _is_read(kind)]
    if not names or len(names) > MOST_COLUMNS:
        raise BadRequest(f"{source.title}: {len(names):,} columns can be looked at; it must be 1 to {MOST_COLUMNS}")
    read = rows.select(names)
    times = [name for name, kind in read.schema().items() if kind.is_timestamp() or kind.is_date()]
    count, *ends = asks(_ends(read, times)).to_pylist()[0].values()
    if count > MOST_ROWS:
        raise BadRequest(f"{source.title}: {count:,} rows; at most {MOST_ROWS:,} are counted")
    moments = {
        name: binned.of_times(name, *(np.floor((end or 0.0) * 1000) for end in ends[2 * place : 2 * place + 2]))
        for place, name in enumerate(times)
    }
    source = source._replace(made_of=f"{source.made_of}:{count}:{ends}")
    place = binned_at(source, folder)
    if not Table.is_at(place):
        share = min(1.0, SAMPLED / max(count, 1))
        some = asks(read.sample(share, method="row") if share < 1 else read)
        with duckdb.connect() as connection:
            build(connection.from_arrow(some), place, source.made_of, progress, sample=len(some), known=moments)
    return Queried(read, Remote(count, Table.open(place)), asks)


def _is_read(kind: dt.DataType) -> bool:
    return any((kind.is_numeric(), kind.is_string(), kind.is_boolean(), kind.is_timestamp(), kind.is_date()))


def _ends(rows: ir.Table, times: Iterable[str]) -> ir.Table:
    found = {"rows": rows.count()}
    for name in times:
        found[f"{name} least"], found[f"{name} most"] = (
            to_unixtime(_moment(end)) for end in (rows[name].min(), rows[name].max())
        )
    return rows.aggregate(**found)


def query(rows: ir.Table, question: Question, columns: Mapping[str, Column]) -> ir.Table:
    """Counts by `place` of the active view and `bin` of the cube, where there are any; the table is read once."""
    at = _Places(rows, columns)
    passes = {
        selection.view: [at.passes(name, table) for name, table in passing(selection, columns)]
        for selection in question.selections
    }
    bins = [at.where([one for found in passes.values() for one in found], ibis.literal(0, "int64"))]
    for part in lay_out(question, columns):
        others = [one for view, found in passes.items() if view != part.view for one in found]
        bins.append(at.where(others, at.bin(part.view) + part.first))
    told = rows.select(place=at.place(question.active), bin=ibis.array(bins)).unnest("bin")
    return told.filter(told.bin.notnull()).group_by("place", "bin").aggregate(rows=ibis._.count())


def cube_of(question: Question, columns: Mapping[str, Column], found: pa.Table, rows: int) -> Cube:
    """The cube, from what `query` has found."""
    parts = lay_out(question, columns)
    active = question.active
    places = CELLS_ACROSS**2 if active.y is not None else columns[active.x].missing + 1
    counts = np.zeros((places, parts[-1].end if parts else 1), np.uint32)
    place, bin_, count = (found.column(name).to_numpy() for name in ("place", "bin", "rows"))
    counts[place.astype(np.int64), bin_.astype(np.int64)] = count
    return Cube(question, summed(counts, active), parts, rows, rows)


class _Places:
    """Where each row lies, as expressions: the codes of `Column`, halved as a view halves them."""

    def __init__(self, rows: ir.Table, columns: Mapping[str, Column]) -> None:
        self._rows = rows
        self._columns = columns

    def place(self, view: View) -> ir.IntegerValue:
        """A row's place in the active view."""
        return self._code(view.x, 0) if view.y is None else self._cell(view.x, view.y)

    def bin(self, view: View) -> ir.IntegerValue:
        """A row's bin in a view that follows."""
        return self._code(view.x, self._columns[view.x].fine) if view.y is None else self._cell(view.x, view.y)

    def passes(self, name: str, table: npt.NDArray[np.bool_]) -> ir.BooleanValue:
        """Whether a column's code is among those that pass."""
        column, value = self._columns[name], self._value(name)
        if column.kind == "category":
            passing_ = [label for label, good in zip(column.labels, table, strict=False) if good and label != OTHER]
            failing = [label for label, good in zip(column.labels, table, strict=False) if not good and label != OTHER]
            found = value.notin(failing) if table[_other(column)] else value.isin(passing_)
        else:
            found = ibis.or_(*_within(value, column, table[: column.zones]))
        return value.isnull().ifelse(ibis.literal(bool(table[column.missing])), found)

    @staticmethod
    def where(conditions: list[ir.BooleanValue], found: ir.IntegerValue) -> ir.IntegerValue:
        """The value where all conditions hold, else NULL."""
        return ibis.and_(*conditions).ifelse(found, ibis.null("int64")) if conditions else found

    def _cell(self, x: str, y: str) -> ir.IntegerValue:
        return self._code(y, self._columns[y].coarse) * CELLS_ACROSS + self._code(x, self._columns[x].coarse)

    def _code(self, name: str, shift: int) -> ir.IntegerValue:
        column, value = self._columns[name], self._value(name)
        missing = ibis.literal(column.missing >> shift, "int64")
        if column.kind == "category":
            codes = [ibis.literal(place >> shift, "int64") for place in range(column.missing + 1)]
            cases = [(label, code) for label, code in zip(column.labels, codes, strict=False) if label != OTHER]
            other = codes[_other(column)]
            return value.isnull().ifelse(missing, value.cases(*cases, else_=other) if cases else other)
        begins = [_text(edge, column) for edge in column.edges[1 << shift : column.zones : 1 << shift]]
        bins = ibis.literal(begins, "array<string>").cast("array<float64>")
        return value.isnull().ifelse(missing, width_bucket(value, bins) if begins else ibis.literal(0, "int64"))

    def _value(self, name: str) -> Any:
        """Numbers and seconds since 1970 as double, categories as text; NULL where it is missing."""
        value, kind = self._rows[name], self._columns[name].kind
        if kind == "category":
            return value if value.type().is_string() else value.cast("string")
        if kind == "time":
            return to_unixtime(_moment(value))
        number = value if value.type().is_float64() else value.cast("float64")
        return number.isnan().ifelse(ibis.null("float64"), number) if value.type().is_floating() else number


def _moment(value: Any) -> ir.TimestampValue:
    return value.cast("timestamp") if value.type().is_date() else value


def _other(column: Column) -> int:
    """The code of a category that has no label of its own."""
    return len(column.labels) - 1 if column.labels[-1:] == (OTHER,) else column.missing


def _text(edge: float, column: Column) -> str:
    """An edge in the unit of `_Places._value`, as text, which every engine reads to the nearest double."""
    return repr(edge / 1000 if column.kind == "time" else edge)


def _number(edge: float, column: Column) -> ir.FloatingValue:
    return ibis.literal(_text(edge, column)).cast("float64")


def _within(value: Any, column: Column, passes: npt.NDArray[np.bool_]) -> list[ir.BooleanValue]:
    """A condition for each run of zones that pass; the first zone and the last are open."""
    found = []
    steps = np.diff(passes.astype(np.int8), prepend=0, append=0)
    for first, end in zip(np.flatnonzero(steps == 1), np.flatnonzero(steps == -1), strict=True):
        least = [value >= _number(column.edges[first], column)] if first else []
        most = [value < _number(column.edges[end], column)] if end < column.zones else []
        found.append(ibis.and_(*least, *most))
    return found
