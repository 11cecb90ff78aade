from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidemark.cubes import columns
from tidemark.cubes.columns import BARS, CELLS, OTHER, Column


def numbers(low: float = 0, high: float = 1000, count: int = 20_000) -> columns.Floats:
    return np.random.default_rng(1).uniform(low, high, count)


@settings(deadline=None)  # the first call compiles
@given(
    st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=500, unique=True).map(sorted),
    st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=50),
)
def test_a_value_lies_in_the_zone_that_its_edges_say(edges: list[float], values: list[float]) -> None:
    column = Column("x", "number", "linear", tuple(edges))
    given_ = np.array([*values, *edges], np.float64)
    expected = np.clip(np.searchsorted(edges, given_, side="right") - 1, 0, len(edges) - 2)
    expected[np.isnan(given_)] = column.missing
    assert column.encode(given_).tolist() == expected.tolist()


@pytest.mark.parametrize("zones", range(1, 63))
def test_what_is_missing_has_a_bar_and_a_cell_to_itself(zones: int) -> None:
    column = Column("x", "category", "each", labels=tuple(map(str, range(zones))))
    assert (zones - 1) >> column.coarse < column.missing >> column.coarse <= CELLS
    assert zones - 1 < column.missing <= BARS


def test_even_numbers_get_round_bars() -> None:
    column = columns.of_numbers("x", numbers(), whole=False)
    assert (column.scale, column.bars, column.edges[0], column.edges[8]) == ("linear", 50, 0.0, 20.0)


def test_few_whole_numbers_get_a_bar_each() -> None:
    column = columns.of_numbers("x", np.array([3.0, 1.0, 10.0, np.nan]), whole=True)
    assert (column.scale, column.bars, column.fine, column.edges) == ("each", 10, 0, tuple(range(1, 12)))


def test_what_spans_powers_of_ten_is_cut_by_the_logarithm() -> None:
    column = columns.of_numbers("x", np.exp(numbers(0, 12)), whole=False)
    assert (column.scale, column.bars, column.zones) == ("log", 62, 496)


def test_a_crowded_column_gets_bars_of_equal_counts() -> None:
    values = np.concatenate([numbers(0, 1), numbers(-1e6, 1e6, 2_000)])
    column = columns.of_numbers("x", values, whole=False)
    assert column.scale == "quantile"
    counts = np.bincount(column.encode(values) >> column.fine)
    assert counts.max() < 2 * counts.mean()


def test_far_values_lie_in_the_bars_at_the_ends() -> None:
    values = np.array([*numbers(), 1e9, -1e9])
    column = columns.of_numbers("x", values, whole=False)
    assert column.edges[-1] < 1100
    assert column.encode(values)[-2:].tolist() == [column.zones - 1, 0]


@pytest.mark.parametrize("values", [[], [np.nan], [7.0], [7.0, 7.0, np.nan]])
def test_a_column_that_says_nothing_has_a_bar(values: list[float]) -> None:
    column = columns.of_numbers("x", np.array(values, np.float64), whole=False)
    known = [value for value in values if value == value]
    assert column.encode(np.array(known)).tolist() == [0] * len(known)


@pytest.mark.parametrize(
    ("first", "last", "bars", "second"),
    [
        ("2019-01-01T10:00", "2019-01-01T20:59", 44, "2019-01-01T10:15"),
        ("2019-01-01T10:00", "2019-03-01T20:00", 60, "2019-01-02"),
        ("2019-01-02", "2019-12-30", 53, "2019-01-07"),
        ("2015-01-02", "2019-12-30", 60, "2015-02-01"),
        ("1950-06-01", "2019-12-30", 35, "1952-01-01"),
    ],
)
def test_times_are_cut_by_the_calendar(first: str, last: str, bars: int, second: str) -> None:
    ends = [datetime.fromisoformat(moment).replace(tzinfo=UTC).timestamp() * 1000 for moment in (first, last)]
    column = columns.of_times("at", ends[0], ends[1])
    assert (column.bars, column.fine) == (bars, 3)
    assert column.edges[0] <= ends[0] <= ends[1] < column.edges[-1]
    assert datetime.fromtimestamp(column.edges[8] / 1000, UTC) == datetime.fromisoformat(second).replace(tzinfo=UTC)


def test_rare_categories_are_put_together() -> None:
    assert columns.of_categories("x", list(map(str, range(62)))).labels[-1] == "61"
    many = columns.of_categories("x", list(map(str, range(63))))
    assert (len(many.labels), many.labels[-2:]) == (62, ("60", OTHER))
