from __future__ import annotations

import msgspec

from tests.property.faulty_ledger import FaultyLedger, LossyStream, audited, environment, post
from tests.samples import sale
from tidemark.cells import Cell


def filled() -> FaultyLedger:
    ledger = FaultyLedger()
    assert post(environment(ledger, LossyStream()), [sale("a"), sale("b", branch="B")])
    return ledger


def test_a_counter_that_is_off_by_one_is_found_and_named() -> None:
    ledger = filled()
    key = next(key for key in ledger.cells if key.branch == "A")
    cell = ledger.cells[key]
    combos = {combo: (values[0] + 1, *values[1:]) for combo, values in cell.combos.items()}
    ledger.cells[key] = Cell(key, cell.version, cell.written_at, combos)
    (difference,) = audited(ledger, ledger)
    assert "branch 'A'" in difference
    assert "tickets is 2 in the cell, 1 in the ledger" in difference


def test_a_cell_that_is_lost_is_found() -> None:
    ledger = filled()
    del ledger.cells[next(iter(ledger.cells))]
    assert "tickets is 0 in history, 1 in the ledger" in audited(ledger, ledger)[0]


def test_a_sale_that_was_changed_is_found() -> None:
    ledger = filled()
    counted, token = ledger.sold["a"]
    ledger.sold["a"] = (
        msgspec.structs.replace(counted, entry=msgspec.structs.replace(counted.entry, total="1")),
        token,
    )
    assert "sales is 5489715 in the cell, 10000 in the ledger" in audited(ledger, ledger)[0]


def test_it_may_run_while_sales_come_in() -> None:
    ledger = filled()
    ingest = environment(ledger, LossyStream())
    post(ingest, [sale("c")])

    class Moving(FaultyLedger):
        """Takes a sale between the reading of the cells and of the ledger."""

        def scan(self):  # type: ignore[no-untyped-def]
            post(ingest, [sale("d")])
            return ledger.scan()

    moving = Moving()
    assert audited(moving, ledger) == []
