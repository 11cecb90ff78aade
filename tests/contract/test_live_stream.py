"""The live stream on a real Redis, and what follows it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any
from uuid import uuid4

import pytest
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.cloud import Cloud
from tests.counted import counters
from tests.property.faulty_ledger import FaultyLedger, LossyStream, environment, post
from tests.samples import sale
from tidemark.adapters import redis_connection, redis_stream
from tidemark.adapters.redis_stream import Notice
from tidemark.cells import Cell
from tidemark.errors import SettingsError, Unavailable
from tidemark.local.supervisor import wait_until
from ws_server.reader import Reader
from ws_server.truth import Position, Truth

READER = "reader of a test"


def committed(*rows: dict[str, object]) -> tuple[FaultyLedger, list[Cell]]:
    ledger, stream = FaultyLedger(), LossyStream()
    assert post(environment(ledger, stream), list(rows))
    return ledger, stream.sent[-1]


class Mortal(Redis):
    """A client that a reader, which goes on for ever, ends with."""

    closed = False

    def execute_command(self, *args: Any, **options: Any) -> Any:
        if self.closed:
            raise SystemExit
        return super().execute_command(*args, **options)  # type: ignore[no-untyped-call]


@pytest.fixture
def redis(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mortal]:
    """The cloud's Redis, with a stream of the test's own; what it is slow to answer is not sent again."""
    monkeypatch.setattr(redis_connection, "TIMEOUT_S", 5)
    monkeypatch.setattr(redis_stream, "KEY", f"test:{uuid4()}")
    client = Mortal(port=cloud.home.port("redis"), socket_timeout=5, retry=Retry(NoBackoff(), 1))
    yield client
    client.closed = True
    for thread in threading.enumerate():
        if thread.name == READER:
            thread.join(20)
            assert not thread.is_alive()


def url(cloud: Cloud) -> str:
    return f"redis://127.0.0.1:{cloud.home.port('redis')}"


def test_what_is_published_is_read(cloud: Cloud, redis: Mortal) -> None:
    ledger, cells = committed(sale("a", total="1"))
    redis_stream.connect(url(cloud)).publish(cells, [c.entry for c in ledger.scan()])
    entries: Any = redis.xrange(redis_stream.KEY)
    ((_, fields),) = entries
    message = redis_stream.decode(fields[b"m"])
    assert message.read_cells() == cells
    (notice,) = message.anomalies
    assert (notice.invoice_id, notice.flags) == ("a", ("total_mismatch",))


def test_a_redis_that_is_away_is_said_to_be_and_one_that_is_back_is_told_at_once(cloud: Cloud, redis: Mortal) -> None:
    _, cells = committed(sale("a"))
    with pytest.raises(Unavailable):
        redis_stream.connect("redis://127.0.0.1:1").publish(cells, [])
    stream = redis_stream.connect(url(cloud))
    stream.publish(cells, [])
    redis.client_kill_filter(_type="normal", skipme=True)
    stream.publish(cells, [])  # nothing is lost where only the connection died
    assert redis.xlen(redis_stream.KEY) == 2


@pytest.mark.parametrize("bad", ["localhost:6379", "http://localhost", "redis://"])
def test_an_address_that_is_none_is_refused(bad: str) -> None:
    with pytest.raises(SettingsError, match="redis_url"):
        redis_stream.connect(bad)


class Telling:
    """Tells what it takes at once."""

    def __init__(self, truth: Truth) -> None:
        self._truth = truth

    def merge(
        self,
        cells: list[Cell],
        notices: list[Notice],
        sent_at: int,
        position: Position,
        request: str = "",
        committed_at: int = 0,
    ) -> None:
        self._truth.merge(cells, notices, position)
        self._truth.advance()

    def replace(self, cells: list[Cell]) -> None:
        raise AssertionError("nothing became history")


def follow(reader: Reader) -> None:
    def run() -> None:
        with suppress(SystemExit):
            reader.run()

    threading.Thread(target=run, name=READER, daemon=True).start()


def until(condition: Callable[[], bool]) -> None:
    wait_until(condition, "the reader", seconds=15)


def test_a_reader_has_what_was_there_and_what_comes(cloud: Cloud, redis: Mortal) -> None:
    ledger, _ = committed(sale("there"))
    truth = Truth()
    reader = Reader(redis, counters(ledger), truth, Telling(truth), "UTC", 60)
    follow(reader)
    until(lambda: reader.loaded)
    assert len(truth) == 1
    _, cells = committed(sale("comes", branch="B"))
    redis.xadd(redis_stream.KEY, {"m": b"rubbish"})
    redis_stream.connect(url(cloud)).publish(cells, [])
    until(lambda: len(truth) == 2)


def test_a_stream_that_was_emptied_makes_the_reader_load_again(cloud: Cloud, redis: Mortal) -> None:
    ledger, cells = committed(sale("there"))
    redis_stream.connect(url(cloud)).publish(cells, [])
    truth = Truth()
    reader = Reader(redis, counters(ledger), truth, Telling(truth), "UTC", 60)
    follow(reader)
    until(lambda: reader.loaded)
    assert post(environment(ledger, LossyStream()), [sale("missed", branch="B")])  # told to nobody
    redis.delete(redis_stream.KEY)
    until(lambda: len(truth) == 2)
    assert reader.loads == 2
