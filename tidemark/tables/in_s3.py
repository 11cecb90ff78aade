"""Tables in S3, through pyarrow: DuckDB's own way needs an extension that it downloads."""

from __future__ import annotations

import errno
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from pyarrow import dataset, fs

from tidemark.errors import BadRequest
from tidemark.tables.csv_files import CsvFiles, too_wide
from tidemark.tables.differing import differing
from tidemark.tables.room import Free, must_fit_copy

_CREDENTIALS = (
    "AWS_ACCESS_KEY_ID",
    "AWS_PROFILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)
_COMPARED = 100
_CONNECT_S, _REQUEST_S, _ATTEMPTS = 5, 30, 3
_ELSEWHERE = re.compile(r"the bucket is located in '([a-z0-9-]+)'")
_SAYS = {
    "NO_SUCH_BUCKET": "there is no such bucket",
    "ACCESS_DENIED": "access is denied",
    "INVALID_ACCESS_KEY_ID": "the AWS access key is not known there",
    "SIGNATURE_DOES_NOT_MATCH": "the AWS secret key is wrong",
    "INVALID_CLIENT_TOKEN_ID": "the AWS access key is not known there",
    "NETWORK_CONNECTION": "the service cannot be reached",
}


class Prefix:
    """The Parquet or CSV objects below a prefix, or one object. Raises BadRequest where there are none."""

    def __init__(self, path: str, endings: tuple[str, ...]) -> None:
        self.path = path
        bucket, _, key = path.removeprefix("s3://").rstrip("/").partition("/")
        if not bucket:
            raise BadRequest(f"{path}: which bucket? s3://bucket/prefix is the form")
        with explained(path):
            self._files = _file_system()
            try:
                self.objects = self._found(f"{bucket}/{key}" if key else bucket, endings)
            except OSError as error:
                if not (elsewhere := _ELSEWHERE.search(str(error))):
                    raise
                self._files = _file_system(elsewhere[1])
                self.objects = self._found(f"{bucket}/{key}" if key else bucket, endings)
        if not self.objects:
            raise BadRequest(f"{path}: no Parquet or CSV file is there")

    @property
    def state(self) -> str:
        """Tells one state of the objects from another."""
        return "|".join(f"{one.path}:{one.size}:{one.mtime_ns}" for one in self.objects)

    def parquet(self, most_columns: int) -> ParquetPrefix:
        """As a table, if they are Parquet."""
        return ParquetPrefix(self.path, self._files, [one.path for one in self.objects], most_columns)

    def csv(self, most_columns: int, free: Free) -> CsvPrefix:
        """As a table, if they are CSV."""
        return CsvPrefix(self.path, self._files, self.objects, most_columns, free)

    def _found(self, at: str, endings: tuple[str, ...]) -> list[Any]:
        one = self._files.get_file_info(at)
        if one.type == fs.FileType.File:
            return [one]
        if self._files.get_file_info(at.partition("/")[0]).type == fs.FileType.NotFound:
            raise BadRequest(f"{self.path}: {_SAYS['NO_SUCH_BUCKET']}")
        below = self._files.get_file_info(fs.FileSelector(at, recursive=True, allow_not_found=True))
        files = [info for info in below if info.type == fs.FileType.File and info.size]
        parquet = [info for info in files if info.path.lower().endswith(".parquet")]
        return sorted(
            parquet or [info for info in files if info.path.lower().endswith(endings)], key=lambda info: info.path
        )


class ParquetPrefix:
    """Parquet objects, read where they are; their columns are brought together by name."""

    def __init__(self, path: str, files: Any, objects: list[str], most_columns: int) -> None:
        self.files: list[Path] = []
        self.notes: list[str] = []
        self.whole: frozenset[str] = frozenset()
        self._path, self._system, self._objects, self._most_columns = path, files, objects, most_columns
        self._dataset: Any = None

    def prepare(self, into: Path) -> None:
        """Look at the objects' columns. Raises BadRequest."""
        with explained(self._path):
            found = dataset.dataset(self._objects, filesystem=self._system, format="parquet")
            schemas = [part.physical_schema for part in list(found.get_fragments())[:_COMPARED]]
            schema = pa.unify_schemas(schemas, promote_options="permissive")
            self._dataset = found.replace_schema(schema)
        if len(schema) > self._most_columns:
            raise BadRequest(too_wide(self._path, len(schema), self._most_columns))
        self.notes = differing([{field.name: str(field.type) for field in one} for one in schemas])

    def rows(self) -> int | None:
        """From the objects' ends. Raises BadRequest."""
        with explained(self._path):
            return int(self._dataset.count_rows())

    def reads(self, connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyRelation:
        """The table."""
        return connection.from_arrow(self._dataset)

    def mend(self, error: Exception, into: Path) -> None:
        """Nothing can be mended. Raises BadRequest."""
        with explained(self._path):
            raise error


class CsvPrefix(CsvFiles):
    """CSV objects, copied to be read: each is read several times, and told by its lines, as a file is."""

    def __init__(self, path: str, files: Any, objects: list[Any], most_columns: int, free: Free) -> None:
        super().__init__([], most_columns)
        self._path, self._files, self._objects, self._free = path, files, objects, free

    def prepare(self, into: Path) -> None:
        """Copy the objects below `into`. Raises BadRequest."""
        must_fit_copy(self._path, sum(one.size for one in self._objects), into, self._free)
        for place, one in enumerate(self._objects):
            to = into / f"object-{place}" / one.base_name
            to.parent.mkdir()
            with (
                explained(self._path),
                self._files.open_input_stream(one.path, compression=None) as content,
                to.open("wb") as out,
            ):
                shutil.copyfileobj(content, out, 1 << 20)
            self.files.append(to)
        super().prepare(into)


@contextmanager
def explained(path: str) -> Iterator[None]:
    """What S3 says, in a sentence. Raises BadRequest."""
    try:
        yield
    except (OSError, pa.ArrowException, duckdb.Error) as error:
        text = str(error)
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            raise
        code = re.search(r"AWS Error ([A-Z_]+)", text)
        status = re.search(r"HTTP status (\d+)|code: (\d{3})\)", text)
        if code and code[1] in _SAYS:
            said = _SAYS[code[1]]
        elif isinstance(error, FileNotFoundError) or "NoSuchBucket" in text:
            said = "there is no such bucket"
        elif status and "403" in status.groups():
            said = "access is denied"
        else:
            said = f"it cannot be read: {text.strip().partition(chr(10))[0]}"
        if said != _SAYS["NO_SUCH_BUCKET"] and not _credentials():
            said += ", and no AWS credentials are set (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile)"
        raise BadRequest(f"{path}: {said}") from error


def _credentials() -> bool:
    file = Path(os.environ.get("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials")).expanduser()
    return any(os.environ.get(name) for name in _CREDENTIALS) or file.exists()


def _file_system(region: str | None = None) -> Any:
    """S3 as the usual environment of AWS names it, in another region where one is given."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    more = {"endpoint_override": endpoint, "force_virtual_addressing": False} if endpoint else {}
    region = region or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    return fs.S3FileSystem(
        **more,
        **({"region": region} if region else {}),
        connect_timeout=_CONNECT_S,
        request_timeout=_REQUEST_S,
        retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=_ATTEMPTS),
    )
