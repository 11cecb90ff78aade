"""The lake as a table: its sales, each once, through the view that the audit reads too."""

from __future__ import annotations

import hashlib
import shutil
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import duckdb
from botocore.exceptions import BotoCoreError, ClientError

from tidemark.adapters.s3_lake import PREFIX, S3Lake
from tidemark.cubes.table import DESCRIPTION, Table
from tidemark.errors import NotFound, TidemarkError, Unavailable
from tidemark.lake_view import OBJECTS, create_view, view_query
from tidemark.tables.sources import Source, binned_at

NAME, TITLE = "live", "Live sales"
LOOK_S = 60.0
"""The lake is listed at most so often."""
KEPT = 3
"""States of the lake that are kept as they were binned; older ones are removed."""
COLUMNS = """
    make_timestamp(epoch_us(sold_at)) AS sold_at, branch, city, product_line, customer_type, gender, payment, kind,
    quantity, unit_price::DOUBLE AS unit_price, total::DOUBLE AS total, rating::DOUBLE AS rating, anomaly, score,
    coalesce(nullif(array_to_string(flags, ', '), ''), 'none') AS flags, segment, model,
    make_timestamp(received_at * 1000) AS received_at, minute // 60 % 24 AS hour,
    dayname(make_timestamp(minute * 60000000)) AS weekday
"""
"""What a person looks at of a sale; hours and weekdays are UTC's."""


class LakeSales:
    """The sales of a lake; `folder`: where its objects, and the table as it is binned, are kept."""

    def __init__(self, lake: S3Lake, folder: Path, now: Callable[[], float] = time.monotonic) -> None:
        self._lake = lake
        self._folder = folder
        self._mirror = folder / "lake"
        self._now = now
        self._lock = threading.Lock()
        self._listed_at = -LOOK_S
        self._keys: frozenset[str] = frozenset()
        self._found: Source | TidemarkError = NotFound("")

    def newest(self) -> Source:
        """The lake as it was listed within the last minute.

        Its `made_of` changes when objects are added. Raises NotFound where it holds nothing yet, Unavailable where it
        does not answer.
        """
        with self._lock:
            if self._now() - self._listed_at >= LOOK_S:
                self._found = self._look()
                self._listed_at = self._now()
            if isinstance(self._found, TidemarkError):
                raise self._found
            return self._found

    def is_kept(self, source: Source) -> bool:
        """Whether a state of the lake is there as it was binned."""
        return Table.is_at(binned_at(source, self._folder))

    def _look(self) -> Source | TidemarkError:
        try:
            keys = frozenset(self._lake.keys())
        except (BotoCoreError, ClientError) as error:
            return Unavailable(f"{TITLE}: the lake does not answer, which is tried again in a minute. {error}")
        if not keys:
            return NotFound(f"{TITLE}: the lake holds nothing yet. A sale is there some seconds after it was posted.")
        if keys == self._keys and isinstance(self._found, Source):
            return self._found
        self._keys = keys
        state = hashlib.sha256("\n".join([COLUMNS, *sorted(keys)]).encode()).hexdigest()
        about = f"Every sale of the lake, once, as it was at {datetime.now(UTC):%H:%M} UTC"
        pattern = view_query([str(self._mirror / PREFIX / OBJECTS)])
        sql = f"(SELECT {COLUMNS.strip()} FROM ({pattern}))"  # noqa: S608
        return Source(NAME, TITLE, about, sql, state, lambda to: self._read(keys, to))

    def _read(self, keys: frozenset[str], connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyRelation:
        try:
            self._lake.fetch(self._mirror, keys)
        except (BotoCoreError, ClientError) as error:
            raise Unavailable(f"{TITLE}: the lake does not answer. {error}") from error
        self._remove_old(keys)
        create_view(connection, [str(self._mirror / key) for key in keys])
        return connection.table("sales").project(COLUMNS)

    def _remove_old(self, keys: frozenset[str]) -> None:
        kept = [path.parent for path in self._folder.glob(f"{NAME}-*/{DESCRIPTION}")]
        states = sorted(kept, key=lambda path: path.stat().st_mtime_ns, reverse=True)
        for old in states[KEPT - 1 :]:
            shutil.rmtree(old, ignore_errors=True)
        for path in (self._mirror / PREFIX).glob(OBJECTS):
            if str(path.relative_to(self._mirror)) not in keys | self._keys:
                path.unlink(missing_ok=True)
