"""What a table shows before it is binned: its columns with their types, and its first rows."""

from __future__ import annotations

from typing import NamedTuple

import duckdb
import pyarrow as pa

from tidemark.cubes.build import left_out
from tidemark.cubes.sources import Source

ROWS = 20


class Preview(NamedTuple):
    """`columns`: names and types, as DuckDB says them; `left_out`: the names of those that will not be binned."""

    columns: dict[str, str]
    left_out: set[str]
    rows: pa.Table


def preview(source: Source) -> Preview | None:
    """None where the table cannot be read: binning it says why."""
    with duckdb.connect() as connection:
        try:
            found = source.reads(connection)
            columns = {name: str(kind) for name, kind in zip(found.columns, found.types, strict=True)}
            rows = found.limit(ROWS).to_arrow_table()
        except duckdb.Error:
            return None
        return Preview(columns, {name for name, _ in left_out(found)}, rows)
