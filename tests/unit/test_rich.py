"""The rich world: every law that it tells of is in what it draws, and any stretch of it is drawn the same again."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import islice

import msgspec
import numpy as np
import pytest

from simulator import rich
from simulator.rich import Drift, Sales, World
from simulator.sources import FIRST_DAY
from tidemark.sale import Sale
from tidemark.store import Store

STORE = Store()
SEED = 1
DAYS = 728
ELECTRONICS, FOOD, SPORTS = 0, 2, 5


class Drawn:
    """Two years of a world in columns, with the number of the day beside."""

    def __init__(self, world: World) -> None:
        self.world = world
        days = [world.day(number) for number in range(DAYS)]
        self.number = np.repeat(np.arange(DAYS), [len(day.second) for day in days])
        self.sales = Sales(*(np.concatenate(columns) for columns in zip(*days, strict=True)))
        self.weekday = (self.number + FIRST_DAY.weekday()) % 7
        self.hour = self.sales.second // 3600
        month = np.array([(FIRST_DAY + timedelta(days=number)).month for number in range(DAYS)])
        self.month = month[self.number]


@pytest.fixture(scope="module")
def drawn() -> Drawn:
    return Drawn(World(SEED, STORE))


def same(one: Sales, other: Sales) -> bool:
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in Sales._fields)


def test_a_day_is_the_same_whatever_was_drawn_before() -> None:
    one, other = World(SEED, STORE), World(SEED, STORE)
    for number in range(5):
        one.day(number)
    assert same(one.day(100_000), other.day(100_000))
    assert same(one.day(3), other.day(3))
    assert not same(World(2, STORE).day(3), one.day(3))


def test_rows_are_sales_of_this_store_in_the_order_of_time() -> None:
    rows = list(islice(World(SEED, STORE).rows(), 3_000))
    sales = [msgspec.convert(row, Sale) for row in rows]
    moments = [datetime.fromisoformat(row["sold_at"]) for row in rows]
    assert moments == sorted(moments)
    assert len({row["invoice_id"] for row in rows}) == len(rows)
    assert all(STORE.opens <= moment.hour < STORE.closes for moment in moments)
    assert {sale.branch for sale in sales} == set(STORE.branches)
    assert all(("customer_id" in row) == (row["customer_type"] == "Member") for row in rows)


def test_any_number_of_branches_and_lines_can_be_drawn() -> None:
    store = Store(branches=("one",), product_lines=tuple("abcdefgh"), opens=0, closes=24)
    sales = World(SEED, store).day(0)
    assert set(sales.product_line) == set(range(8))
    assert set(sales.branch) == {0}
    assert sales.second.max() > 23 * 3600


# -- the laws, each as it is told


def test_weekdays_and_hours(drawn: Drawn) -> None:
    by_day = np.bincount(drawn.weekday, minlength=7)
    assert by_day[5] / by_day[0] == pytest.approx(1.6, rel=0.05)
    workday, weekend = (np.bincount(drawn.hour[of], minlength=24) for of in (drawn.weekday < 5, drawn.weekday >= 5))
    assert {int(hour) for hour in np.argsort(workday)[-2:]} == {18, 19}
    assert int(workday.argmax()) in (18, 19)
    assert workday[12] > workday[11] * 1.5
    assert int(weekend.argmax()) in (12, 13, 14)


def test_seasons(drawn: Drawn) -> None:
    days = [FIRST_DAY + timedelta(days=number) for number in range(DAYS)]
    sold = np.bincount(drawn.number, minlength=DAYS)

    def weeks(month: int, day: int) -> float:
        """The sales of four weeks from a day on, of both years."""
        begins = [number for number, one in enumerate(days) if (one.month, one.day) == (month, day)]
        return float(np.mean([sold[number : number + 28].sum() for number in begins]))

    assert weeks(11, 27) / weeks(10, 30) == pytest.approx(1.36, rel=0.03)
    assert weeks(1, 3) / weeks(2, 1) == pytest.approx(0.945, rel=0.03)  # 10 % less, on a swing that is 5 % higher
    assert weeks(7, 1) / weeks(2, 1) == pytest.approx(0.885, rel=0.03)
    line = drawn.sales.product_line
    months = [drawn.month == month for month in (1, 7, 12)]
    share = [np.bincount(line[of], minlength=6) / of.sum() for of in months]
    assert share[1][SPORTS] / share[0][SPORTS] == pytest.approx(1.4, rel=0.1)
    assert share[2][ELECTRONICS] / share[0][ELECTRONICS] == pytest.approx(1.5, rel=0.12)


def test_branches_and_what_they_sell(drawn: Drawn) -> None:
    branch, line = drawn.sales.branch, drawn.sales.product_line
    share = np.bincount(branch) / len(branch)
    assert share == pytest.approx([0.45, 0.33, 0.22], abs=0.015)
    of = [np.bincount(line[branch == one], minlength=6) / (branch == one).sum() for one in range(3)]
    assert of[0][ELECTRONICS] > 1.3 * max(of[1][ELECTRONICS], of[2][ELECTRONICS])
    assert of[1][FOOD] > 1.2 * max(of[0][FOOD], of[2][FOOD])
    assert of[2][SPORTS] > 1.35 * max(of[0][SPORTS], of[1][SPORTS])


def test_evenings_sell_more_food(drawn: Drawn) -> None:
    food, evening = drawn.sales.product_line == FOOD, drawn.hour >= rich.EVENING
    odds = [food[of].mean() / (1 - food[of].mean()) for of in (evening, ~evening)]
    assert odds[0] / odds[1] == pytest.approx(1.5, rel=0.05)


def test_each_line_has_its_own_prices(drawn: Drawn) -> None:
    medians = [np.median(drawn.sales.cents[drawn.sales.product_line == line]) / 100 for line in range(6)]
    assert medians == pytest.approx([62, 34, 11, 16, 27, 45], rel=0.05)


def test_a_promotion_is_cheaper_and_sells_more(drawn: Drawn) -> None:
    promoted = np.zeros(len(drawn.number), dtype=bool)
    for week in range(DAYS // 7):
        of = drawn.world.promotion(week)
        here = (drawn.sales.branch == of.branch) & (drawn.sales.product_line == of.product_line)
        promoted |= here & ((drawn.number + FIRST_DAY.weekday()) // 7 == week) & (drawn.weekday >= 3)
    usual = np.array([np.log(drawn.sales.cents[drawn.sales.product_line == line]).mean() for line in range(6)])
    over = np.log(drawn.sales.cents) - usual[drawn.sales.product_line]
    assert np.exp(over[promoted].mean() - over[~promoted].mean()) == pytest.approx(0.8, rel=0.02)
    assert 1.5 < promoted.mean() / (4 / 7 * 0.058) < 1.9  # of the sales from Thursday on, one line of one branch


def test_what_is_out_of_stock_is_not_sold(drawn: Drawn) -> None:
    outs = 0
    hours = (drawn.weekday * STORE.open_hours) + drawn.hour - STORE.opens
    week = (drawn.number + FIRST_DAY.weekday()) // 7
    for number in range(DAYS // 7):
        for out in drawn.world.stock_outs(number):
            outs += 1
            gone = (week == number) & (hours >= out.begins) & (hours < out.ends)
            here = (drawn.sales.branch == out.branch) & (drawn.sales.product_line == out.product_line)
            assert not (gone & here).any()
    assert outs / (DAYS // 7 * 18) == pytest.approx(0.04, abs=0.01)


def test_members_buy_more_and_each_in_his_own_way(drawn: Drawn) -> None:
    member, further, line = drawn.sales.member, drawn.sales.quantity - 1, drawn.sales.product_line
    known = member >= 0
    assert known.mean() == pytest.approx(0.55, abs=0.005)
    assert ((drawn.sales.customer_type == 0) == known).all()
    ratio = [further[known & (line == one)].mean() / further[~known & (line == one)].mean() for one in range(6)]
    assert np.mean(ratio) == pytest.approx(1.25, rel=0.08)
    usual = np.array([further[line == one].mean() for one in range(6)])
    half = drawn.number < DAYS // 2
    of = [_own(member[known & part], (further / usual[line])[known & part]) for part in (half, ~half)]
    often = (of[0][1] > 60) & (of[1][1] > 60)
    assert np.corrcoef(of[0][0][often], of[1][0][often])[0, 1] > 0.8


def _own(member: np.ndarray, value: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    count = np.bincount(member, minlength=rich.MEMBERS)
    return np.bincount(member, value, minlength=rich.MEMBERS) / np.maximum(count, 1), count


def test_payments_and_ratings(drawn: Drawn) -> None:
    known, payment = drawn.sales.member >= 0, drawn.sales.payment
    ewallet = [(payment[of] == 2).mean() for of in (known, ~known)]
    assert ewallet[0] > 2 * ewallet[1]
    cash = [(payment[of] == 0).mean() for of in (drawn.hour >= rich.EVENING, drawn.hour < rich.EVENING)]
    assert cash[0] < cash[1] - 0.08
    rating = drawn.sales.rating / 10
    assert rating[known].mean() - rating[~known].mean() == pytest.approx(0.5, abs=0.03)


def test_what_has_no_effect_has_none(drawn: Drawn) -> None:
    female = drawn.sales.gender == 0
    value = drawn.sales.cents * drawn.sales.quantity
    difference = np.log(value[female]).mean() - np.log(value[~female]).mean()
    assert abs(difference) < 4 * np.log(value).std() / np.sqrt(len(value) / 4)


# -- drift


def test_prices_and_demand_drift_from_a_day_on() -> None:
    still, drifting = World(SEED, STORE), World(SEED, STORE, drift=Drift(10, price=1.25, demand=0.5))
    assert same(still.day(9), drifting.day(9))
    before, after = ([world.day(number) for number in range(10, 40)] for world in (still, drifting))
    count = [sum(len(day.second) for day in days) for days in (before, after)]
    assert count[1] / count[0] == pytest.approx(0.5, rel=0.05)
    price = [np.exp(np.log(np.concatenate([day.cents for day in days])).mean()) for days in (before, after)]
    assert price[1] / price[0] == pytest.approx(1.25, rel=0.03)
