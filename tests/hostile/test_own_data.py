"""A path that is given to the explorer leads to files of this machine or to S3, and nowhere else.

Requests to other services by way of it (server-side request forgery), DuckDB's extensions, patterns and quotes in a
name.
"""

from __future__ import annotations

import http.server
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from pyarrow import parquet

from tests.trust import tell
from tidemark.errors import BadRequest
from tidemark.tables import reach
from tidemark.tables.preview import preview
from tidemark.tables.sources import of_path, read_rows

# `{port}`: of a server that counts who asks it.
ELSEWHERE = (
    "http://127.0.0.1:{port}/a.csv",
    "https://127.0.0.1:{port}/a.parquet",
    "HTTP://127.0.0.1:{port}/a.csv",
    "http:/127.0.0.1:{port}/a.csv",
    "http://[::1]:{port}/a.csv",
    "http://2130706433:{port}/a.csv",
    "http://169.254.169.254/latest/meta-data/iam/security-credentials/a.csv",
    "http://169.254.170.2/v2/credentials/a.csv",
    "http://metadata.google.internal/computeMetadata/v1/a.csv",
    "file:///etc/passwd",
    "file:///etc/hosts.csv",
    "file://127.0.0.1:{port}/a.csv",
    "ftp://127.0.0.1:{port}/a.csv",
    "gopher://127.0.0.1:{port}/_GET%20/a.csv",
    "hf://datasets/a/b.csv",
    "gcs://bucket/a.parquet",
    "gs://bucket/a.parquet",
    "r2://bucket/a.parquet",
    "s3a://bucket/a.parquet",
    "S3://bucket/a.parquet",
    "az://container/a.parquet",
    "abfss://container/a.parquet",
    "duckdb:memory.csv",
    "sqlite:/etc/a.csv",
    "postgres://127.0.0.1:{port}/a.csv",
    "/dev/zero",
    "/dev/stdin.csv",
    "/proc/self/environ",
    "/proc/self/fd/0",
    "/etc/passwd",
    "../../../../../../etc/passwd",
    "~root/.ssh/id_rsa",
    "~/.aws/credentials",
    "/etc/passwd\0.csv",
    "a.csv\0http://127.0.0.1:{port}",
    "a.csv' UNION SELECT * FROM read_text('/etc/passwd') --",
    "a.csv'); INSTALL httpfs; LOAD httpfs; --.csv",
    "a.csv, http://127.0.0.1:{port}/a.csv",
    "['a.csv', 'http://127.0.0.1:{port}/a.csv']",
    "*.csv",
    "{{a,b}}.csv",
    "",
    " ",
    "\n",
    "s3://",
    "s3:///a.csv",
    "x" * 5_000 + ".csv",
)
# What DuckDB is asked itself, within what it may reach while it reads somebody's file.
ASKED = (
    "SELECT * FROM read_csv('http://127.0.0.1:{port}/a.csv')",
    "SELECT * FROM 'http://127.0.0.1:{port}/a.parquet'",
    "SELECT * FROM read_parquet('s3://bucket/a.parquet')",
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM read_blob('/etc/hostname')",
    "SELECT * FROM glob('/etc/*')",
    "SELECT * FROM read_csv('/proc/self/environ')",
    "SELECT * FROM sniff_csv('/etc/passwd')",
    "INSTALL httpfs",
    "LOAD httpfs",
    "INSTALL httpfs FROM 'http://127.0.0.1:{port}'",
    "INSTALL spatial FROM community",
    "ATTACH '/tmp/hostile.duckdb'",
    "ATTACH 'http://127.0.0.1:{port}/a.duckdb'",
    "COPY (SELECT 1) TO '/tmp/hostile.csv'",
    "EXPORT DATABASE '/tmp/hostile'",
    "SET enable_external_access = true",
    "SET allowed_directories = ['/']",
    "RESET lock_configuration",
    "SET autoinstall_known_extensions = true",
    "SET memory_limit = '1TB'",
)
NAMES = (
    "*.csv",
    "?.csv",
    "[ab].csv",
    "[!b].csv",
    "{a,b}.csv",
    "a' UNION SELECT 1 --.csv",
    "a'); DROP TABLE x; --.csv",
    'a".csv',
    "a\\.csv",
    "a;b.csv",
    "-rf.csv",
    "http:.csv",
    "a\nb.csv",
    "%2e%2e%2f.csv",
    "$(id).csv",
    "<img src=x onerror=alert(1)>.csv",
)


