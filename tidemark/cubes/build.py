"""Binning a table once. DuckDB reads; every column leaves one file of codes."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence, Set
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import feather

from tidemark.cubes import columns as binned
from tidemark.cubes.columns import BARS, OTHER, Codes, Column
from tidemark.cubes.half_done import half_done
from tidemark.cubes.table import DESCRIPTION, VERSION, Description, Table, codes_file, sample_file, some_file
from tidemark.errors import BadRequest

Progress = Callable[[int, int], None]
"""Told how many rows are done, of how many; raises to stop."""

LOOKED_AT = "SELECT * FROM readable USING SAMPLE reservoir(200000 ROWS) REPEATABLE (1)"
LOOKED_AT_ROWS = 200_000
"""Rows whose values choose the zones, and are kept as they are."""
SAMPLE = 1_000_000
BATCH = 1_000_000
SEED = 20_190_101

_WHOLE = {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "HUGEINT"}
_TIMES = {"DATE", "TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "TIMESTAMP WITH TIME ZONE"}


def build(
    source: duckdb.DuckDBPyRelation,
    folder: Path,
    made_of: str,
    progress: Progress = lambda *_: None,
    sample: int = SAMPLE,
    notes: Sequence[str] = (),
    whole: Set[str] = frozenset(),
    known: Mapping[str, Column] = {},
    confirm: Callable[[], None] = lambda: None,
) -> Table:
    """Bin all columns of a table; nothing stands in `folder` until all is done, nothing beside it where that fails.

    Columns that hold lists, structures or bytes are left out. `sample`: how many rows the sample is to have. `notes`:
    what is to be known of how the table was read. `whole`: columns of whole numbers, whatever their type; `known`:
    columns of which it is known already how they are cut. `confirm`: raises where the source is not what it was.
    Raises BadRequest, and what reading and writing raise.
    """
    with half_done(folder) as part:
        readable = readable_columns(source)
        some = _looked_at(readable)
        columns = [known.get(column.name, column) for column in choose(source, some, whole)]
        feather.write_feather(some, str(some_file(part)))
        (rows,) = source.aggregate("count(*)").fetchall()[0]
        encoded = _encode(readable, columns, part, rows, progress)
        confirm()
        if encoded != rows:
            raise BadRequest(f"{rows:,} rows were counted and {encoded:,} read: the table changed meanwhile")
        sampled = min(rows, sample)
        _draw_sample(columns, part, rows, sampled)
        description = Description(VERSION, made_of, rows, sampled, tuple(columns), left_out(source), tuple(notes))
        (part / DESCRIPTION).write_bytes(msgspec.json.encode(description))
        part.chmod(0o755)
        _move(part, folder)
    return Table.open(folder)


def _move(part: Path, folder: Path) -> None:
    """To its place, unless another process was first."""
    try:
        part.replace(folder)
    except OSError:
        if Table.is_at(folder):
            return
        shutil.rmtree(folder, ignore_errors=True)  # of an earlier version
        part.replace(folder)


def _looked_at(readable: duckdb.DuckDBPyRelation) -> pa.Table:
    found = readable.query("readable", LOOKED_AT)
    assert found is not None
    return found.to_arrow_table()


def choose(source: duckdb.DuckDBPyRelation, some: pa.Table, whole: Set[str] = frozenset()) -> list[Column]:
    """How each column is cut, chosen from some of its rows; of times, from the first and the last of all."""
    types = types_of(source)
    found = []
    for name, values in zip(some.column_names, some.columns, strict=True):
        kind = types[name]
        if kind in _TIMES:
            ends = ", ".join(f"epoch_ms({end}({_quoted(name)}))::DOUBLE" for end in ("min", "max"))
            least, most = source.aggregate(ends).fetchall()[0]
            found.append(binned.of_times(name, least or 0.0, most or 0.0))
        elif pa.types.is_floating(values.type):
            found.append(
                binned.of_numbers(name, values.to_numpy(), kind in _WHOLE or (name in whole and _all_whole(values)))
            )
        else:
            counted = values.drop_null().value_counts()
            by_frequency = sorted(
                zip(counted.field("counts").to_pylist(), counted.field("values").to_pylist(), strict=True),
                key=lambda pair: (-pair[0], pair[1]),
            )
            found.append(binned.of_categories(name, [label for _, label in by_frequency[: BARS + 1]]))
    return found


def _all_whole(values: Any) -> bool:
    numbers = values.to_numpy()
    known = numbers[np.isfinite(numbers)]
    return bool((known == np.floor(known)).all())


def binned_kinds(types: Mapping[str, str]) -> list[str]:
    """Of each column that is binned, `category` or `number`; from the types that DuckDB names."""
    read = {name: _expression(name, kind) for name, kind in types.items()}
    return ["category" if found.endswith("VARCHAR") else "number" for found in read.values() if found]


def left_out(source: duckdb.DuckDBPyRelation) -> tuple[tuple[str, str], ...]:
    """The names and types of the columns that cannot be binned."""
    return tuple((name, kind) for name, kind in types_of(source).items() if _expression(name, kind) is None)


def types_of(source: duckdb.DuckDBPyRelation) -> dict[str, str]:
    """The type of each column, as DuckDB names it."""
    return {name: str(kind) for name, kind in zip(source.columns, source.types, strict=True)}


def readable_columns(source: duckdb.DuckDBPyRelation) -> duckdb.DuckDBPyRelation:
    """The columns that can be binned: numbers and times as DOUBLE, NaN where missing; categories as text."""
    read = {name: _expression(name, kind) for name, kind in types_of(source).items()}
    return source.project(", ".join(f"{found} AS {_quoted(name)}" for name, found in read.items() if found))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _expression(name: str, kind: str) -> str | None:
    if kind in _TIMES:
        return f"coalesce(epoch_ms({_quoted(name)})::DOUBLE, 'nan'::DOUBLE)"
    if kind in _WHOLE or kind in {"FLOAT", "DOUBLE"} or kind.startswith("DECIMAL"):
        return f"coalesce({_quoted(name)}::DOUBLE, 'nan'::DOUBLE)"
    if kind in {"VARCHAR", "BOOLEAN", "UUID"} or kind.startswith("ENUM"):
        return f"{_quoted(name)}::VARCHAR"
    return None


def _encode(
    readable: duckdb.DuckDBPyRelation, columns: list[Column], folder: Path, rows: int, progress: Progress
) -> int:
    """Write all rows' codes; how many there were."""
    done = 0
    progress(done, rows)
    with ExitStack() as files:
        outs = [files.enter_context(codes_file(folder, place).open("wb")) for place in range(len(columns))]
        for batch in readable.to_arrow_reader(BATCH):
            for column, out, values in zip(columns, outs, batch.columns, strict=True):
                out.write(_codes(column, values).tobytes())
            done += len(batch)
            progress(done, rows)
    return done


def _codes(column: Column, values: Any) -> Codes:
    if column.kind != "category":
        return column.encode(values.to_numpy(zero_copy_only=False))
    other = len(column.labels) - 1 if column.labels[-1:] == (OTHER,) else column.missing
    found = pc.index_in(values, value_set=pa.array(column.labels, pa.string()))
    codes: Codes = found.fill_null(other).to_numpy(zero_copy_only=False).astype(column.dtype)
    if values.null_count:
        codes[values.is_null().to_numpy(zero_copy_only=False)] = column.missing
    return codes


def _draw_sample(columns: list[Column], folder: Path, rows: int, sampled: int) -> None:
    """Rows drawn without putting back, the same for all columns."""
    drawn = np.sort(np.random.default_rng(SEED).choice(rows, sampled, replace=False, shuffle=False))
    for place, column in enumerate(columns):
        codes = np.memmap(codes_file(folder, place), column.dtype, "r") if rows else np.empty(0, column.dtype)
        sample_file(folder, place).write_bytes(codes[drawn].tobytes())
