"""Tables as they are read: of a file, a folder or a prefix in S3, in any form that DuckDB reads."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from tidemark.cubes.build import Progress, build
from tidemark.cubes.table import Table
from tidemark.errors import BadRequest

Reads = Callable[[duckdb.DuckDBPyConnection], duckdb.DuckDBPyRelation]

MOST_COLUMNS = 64
_READERS = {
    ".parquet": "read_parquet",
    ".csv": "read_csv",
    ".csv.gz": "read_csv",
    ".tsv": "read_csv",
    ".txt": "read_csv",
}


class Source(NamedTuple):
    """A table that can be opened.

    `sql`: what a copied query names it. `made_of`: tells one state of its content from another.
    """

    name: str
    title: str
    about: str
    sql: str
    made_of: str
    reads: Reads


def opened(source: Source, folder: Path, progress: Progress = lambda *_: None) -> Table:
    """The source as it is binned, built below `folder` where it is not there yet. Raises BadRequest."""
    place = binned_at(source, folder)
    if Table.is_at(place):
        return Table.open(place)
    with duckdb.connect() as connection:
        try:
            relation = source.reads(connection)
            if len(relation.columns) > MOST_COLUMNS:
                raise BadRequest(
                    f"{source.title}: {len(relation.columns):,} columns; at most {MOST_COLUMNS} are looked at at once."
                    " Keep those that matter in a file of their own"
                )
            return build(relation, place, source.made_of, progress)
        except duckdb.Error as error:
            raise BadRequest(f"{source.title} cannot be read: {_first_line(error)}") from error


def binned_at(source: Source, folder: Path) -> Path:
    """Where the source is kept once it is binned."""
    return folder / f"{source.name}-{hashlib.sha256(source.made_of.encode()).hexdigest()[:12]}"


def of_path(path: str) -> Source:
    """A file or folder of the user's own, or a prefix in S3. Raises BadRequest that says what is wrong with it."""
    if path.startswith("s3://"):
        pattern = path if path.endswith(".parquet") else f"{path.rstrip('/')}/**/*.parquet"
        return Source("s3", path, "Parquet files in S3", f"'{pattern}'", path, lambda to: to.read_parquet(pattern))
    found = Path(path).expanduser()
    if not found.exists():
        raise BadRequest(f"{path}: there is no such file or folder")
    if found.is_dir():
        files = sorted(found.rglob("*.parquet")) or sorted(found.rglob("*.csv"))
        if not files:
            raise BadRequest(f"{path}: the folder holds no Parquet or CSV file")
    else:
        files = [found]
    kinds = {_kind(file) for file in files}
    if len(kinds) > 1:
        raise BadRequest(f"{path}: the folder holds both {' and '.join(sorted(kinds))} files")
    reader = _READERS[kinds.pop()]
    if sum(file.stat().st_size for file in files) == 0:
        raise BadRequest(f"{path}: the file is empty")
    state = "|".join(f"{file.resolve()}:{file.stat().st_size}:{file.stat().st_mtime_ns}" for file in files)
    names: Any = [str(file) for file in files]
    reads: Reads = (
        (lambda to: to.read_parquet(names, union_by_name=True))
        if reader == "read_parquet"
        else (lambda to: to.read_csv(names))
    )
    return Source("own", found.name, str(found), f"'{found}'", state, reads)


def _kind(file: Path) -> str:
    for ending in sorted(_READERS, key=len, reverse=True):
        if file.name.lower().endswith(ending):
            return ending
    raise BadRequest(f"{file.name}: only Parquet, CSV and TSV files are read, plain or as .csv.gz")


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
