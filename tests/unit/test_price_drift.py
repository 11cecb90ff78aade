"""A quarter dearer is found soon; clean sales alarm hardly ever."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.rich import World
from tidemark.models.price_drift import learn, moved
from tidemark.store import Store

STORE = Store()
LINES = np.array(STORE.product_lines)


def days(seed: int, numbers: range) -> tuple[list[str], np.ndarray]:
    world = World(seed, STORE)
    sales = [world.day(number) for number in numbers]
    return (
        LINES[np.concatenate([day.product_line for day in sales])].tolist(),
        np.concatenate([day.cents for day in sales]) / 100,
    )


REFERENCE = learn(*days(1, range(60)))


@pytest.mark.parametrize("factor", [1.25, 0.8])
def test_a_change_by_a_quarter_is_found_within_300_sales(factor: float) -> None:
    for seed in range(2, 22):
        lines, prices = days(seed, range(60, 61))
        found = moved(lines, prices * factor, REFERENCE)
        assert found is not None
        assert found.at <= 300
        assert (found.factor > 1) == (factor > 1)


def test_it_is_found_from_where_it_begins() -> None:
    lines, prices = days(3, range(60, 62))
    prices[900:] *= 1.25
    found = moved(lines, prices, REFERENCE)
    assert found is not None
    assert 900 < found.at <= 1_200
    assert 850 <= found.since <= 1_000


def test_clean_sales_alarm_less_than_once_in_ten_thousand() -> None:
    alarms = sales = 0
    for seed in (5, 6, 7, 8):
        for first in (60, 90, 120):
            lines, prices = days(seed, range(first, first + 9))
            sales += len(prices)
            alarms += moved(lines, prices, REFERENCE) is not None
    assert sales > 100_000
    assert alarms <= 1


def test_a_line_that_is_not_known_is_held_against_all() -> None:
    lines, prices = days(2, range(60, 61))
    assert moved(["new"] * len(lines), prices, REFERENCE) is None
    assert moved([], np.array([]), REFERENCE) is None
    few = learn(["rare"] * 3 + lines, np.concatenate([[1.0, 2.0, 3.0], prices]))
    assert "rare" not in few.lines
