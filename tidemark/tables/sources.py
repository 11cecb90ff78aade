"""Tables as they are read: of a file, a folder or a prefix in S3, in any form that DuckDB reads."""

from __future__ import annotations

import errno
import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, Protocol, TypeVar

import duckdb
import pyarrow as pa

from tidemark.cubes.build import Progress, binned_kinds, build, types_of
from tidemark.cubes.half_done import half_done
from tidemark.cubes.table import Table
from tidemark.errors import BadRequest
from tidemark.tables import reach, room
from tidemark.tables.csv_files import MOST_TRIES, CsvFiles, too_wide
from tidemark.tables.parquet_files import ParquetFiles

Reads = Callable[[duckdb.DuckDBPyConnection], duckdb.DuckDBPyRelation]
Used = TypeVar("Used")

MOST_COLUMNS = 64
_CSV = (".csv", ".csv.gz", ".tsv", ".txt")
_ENDINGS = (".parquet", *_CSV)


class Own(Protocol):
    """Files of the user's own. `files`: those on this machine; `notes`: what to know of how they are read; `whole`:
    columns of whole numbers."""

    files: list[Path]
    notes: list[str]
    whole: frozenset[str]

    def prepare(self, into: Path) -> None:
        """Look at them, and write again below `into` what DuckDB cannot read as it is. Raises BadRequest."""

    def rows(self) -> int | None:
        """About how many rows there are; None where counting them is quick. Raises BadRequest."""

    def reads(self, connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyRelation:
        """The table. Raises BadRequest and duckdb.Error."""

    def mend(self, error: Exception, into: Path) -> None:
        """Returns where another try is worth it. Raises BadRequest."""


class Source(NamedTuple):
    """A table that can be opened.

    `sql`: what a copied query names it. `made_of`: tells one state of its content from another; `state`: the same, as
    it is now. `own`: how files of the user's own are read.
    """

    name: str
    title: str
    about: str
    sql: str
    made_of: str
    reads: Reads
    state: Callable[[], str] | None = None
    own: Callable[[], Own] | None = None


def opened(
    source: Source,
    folder: Path,
    progress: Progress = lambda *_: None,
    free: room.Free = room.free,
    seen: Callable[[duckdb.DuckDBPyRelation], None] = lambda _: None,
) -> Table:
    """The source as it is binned, built below `folder` where it is not there yet; nothing is left where it fails.

    `seen`: is shown the rows before they are binned. Raises BadRequest.
    """
    place = binned_at(source, folder)
    if Table.is_at(place):
        try:
            return Table.open(place)
        except BadRequest:  # damaged
            shutil.rmtree(place, ignore_errors=True)
    elif place.exists():  # of another version
        shutil.rmtree(place, ignore_errors=True)

    def bins(rows: Rows) -> Table:
        if source.own:
            _must_be_fit(source.title, rows, folder, free)
        seen(rows.relation)
        return build(
            rows.relation,
            place,
            source.made_of,
            progress,
            notes=rows.notes,
            whole=rows.whole,
            confirm=lambda: _must_be_the_same(source),
        )

    return read_rows(source, folder, bins)


class Rows(NamedTuple):
    """A source that is being read. `about`: how many rows there are, None where counting them is quick."""

    relation: duckdb.DuckDBPyRelation
    about: int | None = None
    notes: list[str] = []  # noqa: RUF012
    whole: frozenset[str] = frozenset()


def read_rows(source: Source, folder: Path, use: Callable[[Rows], Used]) -> Used:
    """What `use` makes of the source's rows. What is written meanwhile is written below `folder`, and removed.

    `use` is called again where only a later row shows how files are to be read. Raises BadRequest.
    """
    try:
        with half_done(folder / f"{binned_at(source, folder).name}-read") as scratch:
            return _read(source, scratch, use)
    except (OSError, MemoryError, pa.ArrowException, duckdb.Error) as error:
        raise BadRequest(_said(source.title, folder, error)) from error


def _read(source: Source, scratch: Path, use: Callable[[Rows], Used]) -> Used:
    if source.own is None:
        with reach.connect(scratch) as connection:
            return use(Rows(source.reads(connection)))
    own = source.own()
    own.prepare(scratch)
    for _ in range(MOST_TRIES):
        with reach.connect(scratch, own.files) as connection:
            try:
                relation = own.reads(connection)
                return use(Rows(relation, own.rows(), own.notes, own.whole))
            except (OSError, pa.ArrowException, duckdb.Error) as error:
                if _full(error) or isinstance(error, duckdb.OutOfMemoryException):
                    raise
                _must_be_the_same(source)
                own.mend(error, scratch)
    raise BadRequest(f"{source.title} cannot be read: its values fit no type")


def _must_be_the_same(source: Source) -> None:
    if source.state is not None and source.state() != source.made_of:
        raise BadRequest(f"{source.title} changed while it was read: open it again")


def _must_be_fit(title: str, read: Rows, folder: Path, free: room.Free) -> None:
    relation = read.relation
    if len(relation.columns) > MOST_COLUMNS:
        raise BadRequest(too_wide(title, len(relation.columns), MOST_COLUMNS))
    if any("\0" in name for name in relation.columns):
        raise BadRequest(f"{title}: a column's name holds a NUL, which no name may")
    types = types_of(relation)
    if not binned_kinds(types):
        raise BadRequest(f"{title}: none of its columns holds numbers, times or text: {', '.join(types)}")
    rows = read.about
    if rows is None:
        (rows,) = relation.aggregate("count(*)").fetchall()[0]
    if rows == 0 or not relation.limit(1).fetchall():
        raise BadRequest(f"{title}: there are columns, but no row")
    room.must_fit(title, rows, types, folder, free)


def _said(title: str, folder: Path, error: Exception) -> str:
    if _full(error):
        return f"{title}: the disk is full; {room.in_words(room.free(folder))} are free in {folder}"
    if isinstance(error, (MemoryError, duckdb.OutOfMemoryException)):
        return f"{title}: there is too little memory to read it ({room.memory_limit()} are taken at most)"
    return f"{title} cannot be read: {str(error).strip().partition(chr(10))[0]}"


def _full(error: Exception) -> bool:
    return isinstance(error, OSError) and (error.errno == errno.ENOSPC or "No space left" in str(error))


def binned_at(source: Source, folder: Path) -> Path:
    """Where the source is kept once it is binned."""
    return folder / f"{source.name}-{hashlib.sha256(source.made_of.encode()).hexdigest()[:12]}"


def of_path(path: str) -> Source:
    """A file or folder of the user's own, or a prefix in S3. Raises BadRequest that says what is wrong with it."""
    if path.startswith("s3://"):
        return _in_s3(path)
    try:
        found = Path(path).expanduser()
        files = _files(path, found)
        state = _state(files)
    except (OSError, ValueError, RuntimeError) as error:  # no permission, a loop of links, ~nobody
        raise BadRequest(f"{path}: {error.strerror if isinstance(error, OSError) else error}") from error
    kinds = {_kind(file) for file in files}
    if len(kinds) > 1:
        raise BadRequest(f"{path}: the folder holds both {' and '.join(sorted(kinds))} files")
    if sum(file.stat().st_size for file in files) == 0:
        raise BadRequest(f"{path}: the file is empty")
    made = ParquetFiles if kinds == {".parquet"} else CsvFiles
    sql = "'" + str(found).replace("'", "''") + "'"
    return Source(
        "own",
        found.name,
        str(found),
        sql,
        state,
        _unread,
        lambda: _state(files),
        lambda: made(list(files), MOST_COLUMNS),
    )


def _files(path: str, found: Path) -> list[Path]:
    if not found.exists():
        raise BadRequest(f"{path}: there is no such file or folder")
    if found.is_dir():
        next(found.iterdir(), None)  # where it may not be read, rglob says nothing
        files = [file for file in _below(found, "*.parquet") or _below(found, "*.csv") if file.stat().st_size]
        if not files:
            raise BadRequest(f"{path}: the folder holds no Parquet or CSV file")
    elif not found.is_file():
        raise BadRequest(f"{path}: neither a file nor a folder")
    else:
        _kind(found)
        files = [found]
    for file in files:
        with file.open("rb"):
            pass
    return files


def _below(folder: Path, pattern: str) -> list[Path]:
    """Files, those that links lead to as well; folders are not entered through links, which may lead in circles."""
    return sorted(file for file in folder.rglob(pattern) if file.is_file())


def _state(files: list[Path]) -> str:
    found = []
    for file in files:
        try:
            stat = file.stat()
        except OSError:
            found.append(f"{file}:gone")
            continue
        found.append(f"{file.resolve()}:{stat.st_size}:{stat.st_mtime_ns}")
    return "|".join(found)


def _in_s3(path: str) -> Source:
    from tidemark.tables.in_s3 import Prefix  # a quarter of a second, that most need not wait for

    prefix = Prefix(path, _CSV)
    parquet = prefix.objects[0].path.lower().endswith(".parquet")
    pattern = path if path.lower().endswith(_ENDINGS) else f"{path.rstrip('/')}/**/*{'.parquet' if parquet else '.csv'}"
    sql = "'" + pattern.replace("'", "''") + "'"
    return Source(
        "s3",
        path,
        f"{len(prefix.objects):,} {'Parquet' if parquet else 'CSV'} files in S3",
        sql,
        prefix.state,
        _unread,
        lambda: Prefix(path, _CSV).state,
        (lambda: prefix.parquet(MOST_COLUMNS)) if parquet else (lambda: prefix.csv(MOST_COLUMNS, room.free)),
    )


def _unread(_: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyRelation:
    raise BadRequest("these files are read through their own reader")


def _kind(file: Path) -> str:
    for ending in sorted(_ENDINGS, key=len, reverse=True):
        if file.name.lower().endswith(ending):
            return ending
    raise BadRequest(f"{file.name}: only Parquet, CSV and TSV files are read, plain or as .csv.gz")
