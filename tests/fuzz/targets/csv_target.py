"""A file that somebody brings to the explorer: from its path to its preview and the binned table.

An input is the file's ending (a byte) and its content. Only BadRequest may come out, in words; what was made of it
opens again and has as many rows and columns as were read; nothing half-done is left.
"""

from __future__ import annotations

import gzip
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

import duckdb

from tests.fuzz.targets import Target
from tidemark.cubes.axes import axis
from tidemark.cubes.table import Table
from tidemark.errors import BadRequest
from tidemark.tables.preview import ROWS, Preview, preview
from tidemark.tables.sources import MOST_COLUMNS, of_path, opened

ENDINGS = (".csv", ".tsv", ".txt", ".csv.gz")


def check(data: bytes) -> None:
    """Bring a file, look at it, open it."""
    folder = Path(tempfile.mkdtemp(dir="/dev/shm" if Path("/dev/shm").is_dir() else None))
    try:
        brought = folder / f"brought{ENDINGS[data[0] % len(ENDINGS) if data else 0]}"
        packed = brought.name.endswith(".gz")
        brought.write_bytes(gzip.compress(data[1:], 1) if packed and data[1:3] != b"\x1f\x8b" else data[1:])
        _open(brought, folder / "binned")
    finally:
        shutil.rmtree(folder)


def _open(brought: Path, into: Path) -> None:
    looks: list[tuple[Preview, int]] = []

    def look(rows: duckdb.DuckDBPyRelation) -> None:
        (count,) = rows.aggregate("count(*)").fetchall()[0]
        looks.append((preview(rows), count))

    try:
        source = of_path(str(brought))
        table = opened(source, into, seen=look)
    except BadRequest as error:
        said = str(error)
        assert said
        said.encode()
        assert len(said) < 2_000, "words, not the file"
        assert not list(into.glob("*")), "nothing half-done is left"
        return
    seen, count = looks[-1]
    assert 0 < len(seen.columns) <= MOST_COLUMNS
    assert 0 < seen.rows.num_rows <= min(count, ROWS)
    assert table.rows == count
    assert set(table.columns) <= set(seen.columns)
    for column in table.columns.values():
        axis(column, gaps=table.gaps(column.name))  # as a page draws it
    assert Table.open(table.folder).rows == count
    assert not list(into.glob("*.part"))


def _seeds() -> Iterable[bytes]:
    plain = b"branch,sold_at,total\nA,2019-01-05 13:08,548.97\nB,2019-01-06 10:29,80.22\n"
    for ending in range(len(ENDINGS)):
        yield bytes([ending]) + plain
    yield b"\0" + plain.replace(b",", b";").replace(b".", b",")
    yield b"\1" + plain.replace(b",", b"\t")
    yield b"\0" + "name;wert\nMüller;1,5\n".encode("latin-1")
    yield b"\0" + plain.decode().encode("utf-16")
    yield b"\0" + b'a,b\n"one\ntwo",2\n"three"",",4\n'
    yield b"\0" + b'a,b\n1,"no end\n2,3\n'
    yield b"\0" + b"a,b\n1,2\n3,4,5\n"
    yield b"\0" + b"d\n01/02/2020\n2020-03-04\n05.06.2020\n"
    yield b"\0" + b'a,a,"",b\'c\n1,2,3,=1+1\n'
    yield b"\0" + b"x\n" + b"1\n" * 50 + b"1.5\nword\n"
    yield b"\0" + b"x,y\n99999999999999999999999999999999999999999,1e400\nnan,-inf\n"
    yield b"\3" + gzip.compress(plain)[:-6]


TARGET = Target("csv", check, _seeds, 2_048, seconds=20, megabytes=3_072)
