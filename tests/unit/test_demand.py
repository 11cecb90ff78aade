"""What is known of an hour before it comes: the same in training and in serving, and nothing of later ones."""

from __future__ import annotations

import msgspec
import numpy as np
import pandas as pd
import pytest

from tidemark.errors import TidemarkError
from tidemark.models import demand
from tidemark.models.demand import LONG, SERVED, Series, Table, table

HOURS = np.arange(10, 21)
FIRST = np.datetime64("2026-03-02")  # a Monday


def sold(days: int = 40, names: tuple[str, ...] = ("A", "B"), seed: int = 1) -> Series:
    counts = np.random.default_rng(seed).poisson(6.0, (days, len(HOURS), len(names))).astype(np.float64)
    return Series(FIRST + np.arange(days), HOURS, names, counts)


def column(data: Table, name: str) -> np.ndarray:
    values: np.ndarray = data.matrix[:, [feature.name for feature in data.features].index(name)]
    return values


def row(data: Table, day: int, hour: int, series: int, lead: int) -> int:
    found = (data.day == day) & (data.hour == hour) & (data.series == series) & (data.lead == lead)
    (place,) = np.flatnonzero(found)
    return int(place)


def test_the_columns_and_the_rows_stand_in_one_order() -> None:
    found = sold(30)
    data = table(found)
    assert [feature.name for feature in data.features] == [
        *("hour_level", "hour_short", "hour_weekday", "day_short", "day_last", "today", "last_hour"),
        *(f"hour={hour}" for hour in range(10, 21)),
        *(f"weekday={day}" for day in range(7)),
        *("series=A", "series=B", "lead"),
    ]
    assert data.matrix.shape == (10 * 11 * 2 * 4, 28)
    rows = list(zip(data.day.tolist(), data.hour.tolist(), data.lead.tolist(), data.series.tolist(), strict=True))
    assert rows == sorted(rows)
    assert data.items.tolist() == [
        found.counts[day, hour - 10, series] for day, hour, series in zip(data.day, data.hour, data.series, strict=True)
    ]


def test_what_is_the_same_everywhere_is_no_feature_unless_a_model_asks_for_it() -> None:
    found = sold(26, names=("A",))
    names = [feature.name for feature in table(found, (1,)).features]
    assert "lead" not in names
    assert "series=A" not in names
    assert "to_christmas" not in names
    asked = table(found, (1,), ["to_christmas", "series=A", "series=Z", "lead", "weekday=6"])
    assert asked.matrix[0].tolist() == [120, 1, 0, 1, 1]
    with pytest.raises(TidemarkError, match="do not have all features: hour=9, moon"):
        table(found, (1,), ["hour=9", "moon", "lead"])


def test_features_by_hand() -> None:
    found = sold()
    data = table(found, SERVED)
    day, hour, series, lead = 33, 17, 1, 3
    at, of = row(data, day, hour, series, lead), found.counts[:, :, series]
    place, known = hour - 10, hour - 10 - lead + 1
    usual = of[day - LONG : day].mean(axis=0)
    so_far, least = of[day, :known].sum(), 0.2 * usual.sum() + 1
    weekdays = of[[day - 7, day - 14, day - 21, day - 28], place].mean()
    by_hand = {
        "hour_level": np.log1p(usual[place]),
        "hour_short": np.log1p(of[day - 5 : day, place].mean()) - np.log1p(usual[place]),
        "hour_weekday": np.log1p(weekdays) - np.log1p(usual[place]),
        "day_last": np.log1p(of[day - 1].sum()) - np.log1p(usual.sum()),
        "today": np.log((so_far + least) / (usual[:known].sum() + least)),
        "last_hour": np.log1p(of[day, known - 1]) - np.log1p(usual[known - 1]),
        "weekday=5": 1,
        "hour=17": 1,
        "series=B": 1,
        "lead": 3,
    }
    for name, value in by_hand.items():
        assert column(data, name)[at] == pytest.approx(value, abs=1e-6), name
    assert data.level[at] == pytest.approx(np.log1p(usual[place]))


