"""Moving cells that nobody writes any more into history, in steps that may be repeated, doubled or cut off anywhere.

A move has two transactions. `claim` gives the branch's next move its number and marks the cells for it, each at the
version that was read; `settle` adds them to their periods. In between readers still count the cells. Whoever finds a
claimed move, of its own or of one that died, settles it first: what it does is told by what was claimed alone. Moved
cells are swept away at the end of a run, once all their periods are seen to hold them.

A writer that still holds a marked cell finds its next change refused, and goes on under a new name, as it does
whenever another has changed its cell (`tidemark/writer.py`). A late sale makes a new cell, which is moved in its turn.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterator, Sequence
from random import random

import msgspec

from tidemark.cells import Cell, CellKey
from tidemark.errors import SettingsError
from tidemark.history.calendar import PeriodKey, key_of
from tidemark.history.periods import Head, Period, fold, keys_of
from tidemark.ledger import Cancelled, InDoubt
from tidemark.ports import Cells, History
from tidemark.writer import Clock

log = logging.getLogger(__name__)

MOVED_AT_ONCE = 96  # cells; with the head 97 of the 100 items of a transaction (AWS, TransactWriteItems)
MAX_PERIOD = 380_000  # bytes of a period's state: an item has 400 KB at most (AWS)
MAX_SETTLED = 3_500_000  # bytes of all periods of a move; a transaction has 4 MB at most (AWS)
PAGE = 1_000
PERIODS_AT_ONCE = 98  # with the head 99 of those items
GATHERED = 5_000  # cells that are gathered before they are moved, so that those of one time move together
TRIES = 12  # to move some cells, while others hold what is needed
SWEPT_AT_ONCE = 1_000
SWEEP_SHARE = 0.3  # of the time that a run has, kept for sweeping


class Compaction(msgspec.Struct, frozen=True):
    """What a run did.

    `moved`: cells taken into history in `moves` transactions. `swept`: moved cells deleted. `refused`: tries that
    found another at work or a cell changed. `full`: cells that stay because their period can hold no more. `done`:
    whether nothing that is old enough is left but for those.
    """

    moved: int
    moves: int
    swept: int
    refused: int
    full: int
    done: bool


class Compactor:
    """One run after another; any number may run at once."""

    def __init__(self, cells: Cells, history: History, zone: str) -> None:
        self._cells, self._history, self._zone = cells, history, zone

    def run(self, clock: Clock, before: int) -> Compaction:
        """Move the cells that were last written before a time, in milliseconds since 1970 by their writers' clocks.

        Ends in good time before the clock's deadline; the next run goes on where it ended.
        Raises SettingsError where history is of another zone.
        """
        return _Run(self._cells, self._history, self._zone, clock, before).run()


class _Run:
    def __init__(self, cells: Cells, history: History, zone: str, clock: Clock, before: int) -> None:
        self._cells, self._history, self._zone, self._clock, self._before = cells, history, zone, clock, before
        self._reserved = clock.remaining() * SWEEP_SHARE
        self._moved: dict[CellKey, int] = {}
        self._count = self._moves = self._swept = self._refused = self._full = 0

    def run(self) -> Compaction:
        settled = [self._settle_left(head) for head in self._history.heads().values() if head.pending]
        done = all(settled)
        for branch, cells in self._old():
            if self._late():
                done = False
                break
            for some in _cut(self._zone, cells):
                done = self._move(branch, some) and done
        done = self._sweep() and done
        return Compaction(self._count, self._moves, self._swept, self._refused, self._full, done)

    def _late(self) -> bool:
        return self._clock.remaining() <= self._reserved

    def _old(self) -> Iterator[tuple[str, list[Cell]]]:
        """Cells old enough, those of a branch and month together; notes those that were moved and are not swept."""
        gathered: dict[tuple[str, int], list[Cell]] = defaultdict(list)
        count, cursor = 0, None
        while True:
            page = self._cells.page(limit=PAGE, cursor=cursor)
            for cell in page.cells:
                if cell.moved:
                    self._moved[cell.key] = cell.moved
                elif cell.written_at < self._before:
                    gathered[cell.key.branch, key_of(self._zone, "month", *cell.key[:2]).start].append(cell)
                    count += 1
            cursor = page.cursor
            if count >= GATHERED or cursor is None:
                for (branch, _), cells in sorted(gathered.items()):
                    yield branch, sorted(cells, key=lambda cell: cell.key)
                gathered.clear()
                count = 0
            if cursor is None:
                return

    # -- moving

    def _move(self, branch: str, cells: Sequence[Cell]) -> bool:
        """Move cells of one branch, which fit into a move; False where others were in the way for too long."""
        doubtful: Head | None = None
        for failures in range(TRIES):
            if not cells:
                return True
            if self._late():
                return False
            head = self._history.head(branch)
            if head is not None and head.zone != self._zone:
                raise SettingsError(
                    f"the history of branch {branch!r} is cut by the clock of {head.zone}, and TIDEMARK_STORE_ZONE is"
                    f" {self._zone}: set it to {head.zone}"
                )
            if head is not None and head.pending:
                if head == doubtful:
                    self._note(head)
                self._settle(head)
                cells = self._still_old(cells)
                continue
            before = self._history.get_periods(_periods_of(self._zone, cells))
            claimed = Head(branch, head.move + 1 if head else 1, self._zone, tuple(cell.key for cell in cells))
            after = fold(self._zone, claimed.move, cells, before)
            if not _fits(after):
                return self._move_less(branch, cells)
            try:
                self._history.claim(claimed, head, cells)
            except Cancelled as refusal:
                self._refused += 1
                if refusal.moved:
                    cells = self._still_old(cells)
                self._pause(failures)
                continue
            except InDoubt:  # it may land yet: the head tells, and whoever comes next settles what it claims
                doubtful = claimed
                self._pause(failures)
                continue
            self._note(claimed)
            # Nobody else changes the periods while the move is pending: what was read before is what is there.
            if not self._try_to_settle(claimed, after, before):
                self._settle(claimed)
            return True
        return False

    def _note(self, claimed: Head) -> None:
        self._moves += 1
        self._count += len(claimed.pending)
        self._moved.update(dict.fromkeys(claimed.pending, claimed.move))

    def _move_less(self, branch: str, cells: Sequence[Cell]) -> bool:
        if len(cells) == 1:
            self._full += 1
            log.warning("a period of history is full: a cell of minute %d stays", cells[0].key.minute)
            return True
        half = len(cells) // 2
        return all([self._move(branch, cells[:half]), self._move(branch, cells[half:])])

    def _still_old(self, cells: Sequence[Cell]) -> list[Cell]:
        """What is left of cells to move, as they are now."""
        now = self._cells.get_cells([cell.key for cell in cells])
        return [cell for cell in now if not cell.moved and cell.written_at < self._before]

    def _settle_left(self, head: Head) -> bool:
        """Settle what a run left that ended in the middle."""
        settled = self._settle(head)
        if not settled:
            log.warning("a move of branch %r cannot be settled now", head.branch)
        return settled

    def _settle(self, pending: Head) -> bool:
        """Settle a claimed move, or see that another does; False where neither comes about in time."""
        for failures in range(TRIES):
            cells = self._cells.get_cells(pending.pending)
            # A transaction is seen item by item: only where every mark is seen may a period tell that it holds them.
            if len(cells) == len(pending.pending) and all(cell.moved == pending.move for cell in cells):
                before = self._history.get_periods(_periods_of(self._zone, cells))
                if self._try_to_settle(pending, fold(self._zone, pending.move, cells, before), before):
                    return True
            if self._history.head(pending.branch) != pending:
                return True
            self._pause(failures)
        return False

    def _try_to_settle(self, pending: Head, after: Sequence[Period], before: dict[PeriodKey, Period]) -> bool:
        try:
            self._history.settle(pending, after, before)
        except Cancelled:
            self._refused += 1
            return False
        except InDoubt:
            return False
        return True

    def _pause(self, failures: int) -> None:
        self._clock.sleep(min(max(self._clock.remaining(), 0.0), random() * 0.025 * 2 ** min(failures, 6)))

    # -- sweeping

    def _sweep(self) -> bool:
        """Delete the moved cells; False where some are left."""
        settled = self._settled()
        if settled:
            self._announce()
        for start in range(0, len(settled), SWEPT_AT_ONCE):
            if self._clock.remaining() <= 0:
                return False
            keys = settled[start : start + SWEPT_AT_ONCE]
            try:
                self._history.sweep(keys)
            except InDoubt:
                return False
            self._swept += len(keys)
        return len(settled) == len(self._moved)

    def _settled(self) -> list[CellKey]:
        """Those of the moved cells that all their periods are seen to hold."""
        keys = sorted(self._moved)
        found: list[CellKey] = []
        for start in range(0, len(keys), SWEPT_AT_ONCE):
            some = keys[start : start + SWEPT_AT_ONCE]
            periods = self._history.get_periods({period for key in some for period in keys_of(self._zone, key)})
            moves = {key: period.move for key, period in periods.items()}
            found += [
                key for key in some
                if all(moves.get(period, 0) >= self._moved[key] for period in keys_of(self._zone, key))
            ]  # fmt: skip
        return found

    def _announce(self) -> None:
        failures = 0
        while True:
            try:
                self._history.add_sweep()
            except InDoubt:
                failures += 1
                if failures > TRIES:
                    raise
                self._pause(failures)
            else:
                return


def _cut(zone: str, cells: Sequence[Cell]) -> Iterator[list[Cell]]:
    """The cells, which are in the order of time, by moves: each within what a transaction holds."""
    some: list[Cell] = []
    periods: set[PeriodKey] = set()
    for cell in cells:
        periods.update(keys_of(zone, cell.key))
        if len(some) == MOVED_AT_ONCE or len(periods) > PERIODS_AT_ONCE:
            yield some
            some, periods = [], set(keys_of(zone, cell.key))
        some.append(cell)
    if some:
        yield some


def _periods_of(zone: str, cells: Sequence[Cell]) -> set[PeriodKey]:
    return {key for cell in cells for key in keys_of(zone, cell.key)}


def _fits(periods: Sequence[Period]) -> bool:
    sizes = [len(period.state) for period in periods]
    return max(sizes) <= MAX_PERIOD and sum(sizes) <= MAX_SETTLED
