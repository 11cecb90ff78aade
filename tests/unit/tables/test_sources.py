"""What users bring: each ends in one sentence that names what and where, and nothing half-done is left on disk."""

from __future__ import annotations

import errno
import gzip
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tidemark.cubes import build
from tidemark.cubes.table import Table, codes_file
from tidemark.errors import BadRequest
from tidemark.tables import sources
from tidemark.tables.sources import of_path, opened

HEAD = "id,name,price\n"
ROWS = "".join(f"{number},name{number},{number * 1.5}\n" for number in range(22_000))
"""More than DuckDB tells the types from."""
SOME = "".join(ROWS.splitlines(keepends=True)[:100])
PLAIN = HEAD + ROWS
SHORT = HEAD + SOME
COUNT = 100


def look(path: Path, **more: Any) -> Table:
    """The table that is opened; nothing half-done stands beside it, whatever happens."""
    tables = path.parent / "tables" if path.is_file() else path.with_name("tables")
    try:
        return opened(of_path(str(path)), tables, **more)
    finally:
        assert not list(tables.glob("*.part"))


def written(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def zipped(part: float) -> bytes:
    content = gzip.compress(SHORT.encode())
    return content[: int(len(content) * part)]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("late.csv", PLAIN + '7,"open,1\n' + ROWS[:200], "late.csv, line 22,002: a quote that does not end"),
        ("early.csv", HEAD + '"7",a,2\n' * 30 + '7,"open,1\n7,b,3\n', "early.csv, line 32: a quote that does not end"),
        (
            "pipe.csv",
            HEAD + "1,a,2\n" * 30 + '7,"5" pipe",1\n',
            "pipe.csv, line 32: a quote that does not end, or ends",
        ),
        ("long.csv", 'id,name\n1,"' + "x" * 3_000_000 + "\n2,b\n", "long.csv, line 2: a quote"),
        ("short.csv", PLAIN + "7,x\n" + ROWS, "short.csv, line 22,002: 2 columns where the header has 3"),
        ("more.csv", HEAD + "1,2,3\n1,2,3,4,5\n1\n", "more.csv, line 3: 5 columns where the header has 3"),
        (
            "mixed.csv",
            (PLAIN + "5,café,1\n").encode() + "6,café,1\n".encode("latin-1"),
            "mixed.csv, line 22,003: the byte 0xe9 is no UTF-8",
        ),
        (
            "mixed.csv",
            HEAD.encode() + "5,café,1\n".encode("latin-1") + "6,naïve,1\n".encode(),
            "mixed.csv, line 2: the byte 0xe9 is no UTF-8, which other lines are in",
        ),
        ("empty.csv", "", "the file is empty"),
        ("blank.csv", "\n \n\n", "blank.csv: the file is empty"),
        ("header.csv", HEAD, "header.csv: there are columns, but no row"),
        ("binary.csv", bytes(range(256)) * 100, "binary.csv is no text"),
        ("wide.csv", ",".join(f"c{n}" for n in range(10_000)) + "\n", "wide.csv: 10,000 columns; at most 64"),
        ("early.csv.gz", zipped(0.5), "early.csv.gz: the gzip file is broken or ends early"),
        ("not.csv.gz", SHORT, "not.csv.gz: the gzip file is broken or ends early"),
        ("not.parquet", SHORT, "not.parquet: no Parquet file, or it ends early"),
        ("sales.xlsx", "", "only Parquet, CSV and TSV files are read"),
    ],
)
def test_what_cannot_be_read_is_told(tmp_path: Path, name: str, content: str | bytes, words: str) -> None:
    with pytest.raises(BadRequest, match=words.replace("(", r"\(")) as told:
        look(written(tmp_path, name, content))
    assert "\n" not in str(told.value)
    assert len(str(told.value)) < 300


def test_a_gzip_file_that_ends_early_behind_its_beginning_is_told(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).integers(0, 10**9, 400_000)
    content = gzip.compress(b"a,b\n" + b"".join(b"%d,1\n" % number for number in noise), 1)
    with pytest.raises(BadRequest, match="the gzip file is broken or ends early"):
        look(written(tmp_path, "early.csv.gz", content[:-2000]))


