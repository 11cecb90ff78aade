"""Following the live stream: first remember where it stands, then load the cells, then read on and merge.

Whatever may have been missed (the stream was trimmed past us, Redis was away or emptied) is healed by loading the cells
again: all of it is absolute state, so too much is never wrong.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

import msgspec
from redis import Redis, RedisError

from tidemark.adapters import redis_stream
from tidemark.adapters.redis_stream import Notice
from tidemark.cells import Cell
from tidemark.ports import Cells
from ws_server.truth import START, Position

log = logging.getLogger(__name__)

BLOCK_MS = 1000
BATCH = 500
AWAY_S = 0.5

Merge = Callable[[list[Cell], list[Notice], int, Position], None]
"""Told cells, notices, when the sales were received (milliseconds since 1970; 0 for a load), and how far in the stream
that is."""


class Reader:
    """Reads one stream for ever."""

    def __init__(self, redis: Redis, cells: Cells, merge: Merge, reload_minutes: int) -> None:
        self._redis = redis
        self._cells = cells
        self._merge = merge
        self._reload_s = reload_minutes * 60
        self._position = START
        self.loaded = False
        self.connected = False
        self.loads = 0

    def run(self) -> None:
        """Load and follow; on any failure of Redis or of the cells, begin again."""
        while True:
            try:
                self._position = self._end()
                self._load()
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
            time.sleep(self._reload_s)
            try:
                self._load()
            except Exception:
                log.exception("the cells cannot be loaded again")

    def _end(self) -> Position:
        newest: Any = self._redis.xrevrange(redis_stream.KEY, count=1)
        return _position(newest[0][0]) if newest else START

    def _load(self) -> None:
        self._merge(list(self._cells.read()), [], 0, self._position)
        self.loads += 1
        self.loaded = True
        self.connected = True

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
                self._merge(cells, message.anomalies, message.sent_at, self._position)


def _position(identifier: bytes) -> Position:
    milliseconds, _, number = identifier.partition(b"-")
    return int(milliseconds), int(number or 0)
