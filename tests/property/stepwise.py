"""A store whose every item is read and written in a step of its own, and processes that a test lets go step by step.

A transaction first locks its items and checks its conditions; then each item changes for all to see by itself, one
after another. That is what DynamoDB promises whoever reads beside a transaction, and no more (AWS, transactions;
Idziorek et al., Distributed Transactions at Scale in Amazon DynamoDB, USENIX ATC 2023).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from enum import Enum
from typing import Any, TypeVar

from greenlet import getcurrent, greenlet

from tidemark.adapters.memory_history import marked
from tidemark.cells import Cell, CellKey
from tidemark.history.calendar import PeriodKey, Range
from tidemark.history.periods import Head, Period
from tidemark.ledger import Attempt, Cancelled, Counted, Entry, InDoubt
from tidemark.ports import Cells, CellsPage, Conflict, History, Ledger, SalesPage

Key = tuple[str, Hashable]
Write = tuple[Key, object]
"""A key, and what is there from then on; None deletes it."""
T = TypeVar("T")


class Fault(Enum):
    """What happens to one transaction."""

    NONE = "it works"
    CONFLICT = "TransactionConflict, though nothing changed"
    LOST_ANSWER = "it lands, its answer is lost"
    LOST_REQUEST = "it never lands, nobody says so"
    LATE = "nobody answers, and it lands some time later, if its conditions hold by then"


class Processes:
    """Processes of which one at a time goes a step on."""

    def __init__(self) -> None:
        self._main = getcurrent()
        self.going: dict[str, greenlet] = {}
        self.failed: list[BaseException] = []

    def begin(self, name: str, work: Callable[[], object]) -> None:
        """One more process; it stands before its first step."""

        def run() -> None:
            try:
                work()
            except Exception as error:  # noqa: BLE001  # told to the test
                self.failed.append(error)

        self.going[name] = greenlet(run, self._main)

    def step(self, name: str) -> None:
        """Let one go on until its next step."""
        process = self.going[name]
        process.switch()
        if process.dead:
            del self.going[name]

    def kill(self, name: str) -> None:
        """End one where it stands."""
        self.going.pop(name).throw()

    def finish(self, *names: str) -> None:
        """Let some, or all, go on to their ends, in turn."""
        while any(name in self.going for name in names or list(self.going)):
            for name in list(self.going):
                if name in self.going and (not names or name in names or name.startswith("transaction")):
                    self.step(name)

    def pause(self) -> None:
        """Called in a process: others may go on."""
        if getcurrent() is not self._main:
            self._main.switch()


class Store(Ledger, Cells, History):
    """Sales, cells and history, item by item."""

    def __init__(self, processes: Processes) -> None:
        self._processes = processes
        self.items: dict[Key, Any] = {}
        self.locked: set[Key] = set()
        self.faults: list[Fault] = []
        self._transactions = 0
        self.completed: set[str] = set()
        """The sales whose transactions are over, all items of them for all to see."""

    # -- reading, item by item

    def _get(self, key: Key) -> Any:
        self._processes.pause()
        return self.items.get(key)

    def _all(self, kind: str) -> Iterator[Any]:
        """What is there of a kind, each item as it is when it is reached; one that came after the first may be seen."""
        self._processes.pause()
        last: Any = None
        while ahead := [key for key in self.items if key[0] == kind and (last is None or key > last)]:
            last = min(ahead)  # all keys of a kind are alike
            yield self.items[last]
            self._processes.pause()

    # -- transactions

    def _transact(
        self, conditions: Callable[[], Cancelled | None], writes: Sequence[Write], sales: Iterable[str] = ()
    ) -> None:
        self._processes.pause()
        fault = self.faults.pop(0) if self.faults else Fault.NONE
        if fault is Fault.CONFLICT:
            raise Cancelled({}, busy=True)
        if fault is Fault.LOST_REQUEST:
            raise InDoubt
        ended: list[Cancelled | None] = []
        self._transactions += 1

        def work() -> None:
            ended.append(self._carry_out(conditions, writes))
            if ended[0] is None:
                self.completed.update(sales)

        if getcurrent() is self._processes._main:  # nobody else is at work
            work()
        else:
            name = f"transaction {self._transactions}"
            self._processes.begin(name, work)
            while not ended and fault is not Fault.LATE:
                self._processes.pause()
        if fault in (Fault.LATE, Fault.LOST_ANSWER):
            raise InDoubt
        if ended[0] is not None:
            raise ended[0]

    def _carry_out(self, conditions: Callable[[], Cancelled | None], writes: Sequence[Write]) -> Cancelled | None:
        keys = {key for key, _ in writes}
        assert len(keys) == len(writes) <= 100, "DynamoDB takes 100 items, each once"
        if keys & self.locked:
            return Cancelled({}, busy=True)
        refusal = conditions()
        if refusal is not None:
            return refusal
        self.locked |= keys
        for key, value in writes:
            self._processes.pause()
            self._write(key, value)
            self.locked.discard(key)
        return None

    def _write(self, key: Key, value: object) -> None:
        if value is None:
            self.items.pop(key, None)
        else:
            self.items[key] = value

    # -- the ledger

    def commit(self, attempt: Attempt) -> None:
        def conditions() -> Cancelled | None:
            present = {
                c.entry.invoice_id: (held[0].digest, held[1])
                for c in attempt.sales
                if (held := self.items.get(("sale", c.entry.invoice_id)))
            }
            versions = ((self._version(cell.key), cell.version - 1) for cell in attempt.cells)
            moved = any(held != before for held, before in versions)
            return Cancelled(present, moved=moved) if present or moved else None

        writes: list[Write] = [(("sale", c.entry.invoice_id), (c, attempt.token)) for c in attempt.sales]
        writes += [(("cell", cell.key), cell) for cell in attempt.cells]
        self._transact(conditions, writes, [c.entry.invoice_id for c in attempt.sales])

    def _version(self, key: CellKey) -> int:
        held = self.items.get(("cell", key))
        return held.version if held else 0

    def blank(self, entry: Entry) -> None:
        raise AssertionError("no test blanks a sale")

    def quarantine(self, conflicts: Sequence[Conflict]) -> None:
        raise AssertionError("no test posts conflicts")

    def quarantined(self) -> Iterator[Conflict]:
        return iter(())

    def conflicts(self, invoice_id: str, *, limit: int) -> list[Conflict]:
        return []

    def get(self, invoice_id: str) -> Counted | None:
        held = self._get(("sale", invoice_id))
        return held[0] if held else None

    def sales(self, branch: str, since: int, until: int, *, limit: int, cursor: str | None = None) -> SalesPage:
        raise AssertionError("no test asks for it")

    def scan(self) -> Iterator[Counted]:
        return (counted for counted, _ in self._all("sale"))

    # -- the cells

    def page(self, *, limit: int, cursor: str | None = None) -> CellsPage:
        """Two at a time: a page ends where others may go on."""
        keys = {repr(key): key for kind, key in self.items if kind == "cell"}
        ahead = sorted(text for text in keys if cursor is None or text > cursor)
        cells = [cell for text in ahead[:2] if (cell := self._get(("cell", keys[text])))]
        return CellsPage(cells, ahead[1] if len(ahead) > 2 else None)

    def read(self, since: int | None = None, until: int | None = None) -> Iterator[Cell]:
        return (
            cell
            for cell in self._all("cell")
            if (since is None or cell.key.minute >= since) and (until is None or cell.key.minute < until)
        )

    def get_cells(self, keys: Iterable[CellKey]) -> list[Cell]:
        return [cell for key in keys if (cell := self._get(("cell", key)))]

    # -- the history

    def heads(self) -> dict[str, Head]:
        return {head.branch: head for head in self._all("head")}

    def head(self, branch: str) -> Head | None:
        held: Head | None = self._get(("head", branch))
        return held

    def periods(self, branch: str, found: Range) -> Iterator[Period]:
        return (
            period
            for period in self._all(f"period {found.tier}")
            if period.key.branch == branch and found.first <= period.key.start < found.last
        )

    def get_periods(self, keys: Iterable[PeriodKey]) -> dict[PeriodKey, Period]:
        return {key: held for key in sorted(keys) if (held := self._get((f"period {key.tier}", key)))}

    def claim(self, head: Head, before: Head | None, cells: Sequence[Cell]) -> None:
        def conditions() -> Cancelled | None:
            same = all(self._version(cell.key) == cell.version for cell in cells)
            return None if same and self._step(head.branch) == _step(before) else Cancelled({}, moved=True)

        writes: list[Write] = [(("head", head.branch), head)]
        writes += [(("cell", cell.key), marked(cell, head.move)) for cell in cells]
        self._transact(conditions, writes)

    def settle(self, head: Head, periods: Sequence[Period], before: Mapping[PeriodKey, Period]) -> None:
        def conditions() -> Cancelled | None:
            held = [self.items.get((f"period {period.key.tier}", period.key)) for period in periods]
            same = all(_move(at) == _move(before.get(p.key)) for at, p in zip(held, periods, strict=True))
            return None if same and self._step(head.branch) == head.step else Cancelled({}, moved=True)

        writes: list[Write] = [(("head", head.branch), head.settled())]
        writes += [((f"period {period.key.tier}", period.key), period) for period in periods]
        self._transact(conditions, writes)

    def _step(self, branch: str) -> int:
        return _step(self.items.get(("head", branch)))

    def sweeps(self) -> int:
        return int(self._get(("sweeps", "")) or 0)

    def add_sweep(self) -> None:
        self._processes.pause()
        self.items["sweeps", ""] = self.items.get(("sweeps", ""), 0) + 1
        self._processes.pause()
        if self.faults and self.faults.pop(0) is Fault.LOST_ANSWER:
            raise InDoubt

    def sweep(self, keys: Sequence[CellKey]) -> None:
        for key in keys:
            self._processes.pause()
            self._write(("cell", key), None)


def _step(head: Head | None) -> int:
    return head.step if head else 0


def _move(period: Period | None) -> int:
    return period.move if period else 0
