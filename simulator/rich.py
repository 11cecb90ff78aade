"""Sales of a world whose laws are known, so that what a model finds can be held against what is there.

Time of day, weekday, season, promotions, members, branches and stock-outs each have an effect that is planted here and
told in `LAWS`. Everything else (gender, the second within an hour) has none. A day is drawn from the seed and its own
number alone: any stretch of a hundred million sales is the same, whatever was drawn before it.

On request demand drifts: from a day on each hour has so many times the sales, and nothing else changes. A drift of
prices is laid over the rows of any source (`simulator.faults`).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from simulator.sources import CITIES, FIRST_DAY, Row, priced
from tidemark.store import Store

LAWS = {
    "weekday": "Saturdays have 1.6 times the sales of Mondays.",
    "hour": "Monday to Friday 12:00 has 1.3 and 18:00 1.6 times the sales of the average hour, 10:00 half; at weekends "
    "13:00 has 1.47 times, 20:00 .37 times.",
    "season": "Sales swing by 12 % over the year; the four weeks before Christmas have 35 % more, January 10 % less.",
    "season of a line": "Sports and travel sells 40 % more in July than in January; electronics half as much again in "
    "December.",
    "line": "Lines differ in size: electronics 15 % of sales, fashion 18, food 28, health 17, home 12 and sports 10, "
    "before a branch, a season or the evening changes that.",
    "branch": "Branches differ in size (45, 33 and 22 % of sales) and in what they sell: A 1.5 times its share of "
    "electronics, B 1.4 times of food, C 1.6 times of sports.",
    "evening": "From 17:00 on food sells half as much again.",
    "price": "Each line has its own log-normal prices: medians from 11 (food) to 62 (electronics), spreads "
    "from .35 (electronics) to .5 (home).",
    "quantity": "One item, and further ones by line, Poisson: from .4 (electronics) to 3.2 (food) on average.",
    "promotion": "Each week, Thursday to Sunday, one line is 20 % cheaper in one branch and sells 1.7 times as often.",
    "stock-out": "In one week of 25 a line is out of stock in a branch for 6 to 30 open hours: none of it is sold, and "
    "two fifths of those customers buy something else there.",
    "member": "55 % of sales are members'; they buy 1.25 times as many further items.",
    "customer": "Each member has a branch, a favourite line (3 times as likely) and a basket of his own: a factor on "
    "further items, log-normal with a spread of .5, that stays.",
    "payment": "Members pay 50 % by Ewallet and 25 % in cash, from 17:00 on 55 and 15 %; others 20 and 50 %, then 25 "
    "and 35 %.",
    "rating": "7.2 on average, .5 more from members than from others, .9 less in hours that are more than nine tenths "
    "as busy as the day's busiest.",
}
"""The planted effects; tests find each in what is drawn."""

TICKETS_A_DAY = 1_200.0
MEMBERS = 4_000
PROMOTED, CHEAPER = 1.7, 0.8
STOCK_OUT, INSTEAD = 0.04, 0.4
MEMBERS_SHARE, MEMBERS_MORE, OWN_SPREAD, FAVOURITE = 0.55, 1.25, 0.5, 3.0
EVENING = 17
_WEEKDAY = np.array([0.85, 0.85, 0.9, 0.95, 1.15, 1.36, 0.94])
_WORKDAY_HOURS = np.array([0.5, 0.7, 1.3, 1.1, 0.7, 0.6, 0.8, 1.2, 1.6, 1.5, 1.0])
_WEEKEND_HOURS = np.array([0.7, 1.1, 1.5, 1.6, 1.5, 1.4, 1.3, 1.1, 0.8, 0.6, 0.4])
_BRANCH = np.array([0.45, 0.33, 0.22])
# By product line, in the order of the store's: electronics, fashion, food, health, home, sports.
_LINE = np.array([0.15, 0.18, 0.28, 0.17, 0.12, 0.10])
_MEDIAN = np.array([62.0, 34.0, 11.0, 16.0, 27.0, 45.0])
_SPREAD = np.array([0.35, 0.40, 0.45, 0.38, 0.50, 0.42])
_FURTHER = np.array([0.4, 0.8, 3.2, 1.2, 1.0, 0.5])
_TASTE = np.array([[1.5, 1, 1, 1, 1, 1], [1, 1, 1.4, 1, 1, 1], [1, 1, 1, 1, 1, 1.6]])
_ELECTRONICS, _FOOD, _SPORTS = 0, 2, 5
_PAYMENT = np.array([[[0.25, 0.25, 0.5], [0.15, 0.3, 0.55]], [[0.5, 0.3, 0.2], [0.35, 0.4, 0.25]]])

Int = npt.NDArray[np.int64]
Float = npt.NDArray[np.float64]
Code = npt.NDArray[np.int8]


class Sales(NamedTuple):
    """`n` sales in columns, in the order of time; codes are places in the store's lists.

    `second`: int64[n] of the day; `member`: int32[n], -1 for none; `cents`: int64[n] a piece; `rating`: int8[n],
    tenths.
    """

    second: Int
    branch: Code
    product_line: Code
    customer_type: Code
    payment: Code
    gender: Code
    member: npt.NDArray[np.int32]
    cents: Int
    quantity: Int
    rating: Code


class Promotion(NamedTuple):
    """One line in one branch, Thursday to Sunday of its week."""

    branch: int
    product_line: int


class StockOut(NamedTuple):
    """One line in one branch from one open hour of a week to before another."""

    branch: int
    product_line: int
    begins: int
    ends: int


class World:
    """One world, from a seed. Day 0 is 2019-01-01; `tickets_a_day`: on average, but for promotions and evenings."""

    def __init__(self, seed: int, store: Store, *, tickets_a_day: float = TICKETS_A_DAY) -> None:
        self._seed, self._store, self._tickets = seed, store, tickets_a_day
        branches, lines = len(store.branches), len(store.product_lines)
        self._branch = _shares(np.resize(_BRANCH, branches))
        self._line = _shares(np.resize(_LINE, lines))
        self._taste = np.resize(np.resize(_TASTE, (branches, _TASTE.shape[1])), (branches, lines))
        draw = np.random.default_rng([seed, 0])
        self._home = draw.choice(branches, MEMBERS, p=self._branch)
        self._favourite = draw.choice(lines, MEMBERS, p=self._line)
        activity = draw.gamma(0.8, 1.0, MEMBERS)
        self._own = np.exp(draw.normal(-(OWN_SPREAD**2) / 2, OWN_SPREAD, MEMBERS))
        self._choice = [[self._members(activity, branch, line) for line in range(lines)] for branch in range(branches)]

    def _members(self, activity: Float, branch: int, line: int) -> tuple[Int, Float]:
        """Who buys a line in a branch: members, and the upper ends of their shares."""
        own = np.flatnonzero(self._home == branch)
        ends = np.cumsum(activity[own] * np.where(self._favourite[own] == line, FAVOURITE, 1.0))
        return own, ends / ends[-1]

    # -- what is planned

    def promotion(self, week: int) -> Promotion:
        """The promotion of a week."""
        draw = np.random.default_rng([self._seed, 1, week])
        return Promotion(int(draw.integers(len(self._branch))), int(draw.integers(len(self._line))))

    def stock_outs(self, week: int) -> list[StockOut]:
        """The stock-outs that begin in a week; open hours are counted from its Monday's first."""
        draw = np.random.default_rng([self._seed, 2, week])
        hours = 7 * self._store.open_hours
        found = []
        for branch in range(len(self._branch)):
            for line in range(len(self._line)):
                if draw.random() < STOCK_OUT:
                    begins = int(draw.integers(hours))
                    found.append(StockOut(branch, line, begins, min(hours, begins + int(draw.integers(6, 31)))))
        return found

    def expected(self, number: int, *, demand: float = 1.0) -> Float:
        """How many sales day `number` has on average, `demand` times as usual: float64[open hours, branches, lines]."""
        day = FIRST_DAY + timedelta(days=number)
        week, weekday = divmod(number + FIRST_DAY.weekday(), 7)
        weekend = weekday >= 5
        hours = self._hours(weekend=weekend)
        sales = self._tickets * _WEEKDAY[weekday] * _season(day) * demand
        taste = self._taste * self._line * _season_of_lines(day, len(self._line))
        taste = taste / taste.sum(axis=1, keepdims=True)
        found: Float = sales * hours[:, None, None] * self._branch[None, :, None] * taste[None]
        evening = np.arange(self._store.opens, self._store.closes) >= EVENING
        food = np.arange(len(self._line)) % len(_LINE) == _FOOD
        found[np.ix_(evening, np.ones(len(self._branch), bool), food)] *= 1.5
        if weekday >= 3:
            promoted = self.promotion(week)
            found[:, promoted.branch, promoted.product_line] *= PROMOTED
        first = weekday * self._store.open_hours
        for out in self.stock_outs(week):
            gone = slice(max(0, out.begins - first), max(0, out.ends - first))
            lost = found[gone, out.branch, out.product_line].copy()
            found[gone, out.branch, out.product_line] = 0
            rest = found[gone, out.branch].sum(axis=1)
            found[gone, out.branch] *= (1 + INSTEAD * lost / np.maximum(rest, 1e-9))[:, None]
        return found

    def _hours(self, *, weekend: bool) -> Float:
        """The share of each open hour."""
        profile = _WEEKEND_HOURS if weekend else _WORKDAY_HOURS
        places = (np.arange(self._store.open_hours) + 0.5) / self._store.open_hours
        return _shares(np.interp(places, (np.arange(len(profile)) + 0.5) / len(profile), profile))

    # -- what is drawn

    def day(self, number: int, *, demand: float = 1.0) -> Sales:
        """The sales of day `number`, on average `demand` times as many as usual."""
        draw = np.random.default_rng([self._seed, 3, number])
        expected = self.expected(number, demand=demand)
        counts = draw.poisson(expected)
        hour, branch, line = np.unravel_index(np.repeat(np.arange(counts.size), counts.ravel()), counts.shape)
        count = len(hour)
        second = (self._store.opens + hour) * 3600 + draw.integers(0, 3600, count)
        order = np.argsort(second, kind="stable")
        second, hour, branch, line = second[order], hour[order], branch[order], line[order]
        member = self._who(draw, branch, line)
        known = member >= 0
        evening = (self._store.opens + hour >= EVENING).astype(np.int8)
        ends = np.cumsum(_PAYMENT[1 - known.astype(np.int8), evening], axis=1)[:, :-1]
        payment = (draw.random(count)[:, None] > ends).sum(axis=1) % len(self._store.payments)
        price = _MEDIAN[line % len(_MEDIAN)] * np.exp(draw.normal(0, _SPREAD[line % len(_SPREAD)]))
        further = _FURTHER[line % len(_FURTHER)] * np.where(known, MEMBERS_MORE * self._own[member], 1.0)
        week, weekday = divmod(number + FIRST_DAY.weekday(), 7)
        if weekday >= 3:
            promoted = self.promotion(week)
            price[(branch == promoted.branch) & (line == promoted.product_line)] *= CHEAPER
        busy = expected.sum(axis=(1, 2))
        rating = 7.2 + 0.5 * (known - MEMBERS_SHARE) - 0.9 * (busy[hour] / busy.max() > 0.9) + draw.normal(0, 1, count)
        return Sales(
            second=second,
            branch=branch.astype(np.int8),
            product_line=line.astype(np.int8),
            customer_type=(1 - known).astype(np.int8),
            payment=payment.astype(np.int8),
            gender=draw.integers(0, 2, count, dtype=np.int8),
            member=member,
            cents=np.maximum(1, np.rint(100 * price)).astype(np.int64),
            quantity=1 + draw.poisson(further),
            rating=np.clip(np.rint(10 * rating), 40, 100).astype(np.int8),
        )

    def _who(self, draw: np.random.Generator, branch: Int, line: Int) -> npt.NDArray[np.int32]:
        """Each sale's member, -1 where it is nobody's."""
        member = np.full(len(branch), -1, dtype=np.int32)
        known, place = draw.random(len(branch)) < MEMBERS_SHARE, draw.random(len(branch))
        for one, choices in enumerate(self._choice):
            for other, (who, ends) in enumerate(choices):
                of = np.flatnonzero(known & (branch == one) & (line == other))
                member[of] = who[np.searchsorted(ends, place[of], side="right").clip(max=len(who) - 1)]
        return member

    def rows(self, *, after: int = 0, demand: float = 1.0) -> Iterator[Row]:
        """Endless sales as a till sends them; days that begin after `after` sales have `demand` times as many."""
        store, seed = self._store, self._seed
        zone = ZoneInfo(store.zone)
        number = day = 0
        while True:
            midnight = datetime.combine(FIRST_DAY + timedelta(days=day), time(), zone)
            sales = self.day(day, demand=demand if number >= after else 1.0)
            for at in range(len(sales.second)):
                branch = store.branches[sales.branch[at]]
                row: Row = {
                    "invoice_id": drawn_id(seed, number),
                    "sold_at": (midnight + timedelta(seconds=int(sales.second[at]))).astimezone(UTC).isoformat(),
                    "branch": branch,
                    "customer_type": store.customer_types[sales.customer_type[at]],
                    "gender": ("Female", "Male")[sales.gender[at]],
                    "product_line": store.product_lines[sales.product_line[at]],
                    "payment": store.payments[sales.payment[at]],
                    "rating": int(sales.rating[at]) / 10,
                    **priced(Decimal(int(sales.cents[at])) / 100, int(sales.quantity[at]), store),
                }
                if branch in CITIES:
                    row["city"] = CITIES[branch]
                if sales.member[at] >= 0:
                    row["customer_id"] = f"m{seed}-{sales.member[at]:04d}"
                yield row
                number += 1
            day += 1


def drawn_id(seed: int, number: int) -> str:
    """The invoice id of drawn sale `number`."""
    return f"r{seed}-{number:09d}"


def _shares(weights: Float) -> Float:
    found: Float = weights / weights.sum()
    return found


def _season(day: date) -> float:
    angle = 2 * np.pi * (day.timetuple().tm_yday - 335) / 365
    level = 1 + 0.12 * float(np.cos(angle))
    if (day.month, day.day) >= (11, 27) and (day.month, day.day) <= (12, 24):
        return level * 1.35
    return level * (0.9 if day.month == 1 else 1.0)


def _season_of_lines(day: date, lines: int) -> Float:
    factors = np.ones(lines)
    summer = 1 - 0.2 * float(np.cos(2 * np.pi * (day.timetuple().tm_yday - 15) / 365)) / 1.2
    for line in range(lines):
        if line % len(_LINE) == _SPORTS:
            factors[line] = summer
        elif line % len(_LINE) == _ELECTRONICS and day.month == 12:
            factors[line] = 1.5
    return factors
