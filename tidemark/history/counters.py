"""Reading what was counted: cells and history together, each cell once, while cells are being moved.

No two reads of a store are of one moment, and of a transaction each item is seen by itself. So it goes by order: the
periods are read first, the cells after. A cell that is marked for a move is left out where the period that was read
says that it holds that move, and counted by itself where it does not. A cell that is not marked is in no period: marks
are there for all to see before the first period is written. A cell that was swept away in between would be missed;
so before anything is swept the number of sweeps rises, and who finds it risen reads again.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from itertools import islice

import msgspec

from tidemark.cells import Cell
from tidemark.errors import BadRequest, SettingsError, Unavailable
from tidemark.history.calendar import FAR_AHEAD, LONG_AGO, PeriodKey, Plan, Range, Tier, hour_start
from tidemark.history.periods import Head, Period
from tidemark.kpis import Kpis, Selection, kpis
from tidemark.ports import Cells, History
from tidemark.store import Store

READS = 8  # tries to read between two sweeps; one takes far less time than passes between two


class Counted(msgspec.Struct, frozen=True):
    """What was counted in some time: every sale is in one of the periods or in one of the cells."""

    periods: list[Period]
    cells: list[Cell]


class Shown(msgspec.Struct, frozen=True):
    """A cell of a snapshot that takes its time.

    `within`: of a cell that is being moved, minute and version of the history's cell that has it too, from that
    version on.
    """

    cell: Cell
    within: tuple[int, int] | None


class SnapshotPage(msgspec.Struct, frozen=True):
    """Some of what is counted, and where to go on from, None at the end."""

    cells: list[Shown]
    cursor: str | None


class _Cursor(msgspec.Struct, frozen=True, array_like=True):
    """Where a snapshot stands: first through the branches' hours, then through the cells."""

    sweeps: int
    branch: str = ""
    after: int = LONG_AGO
    cells: bool = False
    cell: str | None = None