@pytest.mark.parametrize("lead", SERVED)
def test_nothing_of_an_hour_or_of_the_hours_until_it_is_seen(lead: int) -> None:
    found, day, hour = sold(), 30, 17
    other = found._replace(counts=found.counts.copy())
    other.counts[day, hour - 10 - lead + 1 :] *= 9
    other.counts[day + 1 :] *= 9
    one, two = table(found, SERVED), table(other, SERVED)
    known = (one.day < day) | ((one.day == day) & (one.hour - one.lead <= hour - lead))
    assert known.any()
    assert np.array_equal(one.matrix[known], two.matrix[known])
    assert np.array_equal(one.level[known], two.level[known])
    assert not np.array_equal(one.matrix[~known], two.matrix[~known])


def test_weekdays_and_christmas_are_the_calendar_s() -> None:
    found = sold(400, names=("A",))
    days = pd.DatetimeIndex(found.days)
    assert demand.weekday(found.days).tolist() == days.day_of_week.tolist()
    data = table(found)
    expected = np.clip(359 - days.day_of_year.to_numpy(), 0, 120)
    assert column(data, "to_christmas").tolist() == expected[data.day].tolist()


def test_sales_are_counted_by_hour() -> None:
    at = pd.Series(pd.date_range("2026-03-02 10:30", periods=24 * 30, freq="h"))
    found = demand.series(at, pd.Series("A", index=at.index), pd.Series(2, index=at.index), range(10, 21))
    assert found.counts.shape == (30, 11, 1)
    assert (found.counts == 2).all()
    few = at[: 24 * 20 - 11]
    with pytest.raises(TidemarkError, match="20 trading days are too few"):
        demand.series(few, pd.Series("A", index=few.index), pd.Series(2, index=few.index), range(10, 21))


def test_days_on_which_nothing_was_sold_are_no_trading_days() -> None:
    found = sold(30)
    found.counts[[3, 29]] = 0
    assert demand.traded(found).days.tolist() == np.delete(found.days, [3, 29]).tolist()
    assert demand.traded(found, today=True).days.tolist() == np.delete(found.days, 3).tolist()


def test_after_a_saturday_comes_monday_where_sundays_are_not_traded_on() -> None:
    found = sold(34)
    found = found._replace(days=found.days[keep := demand.weekday(found.days) != 6], counts=found.counts[keep])
    assert str(found.days[-1]) == "2026-04-04"
    assert str(demand.after(found).days[-1]) == "2026-04-06"
    assert str(demand.after(sold(34)).days[-1]) == "2026-04-05"


def test_counts_survive_being_handed_on() -> None:
    found = sold()
    again = demand.loads(demand.dumps(found))
    assert again.names == found.names
    for one, two in zip((again.days, again.hours, again.counts), (found.days, found.hours, found.counts), strict=True):
        assert one.dtype == two.dtype
        assert np.array_equal(one, two)
    told = msgspec.json.decode(demand.dumps(found))
    assert told["days"][:2] == ["2026-03-02", "2026-03-03"]
    assert told["hours"] == list(range(10, 21))


def test_counts_that_are_none_are_refused() -> None:
    good = msgspec.json.decode(demand.dumps(sold(3)))

    def refused(match: str, **changed: object) -> None:
        with pytest.raises(TidemarkError, match=match):
            demand.loads(msgspec.json.encode({**good, **changed}))

    refused("no items by day, hour and series", days="yesterday")
    refused("no items by day, hour and series", more=1)
    refused("no items by day, hour and series", counts=[[[1.0], [1.0, 2.0]]])
    refused(r"the shape \(3, 11, 2\); .* \(3, 11, 3\)", names=["A", "B", "C"])
    refused("days do not ascend", days=good["days"][::-1])
    refused("hours do not follow", hours=[*range(10, 20), 22])
    refused("two series have one name", names=["A", "A"])
    refused("0 or more", counts=(-np.array(good["counts"])).tolist())
    with pytest.raises(TidemarkError, match="no items by day"):
        demand.loads(b"")
