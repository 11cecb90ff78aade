"""Ticks: at most ten times a second everybody is told, in the same bytes, what has changed since the last tick."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from tidemark.adapters.redis_stream import Notice
from tidemark.cells import Cell, CellKey
from ws_server.truth import Truth, frame

TICK_S = 0.1

Send = Callable[[dict[str, Any]], None]


class Ticker:
    """Gathers what comes in and sends it conflated: of each cell only its newest version."""

    def __init__(self, truth: Truth, send: Send) -> None:
        self._truth = truth
        self._send = send
        self._cells: dict[CellKey, Cell] = {}
        self._notices: list[Notice] = []
        self._oldest = 0
        self.ticks = 0

    def merge(self, cells: list[Cell], notices: list[Notice], sent_at: int) -> None:
        """Take what was read; it is told with the next tick."""
        if not self._truth.merge(cells, notices):
            return
        for cell in cells:
            held = self._cells.get(cell.key)
            if held is None or cell.version > held.version:
                self._cells[cell.key] = cell
        self._notices += notices
        if sent_at:
            self._oldest = min(self._oldest or sent_at, sent_at)

    def tick(self) -> None:
        """Tell what has come in since the last tick, if anything."""
        if not (self._cells or self._notices):
            return
        cells, notices, oldest = self._cells, self._notices, self._oldest
        self._cells, self._notices, self._oldest = {}, [], 0
        self.ticks += 1
        self._send({"cursor": self._truth.cursor, "oldest": oldest, **frame(cells.values(), notices)})

    def run(self) -> None:
        """Tick for ever."""
        while True:
            began = time.monotonic()
            self.tick()
            time.sleep(max(0.0, TICK_S - (time.monotonic() - began)))
