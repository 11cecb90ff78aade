"""A live page: the server's reader, and a browser that is told its ticks, some of which are lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from redis import Redis
from redis.exceptions import ConnectionError as Away

from tests.property.stepwise import Processes
from tidemark.cells import ZERO, Combo, Measures, add
from tidemark.history.counters import Counters
from ws_server.reader import Reader
from ws_server.ticks import Ticker
from ws_server.truth import Truth


class SteppedRedis(Redis):
    """Redis, each command of which is a point to pause at. `away`: so many commands are refused."""

    processes: Processes
    away = 0

    def execute_command(self, *args: Any, **options: Any) -> Any:
        self.processes.pause()
        if self.away:
            self.away -= 1
            raise Away("refused")
        # Who waits for news lets others go on meanwhile: it is told at once that there are none.
        if args[0] == "XREAD":
            args = tuple(word for place, word in enumerate(args) if word != b"BLOCK" and args[place - 1] != b"BLOCK")
        return super().execute_command(*args, **options)  # type: ignore[no-untyped-call]


class Browser:
    """What a page holds: it takes a tick that follows on what it has, and else fetches everything."""

    def __init__(self, truth: Truth) -> None:
        self._truth = truth
        self.lost = 0
        self._fetch()

    def __len__(self) -> int:
        return 1

    def _fetch(self) -> None:
        self.rows: dict[tuple[int, str], tuple[int, dict[Combo, Measures]]] = {}
        self.names: list[str] = []
        self._apply(msgspec.json.decode(self._truth.since(0)))

    def send(self, name: str, content: bytes) -> None:
        """A tick."""
        assert name == "tick"
        if self.lost:
            self.lost -= 1
            return
        told = msgspec.json.decode(content)
        if told["before"] == self.cursor:
            self._apply(told)
        else:
            self._fetch()

    def hear_of_gaps(self) -> None:
        """Whoever was passed over is told so."""
        if self.cursor != self._truth.cursor:
            self._fetch()

    def _apply(self, told: dict[str, Any]) -> None:
        first, names = told["names"]
        self.names[first:] = names
        for minute, branch, version, rows in told["cells"]:
            place = (minute, self.names[branch])
            held = self.rows.get(place)
            combos = {Combo(*(self.names[n] for n in row[:3])): tuple(row[3:]) for row in rows}
            assert held is None or held[0] <= version, "a page is never told what is older"
            self.rows[place] = (version, combos)
        self.cursor = told["cursor"]


class LivePage:
    """One server's reader and one browser."""

    def __init__(self, redis: Redis, counters: Counters, zone: str, now: Callable[[], float]) -> None:
        self.truth = Truth()
        self.browser = Browser(self.truth)
        self.ticker = Ticker(self.truth, [self.browser])
        self.reader = Reader(redis, counters, self.truth, self.ticker, zone, 60, now)

    def sums(self) -> dict[str, list[Measures]]:
        """Of each product line what the browser shows of it."""
        found: dict[str, list[Measures]] = {}
        for _, combos in self.browser.rows.values():
            for combo, values in combos.items():
                found.setdefault(combo.product_line, []).append(values)
        return found


def summed(values: list[Measures]) -> Measures:
    """The sum."""
    total = ZERO
    for one in values:
        total = add(total, one)
    return total
