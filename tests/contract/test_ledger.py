"""One contract, two ledgers: what the tests' ledger in memory promises, DynamoDB on the emulator keeps."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from tests.cloud import Cloud
from tests.contract.tables import clone_table
from tests.samples import body, minute, sale
from tidemark import sale as sales
from tidemark.adapters.dynamodb import DynamoCells, DynamoLedger
from tidemark.adapters.memory import MemoryLedger
from tidemark.cells import Cell, CellKey
from tidemark.errors import BadRequest, NotFound
from tidemark.ingest import Examined, candidates_of, examine
from tidemark.ledger import Attempt, Cancelled, Counted
from tidemark.local import stores
from tidemark.ports import Cells, Conflict, Ledger
from tidemark.privacy.personal import blank_entry
from tidemark.sale import Sale
from tidemark.scoring import RulesOnly
from tidemark.settings import TableSettings
from tidemark.store import Store

Pair = tuple[Ledger, Cells]


@pytest.fixture(params=["memory", "ministack"])
def pair(request: pytest.FixtureRequest) -> Iterator[Pair]:
    if request.param == "memory":
        ledger = MemoryLedger()
        yield ledger, ledger
        return
    cloud: Cloud = request.getfixturevalue("cloud")
    outputs = stores.running(cloud.home)
    dynamodb = stores.client(cloud.home, "dynamodb")
    names = {
        part: clone_table(dynamodb, outputs[output], f"{part}-{abs(hash(request.node.name))}")
        for part, output in {
            "ledger_table": "LedgerTable",
            "cells_table": "CellsTable",
            "quarantine_table": "QuarantineTable",
        }.items()
    }
    settings = TableSettings(**names)
    yield DynamoLedger(dynamodb, settings), DynamoCells(dynamodb, settings)
    for name in names.values():
        dynamodb.delete_table(TableName=name)


def attempt(*rows: dict[str, Any], version: int = 1, writer: str = "w") -> Attempt:
    """One transaction as a writer would make it, all cells at one version."""
    examined = examine(body(*rows), Store(), RulesOnly())
    assert isinstance(examined, Examined)
    candidates = list(candidates_of(examined, 0))
    cells = {c.place: Cell(CellKey(*c.place, writer), version, 5, {c.combo: c.measures}) for c in candidates}
    return Attempt(
        secrets.token_hex(16), [Counted(c.entry, c.digest, writer, version) for c in candidates], list(cells.values())
    )


def refused(call: Callable[[], object]) -> Cancelled:
    with pytest.raises(Cancelled) as refusal:
        call()
    return refusal.value


def test_what_was_committed_is_there(pair: Pair) -> None:
    ledger, cells = pair
    made = attempt(sale("a"), sale("b", branch="B", customer_id="c#1"))
    ledger.commit(made)
    assert ledger.get("a") == made.sales[0]
    assert ledger.get("none") is None
    assert sorted(c.entry.invoice_id for c in ledger.scan()) == ["a", "b"]
    assert {cell.key: cell for cell in cells.read()} == {cell.key: cell for cell in made.cells}


def test_a_sale_is_blanked_and_all_else_of_it_stays(pair: Pair) -> None:
    ledger, _ = pair
    made = attempt(sale("a", customer_id="c-1", gender="Female"), sale("b", customer_id="c-1"))
    ledger.commit(made)
    for _ in range(2):
        ledger.blank(made.sales[0].entry)
        assert ledger.get("a") == replace(made.sales[0], entry=blank_entry(made.sales[0].entry))
    assert ledger.get("b") == made.sales[1]
    with pytest.raises(NotFound):
        ledger.blank(replace(made.sales[0].entry, invoice_id="none"))
    assert ledger.get("none") is None
    again = refused(lambda: ledger.commit(attempt(sale("a", customer_id="c-1", gender="Female"), writer="v")))
    assert again.present == {"a": (made.sales[0].digest, made.token)}, "it is known still"


def test_a_sale_that_is_there_refuses_the_whole_attempt(pair: Pair) -> None:
    ledger, cells = pair
    first = attempt(sale("a"))
    ledger.commit(first)
    found = refused(lambda: ledger.commit(attempt(sale("new"), sale("a", quantity=1), writer="v")))
    assert found.present == {"a": (first.sales[0].digest, first.token)}
    assert not found.moved
    assert ledger.get("new") is None
    assert len(list(cells.read())) == 1


def test_a_cell_moves_only_from_the_version_before(pair: Pair) -> None:
    ledger, cells = pair
    ledger.commit(attempt(sale("a"), version=1))
    ledger.commit(attempt(sale("b"), version=2))
    for version in (1, 2, 4):
        assert refused(lambda v=version: ledger.commit(attempt(sale("c"), version=v))).moved  # type: ignore[misc]
    assert [cell.version for cell in cells.read()] == [2]
    assert ledger.get("c") is None


@pytest.mark.parametrize("hours", [1, 100])
def test_cells_are_read_by_range(pair: Pair, hours: int) -> None:
    ledger, cells = pair
    made = attempt(*(sale(f"s{n}", sold_at=minute(n * 30)) for n in range(8)))
    ledger.commit(made)
    start = made.cells[0].key.minute
    found = {cell.key.minute - start for cell in cells.read(start + 30, start + 30 + hours * 60)}
    assert found == {n * 30 for n in range(1, 8) if n * 30 < 30 + hours * 60}


@pytest.mark.parametrize("limit", [1, 3, 100])
def test_all_cells_come_in_pages(pair: Pair, limit: int) -> None:
    ledger, cells = pair
    made = attempt(*(sale(f"s{n}", sold_at=minute(n * 100), branch="A#|B") for n in range(7)))
    ledger.commit(made)
    found: list[Cell] = []
    cursor = None
    while True:
        page = cells.page(limit=limit, cursor=cursor)
        found += page.cells
        cursor = page.cursor
        if cursor is None:
            break
    assert sorted(found, key=lambda c: c.key) == sorted(made.cells, key=lambda c: c.key)


def test_a_branch_s_sales_come_in_pages_in_the_order_of_time(pair: Pair) -> None:
    ledger, _ = pair
    rows = [sale(f"s{n}", sold_at=minute((n * 7) % 20 * 400)) for n in range(20)]
    made = attempt(*rows, sale("other", branch="B", sold_at=minute(400)))
    ledger.commit(made)
    entries = [c.entry for c in made.sales if c.entry.branch == "A"]
    since, until = min(e.minute for e in entries), max(e.minute for e in entries)
    expected = sorted((e for e in entries if since <= e.minute < until), key=lambda e: (e.minute, e.invoice_id))
    found, cursor = [], None
    while True:
        page = ledger.sales("A", since, until, limit=3, cursor=cursor)
        assert len(page.sales) <= 3
        found += page.sales
        cursor = page.cursor
        if cursor is None:
            break
    assert found == expected


def test_a_conflict_is_kept_once(pair: Pair) -> None:
    ledger, _ = pair
    (sold,) = sales.decode(body(sale("a")))
    assert isinstance(sold, Sale)
    conflicts = [Conflict(sold, "one", "held", 1), Conflict(sold, "two", "held", 2)]
    ledger.quarantine(conflicts * 30)
    assert sorted(ledger.quarantined(), key=lambda c: c.digest) == conflicts


def test_what_conflicts_with_a_sale_is_told_in_the_order_it_came(pair: Pair) -> None:
    ledger, _ = pair
    contents = {("a", "z"): 1, ("a", "y"): 3, ("a", "x"): 2, ("b", "w"): 4}
    made = {}
    for (invoice_id, digest), received_at in contents.items():
        (sold,) = sales.decode(body(sale(invoice_id, quantity=received_at)))
        assert isinstance(sold, Sale)
        made[digest] = Conflict(sold, digest, "held", received_at)
    ledger.quarantine(list(made.values()))
    assert ledger.conflicts("a", limit=10) == [made["z"], made["x"], made["y"]]
    assert ledger.conflicts("b", limit=10) == [made["w"]]
    assert ledger.conflicts("none", limit=10) == []
    assert len(ledger.conflicts("a", limit=2)) == 2


def test_a_made_up_cursor_is_refused(cloud: Cloud) -> None:
    ledger, _ = stores.open_stores(cloud.home)
    with pytest.raises(BadRequest, match="cursor"):
        ledger.sales("A", 0, 10, limit=1, cursor="made up")
