"""Ticks: ten times a second each group of browsers is told, in the same bytes, what is new since its last tick."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from typing import Protocol

import msgspec

from tidemark.adapters.redis_stream import Notice
from tidemark.cells import Cell
from tidemark.emf import MOST_VALUES
from ws_server.stages import Stages
from ws_server.truth import Mark, Position, Truth

TICK_S = 0.1


class Audience(Protocol):
    """Those who are told together."""

    def __len__(self) -> int: ...

    def send(self, name: str, content: bytes) -> None:
        """Tell them an event whose content is JSON."""


class Telling:
    """What an audience has been told, since when the oldest sale waits that it has not been told of, and which request
    brought the newest."""

    def __init__(self, audience: Audience, mark: Mark) -> None:
        self.audience = audience
        self.mark = mark
        self.oldest = 0
        self.request = ""


class Ticker:
    """Gathers what comes in and tells it conflated: of each cell only its newest state."""

    def __init__(self, truth: Truth, audiences: Sequence[Audience]) -> None:
        self._truth = truth
        self._tellings = [Telling(audience, truth.mark) for audience in audiences]
        self.ticks = 0
        self.stages = Stages()
        self.told_ms: deque[float] = deque(maxlen=MOST_VALUES)
        """How long sales waited, from being received to being told, of the last ticks."""

    def merge(
        self,
        cells: list[Cell],
        notices: list[Notice],
        sent_at: int,
        position: Position,
        request: str = "",
        committed_at: int = 0,
    ) -> None:
        """Take what was read; each audience is told of it with its next tick."""
        if not self._truth.merge(cells, notices, position):
            return
        if not sent_at:
            self._truth.advance()  # a load: whoever asks for a snapshot now is to find it there
            return
        for telling in self._tellings:
            telling.oldest = min(telling.oldest or sent_at, sent_at)
            telling.request = request or telling.request
        self.stages.heard(request, sent_at, committed_at)

    def replace(self, cells: list[Cell]) -> None:
        """Take cells in place of all that is held; whoever listens is told to fetch everything."""
        begun = self._truth.replace(cells)
        for telling in self._tellings:
            telling.mark = begun

    def tick(self, turn: int) -> None:
        """Tell one audience what is new to it, if anything is."""
        telling = self._tellings[turn % len(self._tellings)]
        heard = len(telling.audience) > 0
        if heard or telling is self._tellings[0]:  # whoever asks for a snapshot is to find there what is new, too
            self._truth.advance()
        if telling.mark.number == self._truth.mark.number:
            return
        if telling.oldest and (heard or telling is self._tellings[0]):
            self.told_ms.append(time.time() * 1000 - telling.oldest)
            if telling is self._tellings[0]:
                self.stages.told(time.time() * 1000)
        if heard:
            told = {"oldest": telling.oldest, "request": telling.request, **self._truth.tell(telling.mark)}
            telling.audience.send("tick", msgspec.json.encode(told))
            self.ticks += 1
        telling.mark = self._truth.mark
        telling.oldest, telling.request = 0, ""

    def run(self) -> None:
        """Tick for ever, the audiences in turn."""
        step = TICK_S / len(self._tellings)
        due = time.monotonic()
        turn = 0
        while True:
            self.tick(turn)
            turn += 1
            due = max(due + step, time.monotonic())
            time.sleep(due - time.monotonic())
