"""Moving cells into history while sales come in and others read: writers, compactors and readers step by step, in any
order, with every fault of a store, some of them killed. Driven by Hypothesis.

Each sale is of a product line of its own, so what is read tells of each sale how often it was counted: never twice, and
once where its transaction was over before the reading began.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import hypothesis.strategies as st
from hypothesis import HealthCheck, given, settings

from tests.property.faulty_ledger import LossyStream, post
from tests.property.stepwise import Fault, Processes, Store
from tests.samples import PSEUDONYMS, of_own_line
from tidemark.audit import audit
from tidemark.cells import Cell, Measures
from tidemark.errors import Unavailable
from tidemark.history.calendar import TIERS, Plan
from tidemark.history.compaction import Compactor
from tidemark.history.counters import Counters, Shown
from tidemark.history.periods import WRITER
from tidemark.ingest import Ingest
from tidemark.scoring import RulesOnly
from tidemark.store import Store as Shop
from tidemark.writer import Clock

ZONE = "Asia/Kolkata"  # its hours begin at half past those of UTC
SALES = 24
PLACES = (0, 1, 29, 30, 31, 870, 871, 2_000)  # minutes: of several hours, two days, and the last beyond a month's end
LATEST = 60 * 24 * 40
Found = dict[str, list[Measures]]
"""Of each product line what was counted, as often as it was."""


def row(number: int) -> dict[str, Any]:
    place = PLACES[number % len(PLACES)]
    return of_own_line(number, place if place < 2_000 else LATEST)


BEGIN = 25_780_920  # the UTC minute of minute(0)


def patient(steps: int = 400) -> Clock:
    left = iter(range(steps))
    return Clock(now_ms=lambda: 0, sleep=lambda seconds: None, remaining=lambda: float(steps - next(left, steps)))


class World:
    """A store, those who work at it, and what they found."""

    def __init__(self) -> None:
        self.processes = Processes()
        self.store = Store(self.processes)
        self.counters = Counters(self.store, self.store, ZONE)
        self.writers = [self.environment() for _ in range(3)]
        self.count = 0
        self.posted: list[int] = []
        self.reads = 0

    def environment(self) -> Ingest:
        return Ingest(Shop(), RulesOnly(), self.store, LossyStream(), PSEUDONYMS)

    def begin(self, kind: str, work: Callable[[], object]) -> None:
        self.count += 1
        self.processes.begin(f"{kind} {self.count}", work)

    def sell(self, writer: int, first: int, many: int) -> None:
        """Some of the sales; one that was sent is sent again now and then."""
        numbers = [(first + n) % SALES for n in range(many)]
        name = f"writer {writer}"
        if name not in self.processes.going:  # an environment does one thing at a time
            self.posted += numbers
            self.processes.begin(name, lambda: post(self.writers[writer], [row(n) for n in numbers]))

    def compact(self) -> None:
        self.begin("compactor", lambda: Compactor(self.store, self.store, ZONE).run(patient(), before=1))

    def read(self, choice: int) -> None:
        """One of the ways of reading, of all time or of a part."""
        ways: list[Callable[[], None]] = [
            lambda: self._count(None, None, 0),
            lambda: self._count(BEGIN, BEGIN + 31, 0),
            lambda: self._count(BEGIN + 1, BEGIN + 3_000, 0),
            lambda: self._count(None, BEGIN + 30, 0),
            lambda: self._count(None, BEGIN + 870, 1),
            lambda: self._count(BEGIN + 30, None, 2),
            lambda: self._count(None, None, 3),
            lambda: self._cells(lambda: self.counters.by_hour()),
            lambda: self._cells(lambda: self.counters.by_hour(BEGIN + 800)),
            self._snapshot,
            self._snapshot,
        ]
        self.begin("reader", ways[choice % len(ways)])

    def _count(self, since: int | None, until: int | None, coarsest: int) -> None:
        before = set(self.store.completed)
        plan = Plan(ZONE, since, until, TIERS[: len(TIERS) - coarsest])
        try:
            counted = self.counters.count(plan)
        except Unavailable:
            return
        found: Found = {}
        for period in counted.periods:
            for combo, portion in period.content().portions.items():
                found.setdefault(combo.product_line, []).append(portion.measures)
        _add(found, counted.cells)
        self._check(found, before, since, until)

    def _cells(self, read: Callable[[], Iterable[Cell]]) -> None:
        before = set(self.store.completed)
        try:
            found = _add({}, read())
        except Unavailable:
            return
        self._check(found, before, None, None)

    def _snapshot(self) -> None:
        """As a client of the API pages through it."""
        before = set(self.store.completed)
        shown: list[Shown] = []
        cursor = None
        while True:
            try:
                page = self.counters.page(limit=2, cursor=cursor)
            except Unavailable:
                return
            shown += page.cells
            cursor = page.cursor
            if cursor is None:
                break
        hours = {(s.cell.key.minute, s.cell.key.branch): s.cell.version for s in shown if s.cell.key.writer == WRITER}
        kept = [
            s.cell for s in shown
            if s.within is None or hours.get((s.within[0], s.cell.key.branch), 0) < s.within[1]
        ]  # fmt: skip
        self._check(_add({}, kept), before, None, None)

    def _check(self, found: Found, before: set[str], since: int | None, until: int | None) -> None:
        self.reads += 1
        for number in range(SALES):
            counted = found.pop(f"line {number}", [])
            held = self.store.items.get(("sale", f"sale-{number}"))
            at = held[0].entry.minute if held else 0
            inside = held is not None and (since is None or at >= since) and (until is None or at < until)
            assert len(counted) <= inside, f"sale {number} is counted {len(counted)} times"
            assert counted or not inside or f"sale-{number}" not in before, f"sale {number} is not counted"
            assert all(held and values == held[0].entry.measures() for values in counted)
        assert not found

    def act(self, byte: int, operand: int) -> None:
        """What a number means."""
        going = list(self.processes.going)
        if byte < 16:
            self.sell(operand % 3, operand // 3, 1 + operand % 5)
        elif byte < 24:
            if sum(name.startswith("compactor") for name in going) < 2:
                self.compact()
        elif byte < 36:
            self.read(operand)
        elif byte < 42:
            self.store.faults.append(list(Fault)[operand % len(Fault)])
        elif byte < 45:
            mortal = [name for name in going if name.startswith("compactor")]
            if mortal:
                self.processes.kill(mortal[operand % len(mortal)])
        elif byte < 60:
            if going:
                self.processes.finish(going[operand % len(going)])
        elif going:
            name = going[byte % len(going)]
            for _ in range(1 + operand % 16):
                if name in self.processes.going:
                    self.processes.step(name)
        assert not self.processes.failed, self.processes.failed

    def end(self) -> None:
        """All go on to their ends, in the store nothing fails any more, and everything is moved."""
        self.processes.finish()
        self.store.faults = []
        last = self.environment()
        for start in range(0, SALES, 8):
            assert post(last, [row(n) for n in range(start, start + 8)])
        for _ in range(2):  # the second sweeps what the first settled for one that was killed
            done = Compactor(self.store, self.store, ZONE).run(patient(100_000), before=1)
            assert done.done
        assert not [key for key in self.store.items if key[0] == "cell"]
        assert not [head for head in self.store.heads().values() if head.pending]
        for choice in range(10):
            self.read(choice)
        self.processes.finish()
        assert not self.processes.failed, self.processes.failed
        assert audit(self.store, self.counters, self.store).differences == []
        assert Counter(counted.entry.invoice_id for counted in self.store.scan()) == Counter(
            f"sale-{n}" for n in range(SALES)
        )


def _add(found: Found, cells: Iterable[Cell]) -> Found:
    for cell in cells:
        for combo, values in cell.combos.items():
            found.setdefault(combo.product_line, []).append(values)
    return found


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(st.integers(0, 255), st.integers(0, 255)), min_size=20, max_size=250))
def test_every_read_is_the_ledger(schedule: list[tuple[int, int]]) -> None:
    world = World()
    for first in (0, 7, 14):
        world.sell(first % 3, first, 5)
    world.processes.finish()
    for byte, operand in schedule:
        world.act(byte, operand)
    world.end()


def halfway(kind: str) -> World:
    """A world in which the first move's claim, or its settling, is seen at its head and nowhere else."""
    world = World()
    world.sell(0, 0, 5)
    world.processes.finish()
    world.compact()
    for _ in range(10_000):
        head = world.store.items.get(("head", "A"))
        if head is not None and bool(head.pending) == (kind == "claimed"):
            break
        for name in list(world.processes.going):
            if name in world.processes.going:
                world.processes.step(name)
            head = world.store.items.get(("head", "A"))
            if head is not None and bool(head.pending) == (kind == "claimed"):
                break
    cells = [cell for key, cell in world.store.items.items() if key[0] == "cell" and cell.key.branch == "A"]
    periods = [key for key in world.store.items if key[0].startswith("period") and key[1].branch == "A"]  # type: ignore[attr-defined]
    assert head is not None
    assert not periods
    assert all(bool(cell.moved) == (kind == "settled") for cell in cells if cell.key in head.pending)
    return world


def others_alone(world: World) -> None:
    """Another compactor goes on, then a reader, while what is halfway stands still."""
    still = set(world.processes.going)
    for begin in (world.compact, lambda: world.read(0)):
        begin()
        for _ in range(3_000):
            for name in [name for name in world.processes.going if name not in still]:
                world.processes.step(name)
    assert not world.processes.failed, world.processes.failed
    assert world.reads == 1


def test_nothing_is_settled_before_all_of_the_claim_is_seen() -> None:
    world = halfway("claimed")
    others_alone(world)
    world.end()


def test_nothing_is_swept_before_all_of_the_settling_is_seen() -> None:
    world = halfway("settled")
    others_alone(world)
    world.end()
