"""What a table shows before it is binned: its columns with their types, and its first rows."""

from __future__ import annotations

from typing import NamedTuple

import duckdb
import pyarrow as pa

from tidemark.cubes.build import left_out, types_of

ROWS = 20


class Preview(NamedTuple):
    """`columns`: names and types, as DuckDB says them; `left_out`: the names of those that will not be binned."""

    columns: dict[str, str]
    left_out: set[str]
    rows: pa.Table


def preview(table: duckdb.DuckDBPyRelation) -> Preview:
    """Raises duckdb.Error."""
    rows = table.limit(ROWS).to_arrow_table()
    return Preview(types_of(table), {name for name, _ in left_out(table)}, rows)