@pytest.fixture
def listener() -> Iterator[tuple[int, list[str]]]:
    """A service on this machine that nobody should ask: its port, and what it was asked."""
    asked: list[str] = []

    class Told(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        do_HEAD = do_GET  # noqa: N815  # the server's own names

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            return

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Told) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port, asked
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In an empty folder, so that no relative path leads to a file."""
    monkeypatch.chdir(tmp_path)


def test_no_path_leads_to_another_service_or_file(listener: tuple[int, list[str]], tmp_path: Path) -> None:
    port, asked = listener
    for path in ELSEWHERE:
        with pytest.raises(BadRequest):
            read_rows(of_path(path.format(port=port)), tmp_path / "tables", lambda rows: preview(rows.relation))
    assert asked == []
    tell("own data paths", paths=len(ELSEWHERE), requests=len(asked))


def test_duckdb_reaches_no_more_than_the_file(listener: tuple[int, list[str]], tmp_path: Path) -> None:
    port, asked = listener
    file = tmp_path / "a.csv"
    file.write_text("x\n1\n")
    for query in ASKED:
        with reach.connect(tmp_path / "scratch", [file]) as connection, pytest.raises(duckdb.Error):
            connection.execute(query.format(port=port)).fetchall()
    assert asked == []
    assert not list(Path("/tmp").glob("hostile*"))
    with reach.connect(tmp_path / "scratch", [file]) as connection:
        assert connection.read_csv(str(file)).fetchall() == [(1,)]
    tell("own data queries", queries=len(ASKED), requests=len(asked))


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_a_file_is_read_by_its_name_whatever_that_holds(tmp_path: Path, ending: str) -> None:
    """A name that looks like a pattern, like SQL or like markup is a name: no other file is read in its place."""
    folder = tmp_path / "brought"
    folder.mkdir()
    for other in ("a", "b", "secret"):
        write(folder / f"{other}{ending}", "other")
    for name in NAMES:
        own = folder / name.replace(".csv", ending)
        write(own, "own")
        seen = read_rows(of_path(str(own)), tmp_path / "tables", lambda rows: rows.relation.fetchall())
        assert seen == [("own",)], name
        own.unlink()
    tell(f"own data names {ending.removeprefix('.')}", names=len(NAMES))


def write(path: Path, word: str) -> None:
    if path.suffix == ".csv":
        path.write_text(f"x\n{word}\n")
    else:
        parquet.write_table(pa.table({"x": [word]}), path)


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "loop.csv").symlink_to("loop.csv")
    (tmp_path / "link.csv").symlink_to("/dev/zero")
    for name in ("pipe.csv", "loop.csv", "link.csv"):
        with pytest.raises(BadRequest):
            of_path(str(tmp_path / name))


@pytest.mark.parametrize(
    "column", ["=1+1", "<script>alert(1)</script>", "a' OR 1=1 --", 'a"; DROP TABLE x; --', "${x}"]
)
def test_a_column_is_called_what_it_is_called(tmp_path: Path, column: str) -> None:
    file = tmp_path / "a.csv"
    file.write_text('"' + column.replace('"', '""') + '",y\n1,2\n')
    seen = read_rows(of_path(str(file)), tmp_path / "tables", lambda rows: preview(rows.relation))
    assert list(seen.columns) == [column, "y"]
