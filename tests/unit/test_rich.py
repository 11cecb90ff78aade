"""The rich world: every law that it tells of is in what it draws, and any stretch of it is drawn the same again."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cached_property
from hashlib import sha256
from itertools import islice

import msgspec
import numpy as np
import pytest

from simulator import rich
from simulator.rich import Sales, World
from simulator.sources import FIRST_DAY
from tidemark.sale import Sale
from tidemark.store import Store

STORE = Store()
SEED = 1
DAYS = 728
ELECTRONICS, FASHION, FOOD, HEALTH, HOME, SPORTS = range(6)


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

    @cached_property
    def busy(self) -> np.ndarray:
        """Whether a sale fell in an hour with more than nine tenths of the day's busiest's, as they are on average."""
        hours = np.array([self.world.expected(number).sum(axis=(1, 2)) for number in range(DAYS)])
        busy: np.ndarray = hours > 0.9 * hours.max(axis=1, keepdims=True)
        return busy[self.number, self.hour - STORE.opens]


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


def test_a_seed_draws_what_it_always_drew() -> None:
    lines = b"".join(msgspec.json.encode(row) + b"\n" for row in islice(World(1, STORE).rows(), 1_000))
    assert sha256(lines).hexdigest() == "7b916dde5cb4e9df50283d6ac7ceeac97f35d939ddeca3c4a7a31600edd995d0"


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
    steady = drawn.sales.product_line != FOOD  # which sells more in the evening
    for of, told in ((drawn.weekday < 5, {10: 0.5, 12: 1.3, 18: 1.6}), (drawn.weekday >= 5, {13: 1.47, 20: 0.37})):
        sold = np.bincount(drawn.hour[of & steady], minlength=24)[STORE.opens : STORE.closes]
        for hour, times in told.items():
            assert sold[hour - STORE.opens] / sold.mean() == pytest.approx(times, rel=0.03)


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
    sold = np.array([np.bincount(line[branch == one], minlength=6) for one in range(3)])
    odds = sold / sold[:, [FASHION, HEALTH, HOME]].sum(axis=1, keepdims=True)  # those are liked alike everywhere
    for one, liked, times in ((0, ELECTRONICS, 1.5), (1, FOOD, 1.4), (2, SPORTS, 1.6)):
        assert odds[one, liked] / np.delete(odds[:, liked], one).mean() == pytest.approx(times, rel=0.05)
        assert odds[one, HOME] == pytest.approx(12 / 47, rel=0.05)
    usual = (drawn.hour < rich.EVENING) & np.isin(drawn.month, (3, 4, 9, 10))  # no evening, and no season of a line
    plain = np.array([np.bincount(line[(branch == one) & usual], minlength=6) for one in range(3)])
    assert plain[1, ELECTRONICS] / plain[1, FASHION] == pytest.approx(15 / 18, rel=0.07)
    assert plain[0, FOOD] / plain[0, FASHION] == pytest.approx(28 / 18, rel=0.07)
    assert plain[:2, SPORTS].sum() / plain[:2, FASHION].sum() == pytest.approx(10 / 18, rel=0.07)
    assert plain[:, HEALTH].sum() / plain[:, FASHION].sum() == pytest.approx(17 / 18, rel=0.05)


def test_evenings_sell_more_food(drawn: Drawn) -> None:
    food, evening = drawn.sales.product_line == FOOD, drawn.hour >= rich.EVENING
    odds = [food[of].mean() / (1 - food[of].mean()) for of in (evening, ~evening)]
    assert odds[0] / odds[1] == pytest.approx(1.5, rel=0.05)


def test_each_line_has_its_own_prices(drawn: Drawn) -> None:
    medians = [np.median(drawn.sales.cents[drawn.sales.product_line == line]) / 100 for line in range(6)]
    assert medians == pytest.approx([62, 34, 11, 16, 27, 45], rel=0.05)
    spreads = [np.log(drawn.sales.cents[drawn.sales.product_line == line]).std() for line in range(6)]
    assert spreads == pytest.approx([0.35, 0.40, 0.45, 0.38, 0.50, 0.42], rel=0.05)


def test_each_line_has_its_own_baskets(drawn: Drawn) -> None:
    guest = drawn.sales.member < 0
    quantity = [drawn.sales.quantity[guest & (drawn.sales.product_line == line)] for line in range(6)]
    assert [one.min() for one in quantity] == [1] * 6
    assert [one.mean() - 1 for one in quantity] == pytest.approx([0.4, 0.8, 3.2, 1.2, 1.0, 0.5], rel=0.03)
    assert [one.var() / (one.mean() - 1) for one in quantity] == pytest.approx([1] * 6, rel=0.03)  # Poisson


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
            assert out.ends - out.begins <= 30
            assert out.ends - out.begins >= 6 or out.ends == 7 * STORE.open_hours  # none goes on in the next week
            gone = (week == number) & (hours >= out.begins) & (hours < out.ends)
            here = (drawn.sales.branch == out.branch) & (drawn.sales.product_line == out.product_line)
            assert not (gone & here).any()
    assert outs / (DAYS // 7 * 18) == pytest.approx(0.04, abs=0.01)


def test_two_in_five_who_find_none_buy_something_else(drawn: Drawn, monkeypatch: pytest.MonkeyPatch) -> None:
    shape = (DAYS, STORE.open_hours, len(STORE.branches), len(STORE.product_lines))
    sold = np.zeros(shape)
    np.add.at(sold, (drawn.number, drawn.hour - STORE.opens, drawn.sales.branch, drawn.sales.product_line), 1)
    with monkeypatch.context() as never:
        never.setattr(rich, "STOCK_OUT", 0.0)
        usual = np.array([drawn.world.expected(number) for number in range(DAYS)])
    gone = np.array([drawn.world.expected(number) for number in range(DAYS)]) == 0
    there = gone.any(axis=3)  # where a line was out
    more = sold[there].sum() - usual[there][~gone[there]].sum()
    assert more / usual[gone].sum() == pytest.approx(0.4, abs=0.08)


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
    own = [np.log(one[often]) for one, _ in of]
    assert np.sqrt(np.cov(*own)[0, 1]) == pytest.approx(0.5, rel=0.1)  # what both halves share is his own


def test_a_member_has_a_branch_and_a_favourite_line(drawn: Drawn) -> None:
    known = drawn.sales.member >= 0
    member, branch, line = (one[known] for one in (drawn.sales.member, drawn.sales.branch, drawn.sales.product_line))
    visits = np.zeros((rich.MEMBERS, 3), dtype=int)
    np.add.at(visits, (member, branch), 1)
    assert ((visits > 0).sum(axis=1) <= 1).all()
    home = visits.argmax(axis=1)
    half = drawn.number[known] < DAYS // 2
    sold = np.zeros((2, rich.MEMBERS, 6))
    np.add.at(sold, (half.astype(int), member, line), 1)
    often = (sold.sum(axis=2) > 60).all(axis=0)
    logs = []
    for one in range(3):
        here = often & (home == one)
        lift = sold[1, here] / sold[1, here].sum(axis=0)
        favourite = lift.argmax(axis=1)  # found in one half, held against the other
        of = np.array([sold[0, here][favourite == other].sum(axis=0) for other in range(6)])
        logs += [np.log(of[a, a] * of[b, b] / (of[a, b] * of[b, a])) / 2 for a in range(6) for b in range(a)]
    assert np.exp(np.mean(logs)) == pytest.approx(3.0, rel=0.1)


def _own(member: np.ndarray, value: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    count = np.bincount(member, minlength=rich.MEMBERS)
    return np.bincount(member, value, minlength=rich.MEMBERS) / np.maximum(count, 1), count


def test_payments_and_ratings(drawn: Drawn) -> None:
    known, payment = drawn.sales.member >= 0, drawn.sales.payment
    evening = drawn.hour >= rich.EVENING
    parts = (known & ~evening, known & evening, ~known & ~evening, ~known & evening)
    assert [(payment[of] == 2).mean() for of in parts] == pytest.approx([0.5, 0.55, 0.2, 0.25], abs=0.01)
    assert [(payment[of] == 0).mean() for of in parts] == pytest.approx([0.25, 0.15, 0.5, 0.35], abs=0.01)
    rating = drawn.sales.rating / 10
    assert rating[known].mean() - rating[~known].mean() == pytest.approx(0.5, abs=0.03)
    assert rating[~drawn.busy].mean() == pytest.approx(7.2, abs=0.03)
    assert rating[drawn.busy].mean() - rating[~drawn.busy].mean() == pytest.approx(-0.9, abs=0.03)


def test_what_has_no_effect_has_none(drawn: Drawn) -> None:
    female = drawn.sales.gender == 0
    value = drawn.sales.cents * drawn.sales.quantity
    difference = np.log(value[female]).mean() - np.log(value[~female]).mean()
    assert abs(difference) < 4 * np.log(value).std() / np.sqrt(len(value) / 4)


# -- drift


def test_demand_drifts_from_the_day_after_so_many_sales() -> None:
    world = World(SEED, STORE)
    before = [len(world.day(number).second) for number in range(10)]
    after = sum(before) - 100  # in the middle of day 9
    still, drifting = (
        list(islice(world.rows(after=after, demand=demand), sum(before) + 20_000)) for demand in (1.0, 0.5)
    )
    assert still[: sum(before)] == drifting[: sum(before)]
    days = [len({row["sold_at"][:10] for row in rows[sum(before) :]}) for rows in (still, drifting)]
    assert days[0] / days[1] == pytest.approx(0.5, rel=0.15)
    counts = [[len(world.day(number, demand=demand).second) for number in range(10, 40)] for demand in (1.0, 0.5)]
    assert sum(counts[1]) / sum(counts[0]) == pytest.approx(0.5, rel=0.05)
