"""A ledger that fails in every way DynamoDB may, and the environments that write to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import Enum

from tests.samples import PSEUDONYMS, body
from tidemark import audit
from tidemark.adapters.memory import MemoryLedger
from tidemark.adapters.memory_history import MemoryHistory
from tidemark.cells import Cell, CellKey
from tidemark.errors import Unavailable
from tidemark.history.counters import Counters
from tidemark.ingest import Ingest, Result
from tidemark.ledger import Attempt, Cancelled, Entry, InDoubt
from tidemark.ports import Ledger, LiveStream
from tidemark.scoring import RulesOnly
from tidemark.store import Store
from tidemark.writer import Clock


class Fault(Enum):
    """What happens to one attempt."""

    NONE = "it works"
    CONFLICT = "TransactionConflict: another transaction holds an item"
    LOST_ANSWER = "it lands, its answer is lost"
    LOST_REQUEST = "it never lands, nobody says so"
    LATE = "nobody answers, and it lands some time later"
    FREEZE = "the environment freezes before it is sent, others go on, it thaws"


class FaultyLedger(MemoryLedger):
    """Takes one fault for each attempt from `faults`, none when they are used up."""

    def __init__(self) -> None:
        super().__init__()
        self.faults: list[Fault] = []
        self.late: list[Attempt] = []
        self.while_frozen: Callable[[], None] = lambda: None

    def commit(self, attempt: Attempt) -> None:
        fault = self.faults.pop(0) if self.faults else Fault.NONE
        if fault is Fault.CONFLICT:
            raise Cancelled({}, busy=True)
        if fault is Fault.LOST_REQUEST:
            raise InDoubt
        if fault is Fault.LATE:
            self.late.append(attempt)
            raise InDoubt
        if fault is Fault.FREEZE:
            self.while_frozen()
        try:
            super().commit(attempt)
        except Cancelled:
            if fault is Fault.LOST_ANSWER:
                raise InDoubt from None
            raise
        if fault is Fault.LOST_ANSWER:
            raise InDoubt

    def land_late(self, number: int) -> None:
        """An old request arrives at last; nobody listens to its answer."""
        attempt = self.late.pop(number % len(self.late))
        try:
            super().commit(attempt)
        except Cancelled:
            return


class LossyStream(LiveStream):
    """What was published, in the order and as often as the test says; some of it never."""

    def __init__(self) -> None:
        self.sent: list[list[Cell]] = []
        self.broken = False

    def publish(
        self, cells: Iterable[Cell], anomalies: Iterable[Entry], *, request: str = "", committed_at: int = 0
    ) -> None:
        if self.broken:
            raise Unavailable("the live stream does not answer")
        self.sent.append(list(cells))


class Watcher:
    """A page: merges whatever it is told by version."""

    def __init__(self) -> None:
        self.seen: dict[CellKey, Cell] = {}

    def told(self, cells: Iterable[Cell]) -> None:
        """Keep the newer state of each cell; equal versions must be equal values."""
        for cell in cells:
            held = self.seen.get(cell.key)
            if held is not None and held.version == cell.version:
                assert held.combos == cell.combos, f"two values of {cell.key} at version {cell.version}"
            if held is None or held.version < cell.version:
                self.seen[cell.key] = cell


class Deadline(Exception):
    """The environment's time was up."""


def clock(attempts: int = 12) -> Clock:
    """A clock without real time; its deadline comes after so many looks."""
    looks = iter(range(attempts))
    return Clock(
        now_ms=lambda: 0, sleep=lambda seconds: None, remaining=lambda: 1.0 if next(looks, None) is not None else 0.0
    )


def post(ingest: Ingest, rows: list[dict[str, object]]) -> list[Result] | None:
    """The results of a POST, None where the ledger did not answer in time."""
    try:
        return ingest.post(body(*rows), clock()).answer.results
    except Unavailable:
        return None


def audited(ledger: Ledger, cells: MemoryLedger, history: MemoryHistory | None = None) -> list[str]:
    """What an audit finds wrong; without `history` there is none."""
    history = history or MemoryHistory(cells)
    return audit.audit(ledger, Counters(cells, history, "UTC"), history).differences


def environment(ledger: FaultyLedger, stream: LossyStream) -> Ingest:
    """A new Lambda environment, with a writer of its own."""
    return Ingest(Store(), RulesOnly(), ledger, stream, PSEUDONYMS)
