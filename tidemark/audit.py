"""The audit: recompute every cell from the ledger, and compare.

It may run while sales come in. Each sale says which version of which cell counted it, so a cell read at version v must
equal the sum of its sales up to v, and whatever the ledger holds beyond that must be in the cell when it is read again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import msgspec

from tidemark import cells, money
from tidemark.cells import Cell, CellKey, Combo, Measures
from tidemark.ledger import Counted
from tidemark.ports import Cells, Ledger

SHOWN = 20


class Audit(msgspec.Struct, frozen=True):
    """What was compared, and the first differences in words; none is a clean audit. `sales` is money, with tax."""

    tickets: int
    sales: str
    cells: int
    differences: list[str]
    more_differences: int = 0


def audit(ledger: Ledger, counters: Cells) -> Audit:
    """Compare the cells with the ledger."""
    before = {cell.key: cell for cell in counters.read()}
    expected: dict[CellKey, dict[Combo, Measures]] = defaultdict(dict)
    later: dict[CellKey, int] = {}
    tickets = takings = 0
    for counted in ledger.scan():
        key = _key(counted)
        values = counted.entry.measures()
        tickets += values[_TICKETS]
        takings += values[_SALES]
        cell = before.get(key)
        if cell is None or counted.version > cell.version:
            later[key] = max(later.get(key, 0), counted.version)
        else:
            combos = expected[key]
            combos[counted.entry.combo] = cells.add(combos.get(counted.entry.combo, cells.ZERO), values)
    differences = list(_compare(before, expected))
    if later:
        after = {cell.key: cell.version for cell in counters.read()}
        differences += [
            f"{_name(key)}: the ledger holds a sale counted at version {version}, the cell is at {after.get(key, 0)}"
            for key, version in later.items()
            if after.get(key, 0) < version
        ]
    return Audit(tickets, money.to_text(takings), len(before), differences[:SHOWN], max(0, len(differences) - SHOWN))


_TICKETS = cells.MEASURES.index("tickets")
_SALES = cells.MEASURES.index("sales")


def _key(counted: Counted) -> CellKey:
    return CellKey(counted.entry.minute, counted.entry.branch, counted.writer)


def _compare(found: dict[CellKey, Cell], expected: dict[CellKey, dict[Combo, Measures]]) -> Iterable[str]:
    for key, cell in found.items():
        for combo in sorted({*cell.combos, *expected.get(key, {})}):
            counted = cell.combos.get(combo, cells.ZERO)
            summed = expected.get(key, {}).get(combo, cells.ZERO)
            for name, left, right in zip(cells.MEASURES, counted, summed, strict=True):
                if left != right:
                    yield f"{_name(key)}, {' / '.join(combo)}: {name} is {left} in the cell, {right} in the ledger"


def _name(key: CellKey) -> str:
    return f"cell (minute {key.minute}, branch {key.branch!r}, writer {key.writer})"
