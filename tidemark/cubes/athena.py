"""A table in Athena, `athena://database/table`: its questions are asked there, and only their results come here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa
import pyathena
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError
from ibis.common.exceptions import IbisError, TableNotFound
from pyathena.arrow.cursor import ArrowCursor

from tidemark.cubes import queried
from tidemark.cubes.build import Progress
from tidemark.cubes.queried import Queried
from tidemark.errors import BadRequest
from tidemark.tables.sources import Source

_PATH = re.compile(r"athena://([^/]+)/([^/]+)")


class AthenaTable:
    """One table. Knows how many bytes its queries have read: what Athena charges by."""

    def __init__(self, path: str, workgroup: str, results: str) -> None:
        """`results`: where in S3 Athena leaves what it finds; the work group's own place if empty.

        Raises BadRequest.
        """
        parts = _PATH.fullmatch(path)
        if parts is None:
            raise BadRequest(f"{path}: a table in Athena is named athena://database/table")
        database, table = parts.groups()
        self.path = path
        self.bytes_read = 0
        self._name = ".".join('"' + part.replace('"', '""') + '"' for part in (database, table))
        with self._explained():
            self._connection = pyathena.connect(
                schema_name=database, work_group=workgroup, s3_staging_dir=results or None, cursor_class=ArrowCursor
            )
            self._backend: Any = ibis.athena.from_connection(self._connection)
            self._rows: ir.Table = self._backend.table(table, database=database)

    def source(self) -> Source:
        """What the pages say of it, with what was read until now."""
        about = f"Counted in Athena, which charges by what it reads: {self.bytes_read / 1e6:,.1f} MB until now"
        return Source("athena", self.path, about, self._name, self.path, _not_here)

    def opened(self, folder: Path, progress: Progress = lambda *_: None) -> Queried:
        """What counts it; a sample of it is kept below `folder`. Raises BadRequest."""
        return queried.opened(self.source(), self._rows, self.asks, folder, progress)

    def asks(self, found: ir.Table) -> pa.Table:
        """What a query finds. Raises BadRequest."""
        with self._explained(), closing(self._backend.raw_sql(self._backend.compile(found))) as cursor:
            self.bytes_read += cursor.data_scanned_in_bytes or 0
            rows = cursor.as_arrow()
        schema = found.schema()
        return rows.rename_columns(list(schema.names)) if len(rows) else schema.to_pyarrow().empty_table()

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (IbisError, TableNotFound, pyathena.Error, BotoCoreError, ClientError) as error:
            raise BadRequest(f"{self.path}: {_words(error)}") from error


def _words(error: BaseException) -> str:
    """Why Athena does not answer, in a sentence."""
    causes = [error]
    while (cause := causes[-1].__cause__ or causes[-1].__context__) is not None:
        causes.append(cause)
    if any(isinstance(cause, NoCredentialsError) for cause in causes):
        return "there are no AWS credentials here with which Athena could be asked"
    if any(isinstance(cause, NoRegionError) for cause in causes):
        return "no AWS region is set: set AWS_REGION"
    text = " ".join(str(causes[-1]).split())
    if "EntityNotFound" in text or "MetadataException" in text:
        return f"there is no such table, or it may not be read: {text}"
    return f"Athena does not answer: {text}"


def _not_here(_: object) -> Any:
    raise BadRequest("a table in Athena is counted there")
