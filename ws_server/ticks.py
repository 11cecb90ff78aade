"""Ticks: at most ten times a second everybody is told, in the same bytes, what has changed since the last tick."""

from __future__ import annotations

import time
from collections.abc import Callable

import msgspec

from tidemark.adapters.redis_stream import Notice
from tidemark.cells import Cell
from ws_server.truth import Position, Truth

TICK_S = 0.1

Send = Callable[[str, bytes], None]
"""Told an event's name and its content, JSON."""


class Ticker:
    """Gathers what comes in and sends it conflated: of each cell only its newest state."""

    def __init__(self, truth: Truth, send: Send) -> None:
        self._truth = truth
        self._send = send
        self._oldest = 0
        self.ticks = 0

    def merge(self, cells: list[Cell], notices: list[Notice], sent_at: int, position: Position) -> None:
        """Take what was read; it is told with the next tick."""
        if not self._truth.merge(cells, notices, position):
            return
        if sent_at:
            self._oldest = min(self._oldest or sent_at, sent_at)
        else:
            self.tick()  # a load: whoever asks for a snapshot now is to find it there

    def tick(self) -> None:
        """Tell what has come in since the last tick, if anything."""
        told = self._truth.tick()
        if told is None:
            return
        oldest, self._oldest = self._oldest, 0
        self.ticks += 1
        self._send("tick", msgspec.json.encode({"oldest": oldest, **told}))

    def run(self) -> None:
        """Tick for ever."""
        while True:
            began = time.monotonic()
            self.tick()
            time.sleep(max(0.0, TICK_S - (time.monotonic() - began)))
