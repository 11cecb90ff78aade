"""The audit: recompute every cell and every period of history from the ledger, and compare.

It may run while sales come in. Each sale says which version of which cell counted it, so a cell read at version v must
equal the sum of its sales up to v, and whatever the ledger holds beyond that must be in the cell when it is read again.
The sales of cells that are gone must sum to the minutes of history, and these to its hours, days and months.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

import msgspec

from tidemark import cells, money
from tidemark.cells import Cell, CellKey, Combo, Measures
from tidemark.errors import Unavailable
from tidemark.history.calendar import FAR_AHEAD, LONG_AGO, TIERS, Range
from tidemark.history.counters import Counters
from tidemark.history.periods import WRITER, fold
from tidemark.ports import History, Ledger

SHOWN = 20
TRIES = 5  # to find the history at rest

Sums = dict[CellKey, dict[Combo, Measures]]


class Audit(msgspec.Struct, frozen=True):
    """What was compared, and the first differences in words; none is a clean audit. `sales` is money, with tax.

    `cells`: those that are not moved. `periods`: minutes, hours, days and months of history.
    """

    tickets: int
    sales: str
    cells: int
    differences: list[str]
    more_differences: int = 0
    periods: int = 0


def audit(ledger: Ledger, counters: Counters, history: History) -> Audit:
    """Compare cells and history with the ledger.

    Raises Unavailable where cells are moved into history all the while.
    """
    for _ in range(TRIES):
        heads = history.heads()
        found = _compare(ledger, counters, history)
        if history.heads() == heads:
            return found
    raise Unavailable("cells are being moved into history; audit again in a moment")


def _compare(ledger: Ledger, counters: Counters, history: History) -> Audit:
    before = {cell.key: cell for cell in counters.read()}
    expected: Sums = defaultdict(dict)
    gone: Sums = defaultdict(dict)
    later: dict[CellKey, int] = {}
    tickets = takings = 0
    for counted in ledger.scan():
        key = CellKey(counted.entry.minute, counted.entry.branch, counted.writer)
        values = counted.entry.measures()
        tickets += values[_TICKETS]
        takings += values[_SALES]
        cell = before.get(key)
        if cell is None or counted.version > cell.version:
            later[key] = max(later.get(key, 0), counted.version)
        if cell is None or counted.version <= cell.version:
            _add((gone if cell is None else expected)[key], counted.entry.combo, values)
    after = {cell.key: cell.version for cell in counters.read()} if later else {}
    for key in list(gone):
        if key in after:
            continue  # it was made while this went on
        del later[key]
        for combo, values in gone[key].items():
            _add(expected[CellKey(key.minute, key.branch, WRITER)], combo, values)
    found = {key: cell.combos for key, cell in before.items()}
    differences = list(_differences(found, expected))
    differences += [
        f"{_name(key)}: the ledger holds a sale counted at version {version}, the cell is at {after.get(key, 0)}"
        for key, version in later.items()
        if after.get(key, 0) < version
    ]
    periods = sum(key.writer == WRITER for key in before)
    for branch, head in history.heads().items():
        kept = {key: found[key] for key in found if key.branch == branch and key.writer == WRITER}
        more, wrong = _longer(history, branch, head.zone, kept)
        periods += more
        differences += wrong
    count = sum(key.writer != WRITER for key in before)
    hidden = max(0, len(differences) - SHOWN)
    return Audit(tickets, money.to_text(takings), count, differences[:SHOWN], hidden, periods)


_TICKETS = cells.MEASURES.index("tickets")
_SALES = cells.MEASURES.index("sales")


def _add(combos: dict[Combo, Measures], combo: Combo, values: Measures) -> None:
    combos[combo] = cells.add(combos.get(combo, cells.ZERO), values)


def _differences(found: Mapping[CellKey, Mapping[Combo, Measures]], expected: Sums) -> Iterable[str]:
    for key in [*found, *(key for key in expected if key not in found)]:
        held, summed = found.get(key, {}), expected.get(key, {})
        for combo in sorted({*held, *summed}):
            left, right = held.get(combo, cells.ZERO), summed.get(combo, cells.ZERO)
            yield from (f"{_name(key)}, {' / '.join(combo)}: {text}" for text in _measures(left, right, _what(key)))


def _measures(held: Measures, summed: Measures, where: str) -> Iterable[str]:
    for name, left, right in zip(cells.MEASURES, held, summed, strict=True):
        if left != right:
            yield f"{name} is {left} in {where}, {right} in the ledger"


def _what(key: CellKey) -> str:
    return "history" if key.writer == WRITER else "the cell"


def _name(key: CellKey) -> str:
    if key.writer == WRITER:
        return f"history (minute {key.minute}, branch {key.branch!r})"
    return f"cell (minute {key.minute}, branch {key.branch!r}, writer {key.writer})"


def _longer(
    history: History, branch: str, zone: str, minutes: Mapping[CellKey, Mapping[Combo, Measures]]
) -> tuple[int, list[str]]:
    """How many hours, days and months a branch has, and where they are not what its minutes sum to."""
    summed = fold(zone, 0, (Cell(key, 0, 0, combos) for key, combos in minutes.items()), {})
    expected = {period.key: period.content() for period in summed}
    count, differences = 0, list[str]()
    for tier in TIERS[1:]:
        held = {found.key: found.content() for found in history.periods(branch, Range(tier, LONG_AGO, FAR_AHEAD))}
        count += len(held)
        keys = sorted({*held, *(key for key in expected if key.tier == tier)})
        differences += [
            f"history ({tier} {key.start}, branch {branch!r}) is not what its minutes sum to"
            for key in keys
            if held.get(key) != expected.get(key)
        ]
    return count, differences
