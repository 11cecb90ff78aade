"""Snapshots over HTTP: built once for all who ask at the same time, and never in the way of the ticks."""

from __future__ import annotations

import gzip
import time
from typing import Any, NamedTuple

import gevent
from gevent.lock import Semaphore

from ws_server.truth import Truth

COST = 20  # a snapshot that took t to build serves for 20 t: building takes a twentieth of the time at most
BIG = 1_000_000  # bytes from which on compressing leaves the thread that ticks
KEPT = 16


class Snapshot(NamedTuple):
    """A body, also gzipped, and the cursor it is of."""

    cursor: str
    plain: bytes
    compressed: bytes
    until: float


class Snapshots:
    """The newest snapshots, by what they were asked since."""

    def __init__(self, truth: Truth) -> None:
        self._truth = truth
        self._kept: dict[int, Snapshot] = {}
        self._building = Semaphore()

    def since(self, cursor: str | None) -> Snapshot:
        """What changed since the cursor, or everything. It may be some moments old: its own cursor says how."""
        number = self._truth.number_of(cursor)
        kept = self._kept.get(number)
        if kept is not None and self._fresh(kept):
            return kept
        with self._building:
            kept = self._kept.get(number)
            if kept is None or not self._fresh(kept):
                kept = self._build(number)
                self._kept.pop(number, None)
                self._kept[number] = kept
                if len(self._kept) > KEPT:
                    del self._kept[next(iter(self._kept))]
        return kept

    def _fresh(self, kept: Snapshot) -> bool:
        replaced = not kept.cursor.startswith(f"{self._truth.epoch}.")
        return not replaced and (kept.cursor == self._truth.cursor or time.monotonic() < kept.until)

    def _build(self, number: int) -> Snapshot:
        began = time.monotonic()
        told, body = self._truth.cursor, self._truth.since(number)
        if len(body) < BIG:
            compressed = gzip.compress(body, 1)
        else:
            pool: Any = gevent.get_hub().threadpool
            compressed = pool.apply(gzip.compress, (body, 1))
        ended = time.monotonic()
        return Snapshot(told, body, compressed, ended + COST * (ended - began))
