"""Items sold an hour, by branch and product line and of all, out of the cells: what demand is forecast from.

Days that are over are counted once and kept in the bucket: what a look costs does not grow with the history. A sale
that comes later than `OPEN_DAYS` after it was sold is not in it, nor one of a branch or line that the store has not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec
import numpy as np

from tidemark import cells as counting
from tidemark.errors import NotFound
from tidemark.history.counters import Counters
from tidemark.models.demand import Series
from tidemark.models.forecasts import ALL
from tidemark.ports import Objects
from tidemark.store import MINUTES_PER_DAY, Store, day_name, local_minute, offset_minutes

FOLDER = "demand/hours/"
DAYS = 90
OPEN_DAYS = 2
"""Days, today among them, that are counted anew at each look."""
MANY = 3
"""Days that are missing from which on one reading from the first to the last of them costs less."""
_ITEMS = counting.MEASURES.index("items")

Counts = dict[str, list[int]]
"""Of each series, `branch · product line`, the items of each open hour of one day."""


class _Day(msgspec.Struct, frozen=True):
    opens: int
    closes: int
    zone: str
    counts: Counts


class HourlyItems:
    """Over what was counted, and the bucket where past days are kept."""

    def __init__(self, counters: Counters, objects: Objects, store: Store) -> None:
        self._counters, self._objects, self._store = counters, objects, store

    def until(self, minute: int) -> Series:
        """The `DAYS` days that end with that of the UTC minute `minute`, those among them on which something was sold.

        What is sold from the hour of `minute` on is not counted: that hour is not over.
        """
        local = local_minute(self._store.zone, minute)
        today = local // MINUTES_PER_DAY
        days = range(today - DAYS + 1, today + 1)
        known = {day: self._kept(day) for day in days if day <= today - OPEN_DAYS}
        missing = [day for day in days if known.get(day) is None]
        counted = self._count(missing)
        for day in missing:
            if day <= today - OPEN_DAYS:
                self._keep(day, counted[day])
        whole = {day: counted[day] if day in counted else known[day] or {} for day in days}
        whole[today] = self._until_hour(whole[today], local % MINUTES_PER_DAY // 60)
        return self._series({day: _with_all(counts) for day, counts in whole.items() if counts or day == today})

    def _kept(self, day: int) -> Counts | None:
        try:
            found = msgspec.json.decode(self._objects.get(_key(day)), type=_Day)
        except (NotFound, msgspec.DecodeError):
            return None
        ours = (self._store.opens, self._store.closes, self._store.zone)
        return found.counts if (found.opens, found.closes, found.zone) == ours else None

    def _keep(self, day: int, counts: Counts) -> None:
        kept = _Day(self._store.opens, self._store.closes, self._store.zone, counts)
        self._objects.put(_key(day), msgspec.json.encode(kept), content_type="application/json")

    def _count(self, days: list[int]) -> dict[int, Counts]:
        found: dict[int, Counts] = {day: {} for day in days}
        opens, hours = self._store.opens, self._store.open_hours
        for cell in self._read(days):
            day, of_day = divmod(local_minute(self._store.zone, cell.key.minute), MINUTES_PER_DAY)
            hour = of_day // 60 - opens
            if day not in found or not 0 <= hour < hours or cell.key.branch not in self._store.branches:
                continue
            for combo, values in cell.combos.items():
                if combo.product_line not in self._store.product_lines:
                    continue
                counts = found[day].setdefault(f"{cell.key.branch} · {combo.product_line}", [0] * hours)
                counts[hour] += values[_ITEMS]
        return found

    def _read(self, days: list[int]) -> Iterator[counting.Cell]:
        if len(days) > MANY:
            yield from self._counters.read(self._open(days[0])[0], self._open(days[-1])[1])
            return
        for day in days:
            yield from self._counters.read(*self._open(day))

    def _open(self, day: int) -> tuple[int, int]:
        """The UTC minutes from the opening to the closing of a day of the store."""
        begin = day * MINUTES_PER_DAY + self._store.opens * 60
        begin -= offset_minutes(self._store.zone, begin // 60)
        return begin, begin + self._store.open_hours * 60

    def _until_hour(self, counts: Counts, hour: int) -> Counts:
        over = max(hour - self._store.opens, 0)
        return {name: [*of_hours[:over], *[0] * (len(of_hours) - over)] for name, of_hours in counts.items()}

    def _series(self, days: dict[int, Counts]) -> Series:
        names = sorted({name for counts in days.values() for name in counts})
        none = [0] * self._store.open_hours
        table: Iterable[list[list[int]]] = ([counts.get(name, none) for name in names] for counts in days.values())
        return Series(
            np.array([day_name(day) for day in days], "datetime64[D]"),
            np.arange(self._store.opens, self._store.closes),
            tuple(names),
            np.array(list(table), np.float64).reshape(len(days), len(names), self._store.open_hours).swapaxes(1, 2),
        )


def _with_all(counts: Counts) -> Counts:
    return {**counts, ALL: [sum(hour) for hour in zip(*counts.values(), strict=True)]} if counts else {}


def _key(day: int) -> str:
    return f"{FOLDER}{day_name(day)}.json"
