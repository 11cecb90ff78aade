"""Periods and plans, minute by minute, in zones that are hard on calendars."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from random import Random

import pytest

from tidemark.history.calendar import TIERS, PeriodKey, Plan, Tier, first_day, hour_end, hour_start, key_of, month_of
from tidemark.store import local_day, local_minute

# A zone, and a time about which its clock is set, or nothing happens.
HARD = [
    ("UTC", "2019-03-01T00:00Z"),
    ("Asia/Kolkata", "2019-01-31T18:30Z"),
    ("Asia/Kathmandu", "2024-02-29T18:15Z"),
    ("Europe/Berlin", "2024-03-31T01:00Z"),
    ("Europe/Berlin", "2024-10-27T01:00Z"),
    ("Australia/Lord_Howe", "2024-04-06T15:00Z"),
    ("Australia/Lord_Howe", "2024-10-05T15:30Z"),
    ("America/St_Johns", "2008-11-02T02:31Z"),  # at 00:01 back to 23:01 of the day before
    ("America/St_Johns", "2008-03-09T03:31Z"),
    ("America/Havana", "2024-11-03T05:00Z"),
    ("America/Sao_Paulo", "2018-02-18T02:00Z"),  # at midnight back to 23:00
    ("Pacific/Apia", "2011-12-30T10:00Z"),  # a day that never was
]


def at(text: str) -> int:
    return int(datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()) // 60


@pytest.mark.parametrize(("zone", "time"), HARD)
def test_hours_follow_on_one_another_and_lie_within_a_day(zone: str, time: str) -> None:
    middle = at(time)
    starts = {minute: hour_start(zone, minute) for minute in range(middle - 3000, middle + 3000)}
    for minute, start in starts.items():
        assert start <= minute < hour_end(zone, start) <= start + 60
        assert hour_start(zone, start) == start
        assert hour_start(zone, hour_end(zone, start)) == hour_end(zone, start)
        assert local_day(zone, start) == local_day(zone, minute)
        assert local_minute(zone, start) // 60 == local_minute(zone, minute) // 60


def read(plan: Plan, minutes: range) -> Counter[int]:
    """How often each minute is counted by whoever reads what the plan says."""
    ranges = list(plan.ranges())
    counted: Counter[int] = Counter()
    of: dict[PeriodKey, list[int]] = {}
    for minute in minutes:
        for tier in TIERS:
            of.setdefault(key_of(plan.zone, tier, minute, "A"), []).append(minute)
    for key, held in of.items():
        if plan.uses(key):
            times = sum(found.tier == key.tier and found.first <= key.start < found.last for found in ranges)
            counted.update({minute: times for minute in held if times})
    return counted


@pytest.mark.parametrize(("zone", "time"), HARD)
@pytest.mark.parametrize("tiers", [TIERS, TIERS[:3], ("minute", "hour"), ("minute",)])
def test_a_plan_counts_each_minute_of_its_range_once(zone: str, time: str, tiers: tuple[Tier, ...]) -> None:
    random, middle = Random(time), at(time)
    around = range(middle - 2 * 1440, middle + 2 * 1440)
    for width in (1, 100, 4_000, 40 * 1440) if tiers == TIERS else (100, 4_000):
        for _ in range(3):
            since = middle + random.randrange(-width, width)
            until = since + random.randrange(width + 1)
            plan = Plan(zone, since, until, tiers)
            counted = read(plan, around)
            expected = Counter(minute for minute in around if since <= minute < until)
            assert counted == expected
            for minute in random.sample(around, 50):
                key = plan.key(minute, "A")
                assert (key is not None) == (minute in expected)
                assert key is None or key == key_of(zone, key.tier, minute, "A")


@pytest.mark.parametrize("since", [None, at("2018-12-05T07:31Z")])
@pytest.mark.parametrize("until", [None, at("2019-03-07T07:31Z")])
def test_a_plan_without_an_end_is_of_months(since: int | None, until: int | None) -> None:
    around = range(at("2018-11-20T00:00Z"), at("2019-03-30T00:00Z"), 7)
    plan = Plan("Asia/Kolkata", since, until)
    expected = [m for m in around if (since is None or m >= since) and (until is None or m < until)]
    every = read(plan, around)
    assert [m for m in around if every[m]] == expected
    longest = [found for found in plan.ranges() if found.tier == "month"]
    assert len(longest) == 1
    assert len(list(plan.ranges())) == 1 + 3 * ((since is not None) + (until is not None))


def test_months_are_of_the_calendar() -> None:
    for day in range(-800, 30_000, 13):
        assert first_day(month_of(day)) <= day < first_day(month_of(day) + 1)
    assert month_of(0) == 1970 * 12
    assert datetime.fromtimestamp(first_day(2024 * 12 + 2) * 86_400, UTC).date().isoformat() == "2024-03-01"
