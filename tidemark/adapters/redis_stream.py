"""The live stream on Valkey or Redis: one entry a commit, in one Redis stream that every ws_server reads.

An entry's field `m` is MessagePack of `Message`. States in it are absolute, so a reader may see entries twice, late
or not at all and still be right once it has seen a newer one.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping

import msgspec

from tidemark import cells as cell_format
from tidemark import store
from tidemark.adapters.redis_connection import RedisConnection
from tidemark.cells import Cell, CellKey
from tidemark.ledger import Entry
from tidemark.ports import LiveStream

KEY = "tidemark:live"
LENGTH = 50_000  # entries kept, about; whoever falls further behind loads the cells again
TALLY, TALLY_S = "tidemark:tally", 40 * 86_400

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
    """Publishes into Redis."""

    def __init__(self, connection: RedisConnection) -> None:
        self._connection = connection

    def publish(
        self, cells: Iterable[Cell], anomalies: Iterable[Entry], *, request: str = "", committed_at: int = 0
    ) -> None:
        content = encode(cells, anomalies, request=request, committed_at=committed_at)
        self._connection.call("XADD", KEY, "MAXLEN", "~", LENGTH, "*", "m", content)

    def tally(self, **counts: int) -> None:
        self._connection.tell(tally_commands(time.time(), counts))


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
    return RedisStream(RedisConnection(url)) if url else NoStream()