@pytest.mark.parametrize(
    ("encoding", "text", "said"),
    [
        ("utf-16", "café", "UTF-16"),
        ("utf-16-be", "café", "UTF-16"),
        ("latin-1", "café", "Latin-1"),
        ("cp1252", "5 €", "Windows-1252"),
        ("utf-8-sig", "café €", ""),
    ],
)
def test_other_encodings_are_read(tmp_path: Path, encoding: str, text: str, said: str) -> None:
    table = look(written(tmp_path, "own.csv", (HEAD + f"1,{text},2\n" * 30 + "2,b,3\n").encode(encoding)))
    assert table.columns["name"].labels == (text, "b")
    assert table.notes == ((f"own.csv is read as {said}.",) if said else ())


@pytest.mark.parametrize(
    ("dates", "kind", "note"),
    [
        (
            ["2024-03-01", "03/01/2024", "1 Mar 2024"],
            "category",
            "sold_at holds dates in several forms: 2024-03-01, 03/01/2024, 1 Mar 2024; it is kept as text.",
        ),
        (
            ["03/01/2024", "04/05/2024"],
            "category",
            "sold_at holds 03/01/2024, which may be two days; it is kept as text.",
        ),
        (["1 Mar 2024", "2 Mar 2024"], "category", "sold_at holds dates as 1 Mar 2024, a form that is not read;"),
        (["03/01/2024", "03/31/2024"], "time", ""),
        (["2024-03-01", "2024-03-02"], "time", ""),
        (["2024-03-01"] * 220 + ["soon"], "category", "own.csv, line 22,002 holds 'soon', which is no date"),
    ],
)
def test_dates_are_read_where_one_form_fits_all(tmp_path: Path, dates: list[str], kind: str, note: str) -> None:
    rows = "".join(f"{date},1\n" * 100 for date in dates)
    table = look(written(tmp_path, "own.csv", f"sold_at,p\n{rows}"))
    assert table.columns["sold_at"].kind == kind
    assert note in " ".join(table.notes)
    assert bool(table.notes) == bool(note)


@pytest.mark.parametrize(
    ("content", "kind", "note"),
    [
        ("id;price\n" + "1;0,5\n2;1.000,75\n" * 50, "number", "Numbers are read with a decimal comma."),
        ('id,price\n1,"0,5"\n' * 1 + '2,"3,75"\n' * 50, "number", "Numbers are read with a decimal comma."),
        ('id,price\n1,"1,500"\n' * 1 + '2,"3,750"\n' * 50, "category", "price holds 1,500, whose comma may be"),
        ("id,price\n" + "1,2\n" * 22_000 + "1,none\n", "category", "line 22,002 holds 'none', which is no number"),
        ("id,price\n" + "1,2\n" * 22_000 + "1,1.75\n", "number", ""),
    ],
)
def test_numbers_are_read_as_they_are_meant(tmp_path: Path, content: str, kind: str, note: str) -> None:
    table = look(written(tmp_path, "own.csv", content))
    assert table.columns["price"].kind == kind
    assert note in " ".join(table.notes)
    if kind == "number":
        assert {1000.75, 3.75, 1.75} & set(table.some_rows().column("price").to_pylist())


def test_names_of_any_kind_are_kept(tmp_path: Path) -> None:
    long = "x" * 5_000
    own = written(tmp_path, "own.csv", f'a,a,"say ""so""","new\nline",{long}\n' + "1,2,3,4,5\n" * 9)
    assert list(look(own).columns) == ["a", "a_1", 'say "so"', "new\nline", long]


def test_lists_and_structures_are_left_out(tmp_path: Path) -> None:
    own = tmp_path / "own.parquet"
    nested = {"l": [[1], [2]], "s": [{"a": 1}, {"a": 2}], "b": [b"1", b"2"]}
    pq.write_table(pa.table(nested | {"n": [1, 2]}), own)
    assert list(look(own).columns) == ["n"]
    pq.write_table(pa.table(nested), own)
    with pytest.raises(BadRequest, match=r"own.parquet: none of its columns holds numbers, times or text: l, s, b"):
        look(own)


def test_parquet_that_is_wide_or_ends_early_is_told(tmp_path: Path) -> None:
    own = tmp_path / "own.parquet"
    pq.write_table(pa.table({f"c{number}": [1] for number in range(10_000)}), own)
    with pytest.raises(BadRequest, match=r"own.parquet: 10,000 columns; at most 64"):
        look(own)
    own.write_bytes(own.read_bytes()[:-100])
    with pytest.raises(BadRequest, match=r"own.parquet: no Parquet file, or it ends early"):
        look(own)


