"""What is true now: every cell summed over its writers, as the bytes a browser is told, and what changed since when.

A change is told with the next tick, and ticks are numbered. A cursor, `EPOCH.NUMBER.POSITION`, says that everything up
to that tick of that process is in what was given with it. By the position in the live stream that the tick had read to
a page can tell whether another process's tick follows on what it has, since all of them read the one stream. Asked for
what is new since another's cursor, a process tells everything: what that one found by loading is not in the stream.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Iterable, Mapping
from itertools import takewhile
from typing import Any, NamedTuple

import msgspec

from tidemark import cells as cell_format
from tidemark.adapters.redis_stream import Notice
from tidemark.cells import ZERO, Cell, CellKey, Combo, Measures, add
from tidemark.history.periods import WRITER

RECENT = 200

LONGEST = 16  # digits of a number that may have been given

START = (0, 0)

Place = tuple[int, str]
"""minute (UTC, since 1970) and branch"""

Sums = dict[Place, dict[Combo, Measures]]
"""of each hour, named by its first minute, and branch"""

Position = tuple[int, int]
"""an identifier of the live stream: milliseconds since 1970, and a number within them"""


class Told(NamedTuple):
    """What browsers are told of a place, and with which tick."""

    number: int
    row: bytes


class Mark(NamedTuple):
    """How far somebody has been told: with which tick, its cursor, and how many names."""

    number: int
    cursor: str
    names: int


class Truth:
    """The merge of all that was read."""

    def __init__(self) -> None:
        self.epoch = secrets.token_hex(4)
        self.number = 0
        self.position = START
        self._writers: dict[Place, dict[str, tuple[int, bytes]]] = {}
        self._told: dict[Place, Told] = {}  # in the order of their ticks
        self._changed: dict[Place, None] = {}
        self._notices: dict[str, tuple[int, Notice]] = {}
        self._new_notices = False
        self._names: dict[str, int] = {}
        self._names_told: list[str] = []
        self.cursor = f"{self.epoch}.0.0-0"
        """Everything up to here has been told."""

    def __len__(self) -> int:
        return len(self._told)

    def merge(self, cells: Iterable[Cell], notices: Iterable[Notice] = (), position: Position | None = None) -> bool:
        """Take what is newer than what is held, to be told with the next tick; returns whether anything was.

        `position`: how far in the live stream that is, where it comes from there.
        """
        changed = False
        self.position = max(position or START, self.position)
        for cell in cells:
            minute, branch, writer = cell.key
            held = self._writers.setdefault((minute, branch), {})
            if writer not in held or cell.version > held[writer][0]:
                held[writer] = (cell.version, cell_format.pack(cell.combos))
                self._changed[minute, branch] = None
                changed = True
        for notice in notices:
            if notice.invoice_id not in self._notices:
                self._notices[notice.invoice_id] = (self.number + 1, notice)
                self._new_notices = changed = True
        while len(self._notices) > RECENT:
            del self._notices[next(iter(self._notices))]
        return changed

    def newest(self) -> dict[str, int]:
        """By branch the newest minute in which something was sold."""
        found: dict[str, int] = {}
        for minute, branch in self._writers:
            found[branch] = max(minute, found.get(branch, minute))
        return found

    def replace(self, cells: Iterable[Cell]) -> Mark:
        """Hold these cells and no others; returns where somebody stands who is to fetch everything.

        Rows are only ever replaced by newer ones, so what is held no more can be told to no page. With a new epoch, and
        a position that no page has, whatever follows is nothing that a page could take for what it lacks.
        """
        self.epoch = secrets.token_hex(4)
        self.position = (self.position[0], self.position[1] + 1)
        self._writers, self._told, self._changed = {}, {}, {}
        self.merge(cells)
        self._new_notices = True
        self.advance()
        begun = Mark(self.number, self.cursor, 0)
        self._new_notices = True
        self.advance()
        return begun

    def is_doubtful(self, key: CellKey, hour: int) -> bool:
        """Whether a cell that is told may be in what is held already, summed into history; `hour`: its hour's first
        minute."""
        minute, branch, writer = key
        return writer not in self._writers.get((minute, branch), {}) and any(
            WRITER in self._writers.get((place, branch), {}) for place in (minute, hour)
        )

    def sums(self, hours: Collection[Place], hour_of: Callable[[int], int]) -> Sums:
        """What is held of some hours."""
        found: Sums = {}
        for (minute, branch), held in self._writers.items():
            if (place := (hour_of(minute), branch)) in hours:
                states = [cell_format.unpack(packed) for _, packed in held.values()]
                found[place] = _sum([found.get(place, {}), *states])
        return found

    def advance(self) -> None:
        """What was merged since the last time is from now on told."""
        if not (self._changed or self._new_notices):
            return
        self.number += 1
        self.cursor = f"{self.epoch}.{self.number}.{self.position[0]}-{self.position[1]}"
        for place in self._changed:
            row = self._row(place)
            self._told.pop(place, None)
            self._told[place] = Told(self.number, row)
        self._new_notices = False
        self._changed = {}
        self._names_told = list(self._names)

    @property
    def mark(self) -> Mark:
        """Here somebody stands who has been told everything."""
        return Mark(self.number, self.cursor, len(self._names_told))

    def tell(self, since: Mark) -> dict[str, Any]:
        """What has changed since the mark.

        `before` is the cursor that this follows on: whoever holds an older one has missed something. `names` are those
        that are new, `[the place of the first, the names]`.
        """
        latest = takewhile(lambda told: told.number > since.number, reversed(self._told.values()))
        return {
            "before": since.cursor,
            "cursor": self.cursor,
            "names": [since.names, self._names_told[since.names :]],
            "cells": [msgspec.Raw(told.row) for told in latest],
            "anomalies": [
                _told(notice) for number, notice in self._notices.values() if since.number < number <= self.number
            ],
        }

    def since(self, number: int) -> bytes:
        """All names, and what was told after a tick; after 0, the one before the first, that is everything. JSON."""
        told = self.tell(Mark(number, "", 0))
        del told["before"]
        return msgspec.json.encode({**told, "whole": number == 0})

    def number_of(self, cursor: str | None) -> int:
        """The number of the tick that a cursor names; 0 where it is none of this process's."""
        epoch, _, rest = (cursor or "").partition(".")
        number = rest.partition(".")[0]
        known = epoch == self.epoch and number.isascii() and number.isdigit() and len(number) < LONGEST
        return int(number) if known and int(number) <= self.number else 0

    def names(self) -> bytes:
        """The names so far, by which the ticks that follow speak of them. JSON."""
        return msgspec.json.encode({"epoch": self.epoch, "names": [0, self._names_told]})

    def _row(self, place: Place) -> bytes:
        """[minute, branch, version, rows], each row [product line, customer type, payment, measures…]; names by their
        place. The version is the sum of the writers': it rises with each change."""
        minute, branch = place
        held = self._writers[place].values()
        states = [cell_format.unpack(packed) for _, packed in held]
        combos = states[0] if len(states) == 1 else _sum(states)
        name = self._name
        rows = [[*map(name, combo), *measures] for combo, measures in combos.items()]
        return msgspec.json.encode([minute, name(branch), sum(version for version, _ in held), rows])

    def _name(self, name: str) -> int:
        return self._names.setdefault(name, len(self._names))


def _sum(states: Iterable[Mapping[Combo, Measures]]) -> dict[Combo, Measures]:
    summed: dict[Combo, Measures] = {}
    for state in states:
        for combo, measures in state.items():
            summed[combo] = add(summed.get(combo, ZERO), measures)
    return summed


def _told(notice: Notice) -> dict[str, Any]:
    return {
        "invoice_id": notice.invoice_id,
        "minute": notice.minute,
        "branch": notice.branch,
        "product_line": notice.product_line,
        "total": notice.total,
        "flags": notice.flags,
        "score": notice.score,
    }
