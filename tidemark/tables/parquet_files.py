"""Parquet files as DuckDB is to read them."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from tidemark.errors import BadRequest
from tidemark.tables import reach
from tidemark.tables.csv_files import too_wide
from tidemark.tables.differing import differing

_COMPARED = 100


class ParquetFiles:
    """Parquet files of one table; their columns are brought together by name."""

    def __init__(self, files: list[Path], most_columns: int) -> None:
        self.files = files
        self.notes: list[str] = []
        self.whole: frozenset[str] = frozenset()
        self._most_columns = most_columns

    def prepare(self, into: Path) -> None:
        """Look at the files' columns. Raises BadRequest."""
        self.files = reach.plainly_named(self.files, into)
        schemas = []
        for file in self.files[:_COMPARED]:
            try:
                schema = pq.read_schema(file)
            except (OSError, pa.ArrowException) as error:
                raise BadRequest(f"{file.name}: no Parquet file, or it ends early") from error
            if len(schema) > self._most_columns:
                raise BadRequest(too_wide(file.name, len(schema), self._most_columns))
            schemas.append({field.name: str(field.type) for field in schema})
        self.notes = differing(schemas)

    def rows(self) -> int | None:
        """Counting them is quick."""
        return None

    def reads(self, connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyRelation:
        """The table. Raises duckdb.Error."""
        return connection.read_parquet([str(file) for file in self.files], union_by_name=True)

    def mend(self, error: Exception, into: Path) -> None:
        """Nothing can be mended. Raises BadRequest."""
        name = self.files[0].name if len(self.files) == 1 else self.files[0].parent.name
        raise BadRequest(f"{name} cannot be read: {str(error).strip().partition(chr(10))[0]}") from error