def test_files_of_a_folder_are_brought_together_by_name(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    written(own, "a.csv", "id,name\n1,x\n")
    written(own, "b.csv", "id,price\n2,2.5\nz,3\n")
    table = look(own)
    assert (table.rows, list(table.columns)) == (3, ["id", "name", "price"])
    assert table.notes == (
        "Not all files have name, price: missing there.",
        "Not all files hold the same in id: taken for what all of it fits.",
    )
    written(own, "c.csv", "id,name\n1,x\n1,2,3\n")
    with pytest.raises(BadRequest, match=r"c.csv, line 3: 3 columns where the header has 2"):
        look(own)


def test_links_in_a_circle_end(tmp_path: Path) -> None:
    own = tmp_path / "own"
    (own / "below").mkdir(parents=True)
    (own / "below" / "up").symlink_to(own)
    (own / "self.csv").symlink_to(own / "self.csv")
    (own / "gone.csv").symlink_to(own / "nothing")
    written(own / "below", "a.csv", SHORT)
    (own / "linked.csv").symlink_to(own / "below" / "a.csv")
    assert look(own).rows == 2 * COUNT
    for path, words in (
        (own / "self.csv", "no such file"),
        (Path("~nobody-here/a.csv"), "home"),
        (own / "\0", "no such file"),
    ):
        with pytest.raises(BadRequest, match=words):
            of_path(str(path))


def test_a_file_that_may_not_be_read_is_told(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    written(own, "a.csv", SHORT).chmod(0)
    tmp_path.chmod(0o755)
    as_nobody(own, lambda: raises(own / "a.csv", "Permission denied"))
    own.chmod(0)
    as_nobody(own, lambda: raises(own / "a.csv", "Permission denied"))
    as_nobody(own, lambda: raises(own, "Permission denied"))
    own.chmod(0o755)


def raises(path: Path, words: str) -> None:
    with pytest.raises(BadRequest, match=words):
        of_path(str(path))


def as_nobody(path: Path, call: Callable[[], None]) -> None:
    """Root may read everything."""
    if os.geteuid():
        return call()
    modes = [(folder, folder.stat().st_mode) for folder in path.parents[1:] if folder.stat().st_uid == 0]
    for folder, mode in modes:
        folder.chmod(mode | 0o001)
    os.seteuid(65534)
    try:
        call()
    finally:
        os.seteuid(0)
        for folder, mode in modes:
            folder.chmod(mode)
    return None


def test_a_file_that_is_replaced_while_it_is_read_is_told(tmp_path: Path) -> None:
    own = written(tmp_path, "own.csv", SHORT)

    def replace(_: int, __: int) -> None:
        written(tmp_path, "new", SHORT + SOME).replace(own)

    with pytest.raises(BadRequest, match=r"own.csv changed while it was read: open it again"):
        look(own, progress=replace)
    assert look(own).rows == 2 * COUNT


def test_a_disk_that_fills_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = written(tmp_path, "own.csv", SHORT)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(build, "_draw_sample", full)
        with pytest.raises(BadRequest, match=r"own.csv: the disk is full; .* are free in"):
            look(own)
    assert look(own).rows == COUNT


def test_what_cannot_fit_is_refused_with_the_figures(tmp_path: Path) -> None:
    own = written(tmp_path, "own.csv", PLAIN * 3)
    os.truncate(own, 30 << 30)
    with pytest.raises(
        BadRequest, match=r"own.csv: its 1,[\d,]+ rows, or about so many, take [\d.]+ GB .* 3.0 GB are free in"
    ):
        look(own, free=lambda _: 3 * 10**9)
    parquet = tmp_path / "own.parquet"
    pq.write_table(pa.table({"a": np.arange(2_000_000)}), parquet)
    with pytest.raises(BadRequest, match=r"own.parquet: its 2,000,000 rows, .* take 9.2 MB .* 1.0 MB are free in"):
        look(parquet, free=lambda _: 10**6)


def test_what_a_killed_process_left_is_removed_and_what_is_damaged_built_anew(tmp_path: Path) -> None:
    own = written(tmp_path, "own.csv", SHORT)
    left = tmp_path / "tables" / "own-1.x.part"
    left.mkdir(parents=True)
    os.utime(left, (0, 0))
    table = look(own)
    codes_file(table.folder, 0).write_bytes(b"")
    assert look(own).rows == COUNT


def test_every_try_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "MOST_TRIES", 1)
    with pytest.raises(BadRequest, match=r"own.csv cannot be read: its values fit no type"):
        look(written(tmp_path, "own.csv", "a\n" + "1\n" * 22_000 + "x\n"))
