"""The periods that history is kept by, and which of them make up a range.

A minute belongs to one period of each tier, and each period to one of the next: an hour is one by the store's own
clock, and ends where that clock is set within it. What a minute belongs to is a function of zone and minute alone, so
who counts and who reads agree.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from functools import lru_cache
from typing import Literal, NamedTuple

from tidemark.store import MINUTES_PER_DAY, local_day, local_minute, offset_minutes

Tier = Literal["minute", "hour", "day", "month"]
TIERS: tuple[Tier, ...] = ("minute", "hour", "day", "month")
LONG_AGO, FAR_AHEAD = -2_000_000_000, 7_000_000_000
"""Minutes, and with them hours, days and months, that no time that can be written lies beyond."""
_ZONE_HOURS = 16  # no zone is further than this from UTC


class PeriodKey(NamedTuple):
    """Which period. `start`: of minutes and hours the first UTC minute, of days the store's day since 1970-01-01, of
    months the store's year times 12 plus its month from 0 on."""

    tier: Tier
    start: int
    branch: str


class Range(NamedTuple):
    """Periods of a tier with `first <= start < last`."""

    tier: Tier
    first: int
    last: int


def hour_start(zone: str, minute: int) -> int:
    """The first UTC minute of the store's hour that a UTC minute lies in."""
    start = minute - local_minute(zone, minute) % 60
    same = offset_minutes(zone, start // 60) == offset_minutes(zone, minute // 60)
    return start if same else minute // 60 * 60  # the clock was set within the hour: here another begins


def hour_end(zone: str, start: int) -> int:
    """The first UTC minute after the store's hour that begins at `start`."""
    end = start + 60 - local_minute(zone, start) % 60
    turn = (start // 60 + 1) * 60
    set_within = turn < end and offset_minutes(zone, turn // 60) != offset_minutes(zone, start // 60)
    return turn if set_within else end


@lru_cache(maxsize=4096)
def month_of(day: int) -> int:
    """The month of a day."""
    found = date(1970, 1, 1) + timedelta(days=day)
    return found.year * 12 + found.month - 1


def first_day(month: int) -> int:
    """The first day of a month."""
    return (date(month // 12, month % 12 + 1, 1) - date(1970, 1, 1)).days


def key_of(zone: str, tier: Tier, minute: int, branch: str) -> PeriodKey:
    """The period of a tier that a UTC minute belongs to."""
    if tier == "minute":
        return PeriodKey(tier, minute, branch)
    if tier == "hour":
        return PeriodKey(tier, hour_start(zone, minute), branch)
    day = local_day(zone, minute)
    return PeriodKey(tier, day if tier == "day" else month_of(day), branch)


@lru_cache(maxsize=1024)
def _day_span(zone: str, day: int) -> tuple[int, int]:
    """The first UTC minute of the store's day, and the first after it; alike where there is no such day."""
    around = range(day * 24 - _ZONE_HOURS, day * 24 + 24 + _ZONE_HOURS)
    edges = [minute for hour in around for minute in _of_day(zone, hour, day)]
    return (edges[0], edges[-1] + 1) if edges else (day * MINUTES_PER_DAY, day * MINUTES_PER_DAY)


def _of_day(zone: str, hour: int, day: int) -> tuple[int, ...]:
    """The first and the last minute of a UTC hour that lie on the store's day, where one does."""
    offset = offset_minutes(zone, hour)
    first, last = max(hour * 60, day * MINUTES_PER_DAY - offset), (day + 1) * MINUTES_PER_DAY - offset
    last = min(hour * 60 + 60, last) - 1
    return (first, last) if first <= last else ()


class Plan:
    """Which periods make up the UTC minutes `since <= minute < until`, the longest first; None has no end.

    `tiers`: those that may be used. Minutes are used at the edges, unless the range is of whole hours.
    """

    def __init__(self, zone: str, since: int | None, until: int | None, tiers: Sequence[Tier] = TIERS) -> None:
        self.zone = zone
        self.since = LONG_AGO if since is None else since
        self.until = max(FAR_AHEAD if until is None else until, self.since)
        self._minutes = (self.since, self.until)
        self._hours = self._whole_hours() if "hour" in tiers else (self.until, self.until)
        self._days = self._whole_days() if "day" in tiers else (FAR_AHEAD, FAR_AHEAD)
        self._months = self._whole_months() if "month" in tiers else (FAR_AHEAD, FAR_AHEAD)

    def _whole_hours(self) -> tuple[int, int]:
        first, last = self.since, self.until
        if first != LONG_AGO and hour_start(self.zone, first) != first:
            first = hour_end(self.zone, hour_start(self.zone, first))
        if last != FAR_AHEAD:
            last = hour_start(self.zone, last)
        return (first, last) if first < last else (self.until, self.until)

    def _whole_days(self) -> tuple[int, int]:
        first, last = LONG_AGO, FAR_AHEAD
        if self.since != LONG_AGO:
            first = local_day(self.zone, self.since)
            while any(_day_span(self.zone, day)[0] < self.since for day in (first, first + 1)):
                first += 1
        if self.until != FAR_AHEAD:
            last = local_day(self.zone, self.until)
            while any(_day_span(self.zone, day)[1] > self.until for day in (last - 1, last - 2)):
                last -= 1
        return (first, last) if first < last else (FAR_AHEAD, FAR_AHEAD)

    def _whole_months(self) -> tuple[int, int]:
        first, last = self._days
        if first == FAR_AHEAD:
            return FAR_AHEAD, FAR_AHEAD
        if first != LONG_AGO:
            month = month_of(first)
            first = month if first_day(month) == first else month + 1
        if last != FAR_AHEAD:
            last = month_of(last)
        return (first, last) if first < last else (FAR_AHEAD, FAR_AHEAD)

    def ranges(self) -> Iterator[Range]:
        """What is to be read. A period of them may be none of the plan's: `uses` tells."""
        months, days, hours = self._months, self._days, self._hours
        if months[0] < months[1]:
            yield Range("month", *months)
            inner = tuple(m if m in (LONG_AGO, FAR_AHEAD) else first_day(m) for m in months)
            yield from _beside("day", days, inner)
        elif days[0] < days[1]:
            yield Range("day", *days)
        if days[0] < days[1]:
            # A clock that is set back over midnight mixes two days: an hour of the day before may come after this one.
            first = LONG_AGO if days[0] == LONG_AGO else max(_day_span(self.zone, days[0])[0], self._end(days[0] - 1))
            last = FAR_AHEAD if days[1] == FAR_AHEAD else min(self._end(days[1] - 1), _day_span(self.zone, days[1])[0])
            yield from _beside("hour", hours, (min(first, hours[1]), max(last, hours[0])))
        elif hours[0] < hours[1]:
            yield Range("hour", *hours)
        if hours[0] < hours[1]:
            yield from _beside("minute", self._minutes, hours)
        elif self.since < self.until:
            yield Range("minute", *self._minutes)

    def _end(self, day: int) -> int:
        return _day_span(self.zone, day)[1]

    def key(self, minute: int, branch: str) -> PeriodKey | None:
        """The one period of the plan that a UTC minute is counted in; None outside the range."""
        if not self.since <= minute < self.until:
            return None
        day = local_day(self.zone, minute)
        if self._months[0] <= (month := month_of(day)) < self._months[1]:
            return PeriodKey("month", month, branch)
        if self._days[0] <= day < self._days[1]:
            return PeriodKey("day", day, branch)
        if self._hours[0] <= (hour := hour_start(self.zone, minute)) < self._hours[1]:
            return PeriodKey("hour", hour, branch)
        return PeriodKey("minute", minute, branch)

    def uses(self, key: PeriodKey) -> bool:
        """Whether a period that was read is one of the plan's."""
        return key.tier in ("month", "day") or self.key(key.start, key.branch) == key


def _beside(tier: Tier, outer: tuple[int, ...], inner: tuple[int, ...]) -> Iterator[Range]:
    for first, last in ((outer[0], inner[0]), (inner[1], outer[1])):
        if first < last:
            yield Range(tier, first, last)
