"""History in memory, for tests: it passes the same contract tests as DynamoDB's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from tidemark.adapters.memory import MemoryLedger
from tidemark.cells import Cell, CellKey
from tidemark.history.calendar import PeriodKey, Range
from tidemark.history.periods import Head, Period
from tidemark.ledger import Cancelled
from tidemark.ports import History


class MemoryHistory(History):
    """History beside the cells of a ledger in memory, with DynamoDB's conditions."""

    def __init__(self, ledger: MemoryLedger) -> None:
        self._cells = ledger.cells
        self.kept_heads: dict[str, Head] = {}
        self.kept: dict[PeriodKey, Period] = {}
        self.swept = 0

    def heads(self) -> dict[str, Head]:
        return dict(self.kept_heads)

    def head(self, branch: str) -> Head | None:
        return self.kept_heads.get(branch)

    def periods(self, branch: str, found: Range) -> Iterator[Period]:
        keys = [key for key in self.kept if key[::2] == (found.tier, branch) and found.first <= key.start < found.last]
        return iter([self.kept[key] for key in sorted(keys)])

    def get_periods(self, keys: Iterable[PeriodKey]) -> dict[PeriodKey, Period]:
        return {key: self.kept[key] for key in keys if key in self.kept}

    def claim(self, head: Head, before: Head | None, cells: Sequence[Cell]) -> None:
        assert len(cells) < 100, "DynamoDB takes 100 items"
        held = [self._cells.get(cell.key) for cell in cells]
        same = all(at is not None and at.version == cell.version for at, cell in zip(held, cells, strict=True))
        if self._step(head.branch) != (before.step if before else 0) or not same:
            raise Cancelled({}, moved=True)
        self.kept_heads[head.branch] = head
        self._cells.update((cell.key, marked(cell, head.move)) for cell in cells)

    def settle(self, head: Head, periods: Sequence[Period], before: Mapping[PeriodKey, Period]) -> None:
        assert len(periods) < 100, "DynamoDB takes 100 items"
        same = all(self.kept.get(period.key) == before.get(period.key) for period in periods)
        if self._step(head.branch) != head.step or not same:
            raise Cancelled({}, moved=True)
        self.kept_heads[head.branch] = head.settled()
        self.kept.update((period.key, period) for period in periods)

    def _step(self, branch: str) -> int:
        return self.kept_heads[branch].step if branch in self.kept_heads else 0

    def sweeps(self) -> int:
        return self.swept

    def add_sweep(self) -> None:
        self.swept += 1

    def sweep(self, keys: Sequence[CellKey]) -> None:
        for key in keys:
            self._cells.pop(key, None)


def marked(cell: Cell, move: int) -> Cell:
    """A cell as it is once it was claimed."""
    return msgspec.structs.replace(cell, version=cell.version + 1, moved=move)
