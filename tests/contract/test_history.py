"""One contract, two histories: what the tests' history in memory promises, DynamoDB on the emulator keeps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import pytest

from tests.cloud import Cloud
from tests.contract.tables import clone_table
from tests.contract.test_ledger import attempt, refused
from tests.samples import minute, sale
from tidemark.adapters.dynamodb import DynamoCells, DynamoLedger
from tidemark.adapters.dynamodb_history import DynamoHistory
from tidemark.adapters.memory import MemoryLedger
from tidemark.adapters.memory_history import MemoryHistory
from tidemark.cells import Cell
from tidemark.history.calendar import FAR_AHEAD, LONG_AGO, TIERS, Range
from tidemark.history.compaction import Compactor
from tidemark.history.counters import Counters
from tidemark.history.periods import Head, Period, fold
from tidemark.ledger import Cancelled
from tidemark.local import stores
from tidemark.ports import Cells, History, Ledger
from tidemark.settings import HistorySettings, TableSettings
from tidemark.writer import Clock

ZONE = "Asia/Kolkata"
Trio = tuple[Ledger, Cells, History]


@pytest.fixture(params=["memory", "ministack"])
def trio(request: pytest.FixtureRequest) -> Iterator[Trio]:
    if request.param == "memory":
        ledger = MemoryLedger()
        yield ledger, ledger, MemoryHistory(ledger)
        return
    cloud: Cloud = request.getfixturevalue("cloud")
    outputs = stores.running(cloud.home)
    dynamodb = stores.client(cloud.home, "dynamodb", attempts=1)
    names = {
        part: clone_table(dynamodb, outputs[output], f"{part}-{abs(hash(request.node.name))}")
        for part, output in {
            "ledger_table": "LedgerTable",
            "cells_table": "CellsTable",
            "quarantine_table": "QuarantineTable",
            "history_table": "HistoryTable",
        }.items()
    }
    found = HistorySettings(cells_table=names["cells_table"], history_table=names["history_table"])
    tables = TableSettings(**{name: table for name, table in names.items() if name != "history_table"})
    yield DynamoLedger(dynamodb, tables), DynamoCells(dynamodb, found), DynamoHistory(dynamodb, found)
    for name in names.values():
        dynamodb.delete_table(TableName=name)


def counted(ledger: Ledger, *numbers: int, writer: str = "w") -> list[Cell]:
    """The cells of sales at some minutes in branch `A#1`, once they are committed."""
    made = attempt(*(sale(f"{writer}{n}", sold_at=minute(n), branch="A#1") for n in numbers), writer=writer)
    ledger.commit(made)
    return sorted(made.cells, key=lambda cell: cell.key)


def claimed(history: History, cells: list[Cell], before: Head | None = None) -> Head:
    head = Head("A#1", before.move + 1 if before else 1, ZONE, tuple(cell.key for cell in cells))
    history.claim(head, before, cells)
    return head


def settled(history: History, head: Head, cells: list[Cell]) -> list[Period]:
    before = history.get_periods([period.key for period in fold(ZONE, 0, cells, {})])
    periods = fold(ZONE, head.move, cells, before)
    history.settle(head, periods, before)
    return periods


def test_claimed_cells_are_marked_and_their_writer_goes_on_elsewhere(trio: Trio) -> None:
    ledger, cells, history = trio
    made = counted(ledger, 0, 1)
    head = claimed(history, made[:1])
    assert history.head("A#1") == head
    assert history.heads() == {"A#1": head}
    now = {cell.key: cell for cell in cells.read()}
    assert now[made[0].key] == Cell(made[0].key, 2, made[0].written_at, made[0].combos, moved=1)
    assert now[made[1].key] == made[1]
    assert cells.get_cells([made[0].key, made[1].key._replace(writer="none")]) == [now[made[0].key]]
    for version in (1, 2):
        late = attempt(sale("late", sold_at=minute(0), branch="A#1"), version=version)
        assert refused(partial(ledger.commit, late)).moved
    assert ledger.get("late") is None


def test_a_claim_holds_only_at_the_head_and_the_versions_that_were_read(trio: Trio) -> None:
    ledger, cells, history = trio
    made = counted(ledger, 0, 1)
    ledger.commit(attempt(sale("more", sold_at=minute(0), branch="A#1"), version=2))
    assert refused(lambda: claimed(history, made)).moved
    assert history.heads() == {}
    head = claimed(history, made[1:])
    now = [cell for cell in cells.read() if not cell.moved]
    for before in (None, Head("A#1", 0, ZONE), head.settled()):
        assert refused(partial(claimed, history, now, before)).moved
    assert history.head("A#1") == head


def test_periods_are_put_once_from_the_state_before(trio: Trio) -> None:
    ledger, _, history = trio
    made = counted(ledger, 0, 1)
    head = claimed(history, made[:1])
    periods = settled(history, head, made[:1])
    assert history.head("A#1") == head.settled()
    assert refused(lambda: settled(history, head, made[:1])).moved
    head = claimed(history, made[1:], head.settled())
    stale = fold(ZONE, head.move, made[1:], {})
    assert refused(lambda: history.settle(head, stale, {})).moved
    assert history.get_periods([period.key for period in periods]) == {period.key: period for period in periods}
    settled(history, head, made[1:])
    (month,) = history.periods("A#1", Range("month", LONG_AGO, FAR_AHEAD))
    assert month.move == 2
    assert [portion.measures[0] for portion in month.content().portions.values()] == [2]


def test_periods_come_in_the_order_of_time(trio: Trio) -> None:
    ledger, _, history = trio
    made = counted(ledger, 0, 29, 30, 5_000)
    head = claimed(history, made)
    periods = settled(history, head, made)
    for tier in TIERS:
        expected = sorted((p for p in periods if p.key.tier == tier), key=lambda period: period.key)
        assert list(history.periods("A#1", Range(tier, LONG_AGO, FAR_AHEAD))) == expected
        last = expected[-1].key.start
        assert list(history.periods("A#1", Range(tier, LONG_AGO, last))) == expected[:-1]
        assert list(history.periods("A#1", Range(tier, last, last + 1))) == expected[-1:]
    assert list(history.periods("A", Range("day", LONG_AGO, FAR_AHEAD))) == []


def test_sweeps_are_counted_and_delete_what_is_named(trio: Trio) -> None:
    ledger, cells, history = trio
    made = [*counted(ledger, *range(30)), *counted(ledger, *range(30), writer="v")]
    assert history.sweeps() == 0
    history.add_sweep()
    history.add_sweep()
    assert history.sweeps() == 2
    gone = [cell.key for cell in made[:55]]
    history.sweep(gone)
    history.sweep(gone)
    assert sorted(cell.key for cell in cells.read()) == [cell.key for cell in made[55:]]


@pytest.mark.parametrize("ranges", [(0, 30), (10, 9_000)])
def test_everything_is_moved_and_reads_the_same(trio: Trio, ranges: tuple[int, int]) -> None:
    ledger, cells, history = trio
    for writer in ("v", "w", "x"):
        counted(ledger, *range(40), writer=writer)
    counted(ledger, *range(4_000, 4_030), writer="y")
    begin = min(cell.key.minute for cell in cells.read())
    since, until = begin + ranges[0], begin + ranges[1]
    counters = Counters(cells, history, ZONE)
    reads: list[Callable[[], Iterator[Cell]]] = [
        lambda: counters.read(since, until),
        counters.by_hour,
        lambda: (shown.cell for shown in counters.page(limit=1_000).cells),
    ]
    before = [tickets(read()) for read in reads]
    now = Clock(lambda: 0, lambda seconds: None, lambda: 60.0)
    assert Compactor(cells, history, ZONE).run(now, before=5).moved == 0, "they were written at 5"
    done = Compactor(cells, history, ZONE).run(now, before=6)
    assert (done.moved, done.swept, done.done) == (150, 150, True)
    assert list(cells.read()) == []
    assert [tickets(read()) for read in reads] == before


def tickets(found: Iterator[Cell]) -> int:
    return sum(values[0] for cell in found for values in cell.combos.values())


def test_who_refused_says_whether_it_may_be_tried_again(trio: Trio) -> None:
    ledger, _, history = trio
    made = counted(ledger, 0)
    claimed(history, made)
    refusal = refused(lambda: claimed(history, made))
    assert isinstance(refusal, Cancelled)
    assert not refusal.busy
