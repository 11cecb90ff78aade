"""Fetching the real files, from a server of the test's own."""

from __future__ import annotations

import gzip
import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tidemark import data
from tidemark.errors import TidemarkError

CONTENT = b"a,b\n" + b"1,2\n" * 50_000


class Server(ThreadingHTTPServer):
    """Serves `files`, with ranges; breaks off after `breaks_after` bytes if told to."""

    files: dict[str, bytes]
    breaks_after: int | None
    asked: list[str | None]


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        content = self.server.files.get(self.path.lstrip("/"))
        self.server.asked.append(self.headers.get("Range"))
        if content is None:
            self.send_error(404)
            return
        start = int((self.headers.get("Range") or "bytes=0-")[6:-1])
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        end = len(content) if self.server.breaks_after is None else self.server.breaks_after
        self.wfile.write(content[start:end])

    def log_message(self, *words: object) -> None:
        """Nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server(("127.0.0.1", 0), Handler)
    made.files, made.breaks_after, made.asked = {"repo/file.csv": CONTENT}, None, []
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield made
    made.shutdown()
    made.server_close()


@pytest.fixture
def origin(server: Server) -> str:
    return f"http://127.0.0.1:{server.server_address[1]}"


@pytest.fixture(autouse=True)
def _one_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = data.DataFile("file.csv", hashlib.sha256(CONTENT).hexdigest(), 50_000, ("repo/file.csv",), "none")
    monkeypatch.setattr(data, "FILES", {"file.csv": file})
    monkeypatch.setattr(data, "FETCHED", tmp_path / "fetched")
    monkeypatch.setattr(data, "ROOT", tmp_path / "project")
    monkeypatch.delenv("TIDEMARK_DATA", raising=False)


def test_a_file_is_fetched_checked_and_kept(origin: str, server: Server) -> None:
    seen: list[int] = []
    path = data.fetch("file.csv", progress=lambda done, total: seen.append(done), origin=origin)
    assert path.read_bytes() == CONTENT
    assert seen[-1] == len(CONTENT)
    assert data.fetch("file.csv", origin=origin) == path
    assert len(server.asked) == 1


def test_an_interrupted_fetch_goes_on(origin: str, server: Server) -> None:
    server.breaks_after = 70_000
    with pytest.raises(TidemarkError, match=r"file\.csv cannot be fetched.*TIDEMARK_DATA.*kaggle"):
        data.fetch("file.csv", origin=origin)
    server.breaks_after = None
    assert data.fetch("file.csv", origin=origin).read_bytes() == CONTENT
    first = server.asked[-1]
    assert first is not None
    assert int(first[6:-1]) > 0


def test_another_file_is_not_kept(origin: str, server: Server) -> None:
    server.files["repo/file.csv"] = CONTENT.replace(b"2", b"3")
    with pytest.raises(TidemarkError, match="sha256 differs"):
        data.fetch("file.csv", origin=origin)
    assert not list(data.FETCHED.iterdir())


def test_no_network_is_said_clearly() -> None:
    with pytest.raises(TidemarkError, match=r"cannot be fetched"):
        data.fetch("file.csv", origin="http://127.0.0.1:1")


def test_a_mirror_is_used_where_there_is_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    (mirror / "file.csv").write_bytes(CONTENT)
    monkeypatch.setenv("TIDEMARK_DATA", str(mirror))
    assert data.find("file.csv") == mirror / "file.csv"
    assert data.fetch("file.csv", origin="http://127.0.0.1:1").read_bytes() == CONTENT
    (mirror / "file.csv").write_bytes(b"altered")
    assert data.find("file.csv") == data.FETCHED / "file.csv"


def test_days_are_joined_with_one_header(origin: str, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    server.files |= {"d/1.csv": b"h\n1\n", "d/3.csv": b"h\n3\n"}
    joined = b"h\n1\n3\n"
    file = data.DataFile("days.csv.gz", hashlib.sha256(joined).hexdigest(), 2, ("d/1.csv", "d/2.csv", "d/3.csv"), "")
    monkeypatch.setattr(data, "FILES", {"days.csv.gz": file})
    assert gzip.decompress(data.fetch("days.csv.gz", origin=origin).read_bytes()) == joined
