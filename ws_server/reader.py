"""Following the live stream: first remember where it stands, then load the cells, then read on and merge.

Whatever may have been missed (the stream was trimmed past us, Redis was away or emptied) is healed by loading the cells
again: all of it is absolute state, so too much is never wrong. Only what became history meanwhile must not be added to
the cells that it is the sum of: those are kept, and where they are not that sum everything is taken anew.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from threading import Event, Lock
from typing import Any, Protocol

import msgspec
from redis import Redis, RedisError

from tidemark.adapters import redis_stream
from tidemark.adapters.redis_stream import Notice
from tidemark.cells import ZERO, Cell, CellKey, add
from tidemark.history.calendar import hour_start
from tidemark.history.counters import Counters
from tidemark.history.periods import WRITER
from tidemark.store import MINUTES_PER_DAY, local_day
from ws_server.truth import START, Place, Position, Sums, Truth

log = logging.getLogger(__name__)

BLOCK_MS = 1000
BATCH = 500
AWAY_S = 0.5
DAYS_BY_MINUTE = 2  # before today: of older days history is loaded by the hour
AGAIN_S = 30  # from one load to the next that something asks for


class Merge(Protocol):
    """Takes what was read."""

    def merge(
        self,
        cells: list[Cell],
        notices: list[Notice],
        sent_at: int,
        position: Position,
        request: str = "",
        committed_at: int = 0,
    ) -> None:
        """Told cells, notices, when the sales were received (milliseconds since 1970; 0 for a load), how far in the
        stream that is, which request brought them, and when they were committed."""

    def replace(self, cells: list[Cell]) -> None:
        """Cells in place of all that is held."""


class Reader:
    """Reads one stream for ever. `zone`: the store's."""

    def __init__(
        self,
        redis: Redis,
        counters: Counters,
        truth: Truth,
        ticker: Merge,
        zone: str,
        reload_minutes: int,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._redis = redis
        self._counters = counters
        self._truth = truth
        self._ticker = ticker
        self._zone = zone
        self._reload_s = reload_minutes * 60
        self._now = now
        self._position = START
        self._loading = Lock()
        self._asked = Event()
        self._history: dict[CellKey, int] = {}
        self._day = 0
        self._news: list[Cell] | None = None
        self.loaded = False
        self.connected = False
        self.loads = 0

    def run(self) -> None:
        """Load and follow; on any failure of Redis or of the cells, begin again."""
        while True:
            try:
                self._position = self._end()
                self.load()
                self._follow()
            except (RedisError, ConnectionError, TimeoutError) as error:
                log.warning("the live stream does not answer: %s", type(error).__name__)
            except Exception:
                log.exception("the cells cannot be loaded")
            self.connected = False
            time.sleep(AWAY_S)

    def reload(self) -> None:
        """Load all cells again now and then: a message that was lost, with no newer one after it, is found so."""
        while True:
            time.sleep(min(AGAIN_S, self._reload_s))
            self._asked.wait(max(self._reload_s - AGAIN_S, 0))
            self._asked.clear()
            try:
                self.load()
            except Exception:
                log.exception("the cells cannot be loaded again")

    def _end(self) -> Position:
        newest: Any = self._redis.xrevrange(redis_stream.KEY, count=1)
        return _position(newest[0][0]) if newest else START

    # -- loading

    def load(self) -> None:
        """Read all cells, and take what is new of them."""
        with self._loading:
            self._news = []  # what the stream tells while the load lasts
            try:
                day = local_day(self._zone, int(self._now()) // 60) - DAYS_BY_MINUTE
                loaded = list(self._counters.by_hour(day * MINUTES_PER_DAY))
                self._take(loaded, day, self._news)
            finally:
                self._news = None
        self.loads += 1
        self.loaded = True
        self.connected = True

    def _take(self, loaded: list[Cell], day: int, news: list[Cell]) -> None:
        history = {cell.key: cell.version for cell in loaded if cell.key.writer == WRITER}
        if self.loaded:
            if history == self._history or (day == self._day and self._agrees(loaded, history)):
                # The sum of it is held, perhaps still as the cells that became it: beside them it would count twice.
                loaded = [cell for cell in loaded if cell.key.writer != WRITER]
            else:
                self._ticker.replace(loaded)
                loaded = self._certain(news)
        self._ticker.merge(loaded, [], 0, self._position)
        self._history, self._day = history, day

    def _agrees(self, loaded: list[Cell], history: dict[CellKey, int]) -> bool:
        """Whether of all that became history since the last load the sum is held already."""
        changed: set[Place] = {
            (self._hour(key.minute), key.branch)
            for key in history.keys() | self._history.keys()
            if history.get(key) != self._history.get(key)
        }
        found: Sums = {}
        for cell in loaded:
            if (place := (self._hour(cell.key.minute), cell.key.branch)) in changed:
                combos = found.setdefault(place, {})
                for combo, values in cell.combos.items():
                    combos[combo] = add(combos.get(combo, ZERO), values)
        return found == self._truth.sums(changed, self._hour)

    def _hour(self, minute: int) -> int:
        return hour_start(self._zone, minute)

    # -- following

    def _follow(self) -> None:
        """Read on; returns when something may have been missed."""
        while True:
            after = "{}-{}".format(*self._position)
            answer: Any = self._redis.xread({redis_stream.KEY: after}, count=BATCH, block=BLOCK_MS)
            if not answer:
                if self._end() < self._position:
                    log.info("the live stream was emptied")
                    return
                continue
            first: Any = self._redis.xrange(redis_stream.KEY, count=1)
            if self._position != START and first and _position(first[0][0]) > self._position:
                log.info("the live stream was trimmed past us")
                return
            for identifier, fields in answer[0][1]:
                self._position = _position(identifier)
                try:
                    message = redis_stream.decode(fields[b"m"])
                    cells = message.read_cells()
                except (KeyError, ValueError, msgspec.MsgspecError):
                    log.warning("an entry of the live stream is none of ours; passed over")
                    continue
                self.hear(cells, message.anomalies, message.sent_at, message.request, message.committed_at)

    def hear(
        self, cells: list[Cell], anomalies: list[Notice], sent_at: int, request: str = "", committed_at: int = 0
    ) -> None:
        """Take what the stream tells, and of which request."""
        if self._news is not None:
            self._news += cells
        self._ticker.merge(self._certain(cells), anomalies, sent_at, self._position, request, committed_at)

    def _certain(self, cells: list[Cell]) -> list[Cell]:
        """Told cells that are not in the history that is held: of an old time it is asked whether they are there."""
        doubtful = [cell for cell in cells if self._truth.is_doubtful(cell.key, self._hour(cell.key.minute))]
        if not doubtful:
            return cells
        asked = {cell.key for cell in doubtful}
        while True:
            epoch, present = self._truth.epoch, self._counters.present(doubtful)
            if self._truth.epoch == epoch:  # else what was asked for may have become history that is held by now
                break
        if asked - {cell.key for cell in present}:
            self._asked.set()  # they were moved: perhaps since the last load
        return [cell for cell in cells if cell.key not in asked] + present


def _position(identifier: bytes) -> Position:
    milliseconds, _, number = identifier.partition(b"-")
    return int(milliseconds), int(number or 0)
