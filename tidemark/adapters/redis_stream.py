"""The live stream on Valkey or Redis: one entry a commit, in one Redis stream that every ws_server reads.

An entry's field `m` is MessagePack of `Message`. States in it are absolute, so a reader may see entries twice, late
or not at all and still be right once it has seen a newer one.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

import hiredis
import msgspec

from tidemark import cells as cell_format
from tidemark import store
from tidemark.cells import Cell, CellKey
from tidemark.errors import SettingsError, Unavailable
from tidemark.ledger import Entry
from tidemark.ports import LiveStream

KEY = "tidemark:live"
LENGTH = 50_000  # entries kept, about; whoever falls further behind loads the cells again
TALLY, TALLY_S = "tidemark:tally", 40 * 86_400
TIMEOUT_S = 0.05  # a POST waits no longer than this for the live stream

PackedCell = tuple[int, str, str, int, int, bytes]
"""minute, branch, writer, version, written_at, the packed map"""


class Notice(msgspec.Struct, frozen=True, array_like=True):
    """An anomalous sale as those who watch see it: nothing in it tells of the customer."""

    invoice_id: str
    minute: int
    branch: str
    product_line: str
    total: str
    flags: tuple[str, ...]
    score: float | None


class Message(msgspec.Struct, frozen=True, array_like=True):
    """What one commit moved. `sent_at`: milliseconds since 1970, when the sales were received; `committed_at`: when
    they were in the ledger, 0 where that is not known. `request`: what the call is known by that brought them.

    Fields are only ever added at the end: an older reader passes over them, a newer one takes their defaults.
    """

    sent_at: int
    cells: list[PackedCell]
    anomalies: list[Notice]
    request: str = ""
    committed_at: int = 0

    def read_cells(self) -> list[Cell]:
        """The cells. Raises ValueError where one is of a schema that is not known here."""
        return [
            Cell(CellKey(minute, branch, writer), version, written_at, cell_format.unpack(state))
            for minute, branch, writer, version, written_at, state in self.cells
        ]


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Message)


def notice(entry: Entry) -> Notice:
    """What is told of an anomalous sale."""
    return Notice(
        entry.invoice_id, entry.minute, entry.branch, entry.product_line, entry.total, entry.flags, entry.score
    )


def encode(cells: Iterable[Cell], anomalies: Iterable[Entry], *, request: str = "", committed_at: int = 0) -> bytes:
    """A message as bytes."""
    packed = [(*cell.key, cell.version, cell.written_at, cell_format.pack(cell.combos)) for cell in cells]
    sent_at = max((cell[4] for cell in packed), default=0)
    return _encoder.encode(Message(sent_at, packed, [notice(entry) for entry in anomalies], request, committed_at))


def decode(message: bytes) -> Message:
    """The message in these bytes. Raises msgspec.DecodeError where they are none."""
    return _decoder.decode(message)


class RedisStream(LiveStream):
    """Publishes into Redis, waiting `TIMEOUT_S` at most for each step. One connection; not thread-safe.

    hiredis alone speaks the protocol: importing a whole client costs a Lambda 0.13 s of its start.
    """

    def __init__(self, url: str) -> None:
        self._url = urlsplit(url)
        if self._url.scheme not in ("redis", "rediss") or not self._url.hostname:
            raise SettingsError(f"redis_url: expected redis://host:port or rediss://host:port, got {url!r}")
        self._connection: socket.socket | None = None

    def publish(
        self, cells: Iterable[Cell], anomalies: Iterable[Entry], *, request: str = "", committed_at: int = 0
    ) -> None:
        content = encode(cells, anomalies, request=request, committed_at=committed_at)
        self._send(("XADD", KEY, "MAXLEN", "~", LENGTH, "*", "m", content))

    def _send(self, command: tuple[Any, ...]) -> None:
        if self._connection is not None:
            try:
                self._call(self._connection, command)
                return
            except (OSError, hiredis.HiredisError):
                self._drop()  # perhaps only this connection is dead; saying a thing twice is harmless
        try:
            self._connection = self._connect()
            self._call(self._connection, command)
        except (OSError, hiredis.HiredisError) as error:
            self._drop()
            raise Unavailable("the live stream does not answer") from error

    def tally(self, **counts: int) -> None:
        if self._connection is None:
            return
        try:
            for command in tally_commands(time.time(), counts):
                self._call(self._connection, command)
        except (OSError, hiredis.HiredisError):
            self._drop()

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connect(self) -> socket.socket:
        host = self._url.hostname or ""
        connection = socket.create_connection((host, self._url.port or 6379), timeout=TIMEOUT_S)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._url.scheme == "rediss":
            connection = ssl.create_default_context().wrap_socket(connection, server_hostname=host)
        if self._url.password:
            user = (unquote(self._url.username),) if self._url.username else ()
            self._call(connection, ("AUTH", *user, unquote(self._url.password)))
        return connection

    @staticmethod
    def _call(connection: socket.socket, command: tuple[Any, ...]) -> object:
        connection.sendall(hiredis.pack_command(command))
        reader = hiredis.Reader()
        while (answer := reader.gets()) is False:
            received = connection.recv(65_536)
            if not received:
                raise ConnectionError("closed by the other side")
            reader.feed(received)
        if isinstance(answer, hiredis.ReplyError):
            raise answer
        return answer


def tally_key(seconds: float) -> str:
    """Where the counts of a day (UTC) are."""
    return f"{TALLY}:{store.day_name(int(seconds) // 86_400)}"


def tally_commands(seconds: float, counts: Mapping[str, int]) -> list[tuple[str | int, ...]]:
    """What adds to the counts of the day that `seconds` since 1970 are in."""
    key = tally_key(seconds)
    adding: list[tuple[str | int, ...]] = [("HINCRBY", key, name, count) for name, count in counts.items() if count]
    return [*adding, ("EXPIRE", key, TALLY_S)] if adding else []


class NoStream(LiveStream):
    """Where there is no Redis nobody watches."""

    def publish(
        self, cells: Iterable[Cell], anomalies: Iterable[Entry], *, request: str = "", committed_at: int = 0
    ) -> None:
        """Nothing to do."""


def connect(url: str) -> LiveStream:
    """The live stream at `url`; none where it is empty. Raises SettingsError where `url` is none of Redis."""
    return RedisStream(url) if url else NoStream()