class Counters:
    """Cells and history of a store whose zone is `zone`."""

    def __init__(self, cells: Cells, history: History, zone: str) -> None:
        self._cells, self._history, self._zone = cells, history, zone

    def kpis(self, selection: Selection, store: Store) -> Kpis:
        """The KPIs of what is selected."""
        found = self.count(Plan(self._zone, selection.since, selection.until), branches=selection.branch)
        return kpis(found.cells, selection, store, found.periods)

    def read(
        self, since: int | None = None, until: int | None = None, *, branches: frozenset[str] | None = None
    ) -> Iterator[Cell]:
        """Every cell with `since <= minute < until`, of some branches or of all; moved ones as their minute's sum over
        the writers."""
        return _as_cells(self.count(Plan(self._zone, since, until, ("minute",)), branches=branches))

    def by_hour(self, minutes_from: int | None = None) -> Iterator[Cell]:
        """Every cell, moved ones as sums over hours, in the hour's first minute; from a time on over minutes."""
        if minutes_from is None:
            return _as_cells(self.count(Plan(self._zone, None, None, ("hour",))))
        begin = hour_start(self._zone, minutes_from)
        hours, minutes = Plan(self._zone, None, begin, ("hour",)), Plan(self._zone, begin, None, ("minute",))
        return _as_cells(self.count(hours, minutes))

    def present(self, cells: list[Cell]) -> list[Cell]:
        """Those of some cells that are there and not on their way into history, as they are now."""
        return [cell for cell in self._cells.get_cells([cell.key for cell in cells]) if not cell.moved]

    def count(self, *plans: Plan, branches: frozenset[str] | None = None) -> Counted:
        """What was counted in the plans' time, which must not overlap, of some branches or of all.

        Raises SettingsError where history is of another zone, and Unavailable where cells are swept again and again.
        """
        since, until = min(plan.since for plan in plans), max(plan.until for plan in plans)
        for _ in range(READS):
            sweeps = self._history.sweeps()
            heads = self._heads(branches, [found.tier for plan in plans for found in plan.ranges()])
            periods = {
                period.key: period for branch in heads for plan in plans for period in self._periods(plan, branch)
            }
            found = self._cells.read(since if since > LONG_AGO else None, until if until < FAR_AHEAD else None)
            cells = [
                cell for cell in found
                if (branches is None or cell.key.branch in branches) and _is_loose(cell, plans, periods)
            ]  # fmt: skip
            if self._history.sweeps() == sweeps:
                return Counted(list(periods.values()), cells)
        raise Unavailable("cells are being moved into history; ask again in a moment")

    def _heads(self, branches: frozenset[str] | None, tiers: list[Tier]) -> dict[str, Head]:
        found = self._history.heads()
        for head in found.values():
            if head.zone != self._zone and any(tier != "minute" for tier in tiers):
                raise SettingsError(
                    f"the history of branch {head.branch!r} is cut by the clock of {head.zone}, and TIDEMARK_STORE_ZONE"
                    f" is {self._zone}: set it to {head.zone}"
                )
        return {name: head for name, head in found.items() if branches is None or name in branches}

    def _periods(self, plan: Plan, branch: str) -> Iterator[Period]:
        for found in plan.ranges():
            yield from (period for period in self._history.periods(branch, found) if plan.uses(period.key))

    # -- in pages

    def page(self, *, limit: int, cursor: str | None = None) -> SnapshotPage:
        """Some of all cells, moved ones as sums over hours, about `limit` at most.

        Raises BadRequest where `cursor` is none that an earlier page gave, and Unavailable where the cells that the
        first page counted as moved are swept away: then only from the beginning a whole is to be had.
        """
        place = _Cursor(self._history.sweeps()) if cursor is None else _read_cursor(cursor)
        found: list[Shown] = []
        if not place.cells:
            for branch in sorted(name for name in self._heads(None, ["hour"]) if name >= place.branch):
                after = place.after if branch == place.branch else LONG_AGO
                hours = self._history.periods(branch, Range("hour", after + 1, FAR_AHEAD))
                found += [Shown(period.cell(), None) for period in islice(hours, limit - len(found))]
                if len(found) == limit:
                    last = found[-1].cell.key
                    return SnapshotPage(found, _write_cursor(_Cursor(place.sweeps, branch, last.minute)))
            place = _Cursor(place.sweeps, cells=True)
        page = self._cells.page(limit=max(limit - len(found), 1), cursor=place.cell)
        found += [Shown(cell, self._within(cell)) for cell in page.cells]
        if self._history.sweeps() != place.sweeps:
            raise Unavailable("cells were moved into history meanwhile; begin again without a cursor")
        if page.cursor is None:
            return SnapshotPage(found, None)
        return SnapshotPage(found, _write_cursor(_Cursor(place.sweeps, cells=True, cell=page.cursor)))

    def _within(self, cell: Cell) -> tuple[int, int] | None:
        return (hour_start(self._zone, cell.key.minute), cell.moved) if cell.moved else None


def _is_loose(cell: Cell, plans: tuple[Plan, ...], periods: dict[PeriodKey, Period]) -> bool:
    """Whether a cell counts by itself: it lies in the plans' time, and the period that was read does not hold it."""
    for plan in plans:
        key = plan.key(cell.key.minute, cell.key.branch)
        if key is not None:
            period = periods.get(key)
            return not cell.moved or period is None or period.move < cell.moved
    return False


def _as_cells(found: Counted) -> Iterator[Cell]:
    yield from (period.cell() for period in found.periods)
    yield from found.cells


def _write_cursor(cursor: _Cursor) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(cursor)).decode().rstrip("=")


def _read_cursor(text: str) -> _Cursor:
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), type=_Cursor)
    except (binascii.Error, ValueError):
        raise BadRequest("cursor: not one that an earlier page gave") from None
