from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidemark import money

UNITS = st.integers(-(10**18), 10**18)


@given(UNITS)
def test_text_and_units_are_inverse(units: int) -> None:
    assert money.from_text(money.to_text(units)) == units
    assert Decimal(money.to_text(units)) == money.to_decimal(units)


@given(UNITS, st.integers(1, 10**9))
def test_a_ratio_is_the_nearest_decimal(numerator: int, denominator: int) -> None:
    found = Fraction(money.ratio(numerator, denominator, 6))
    exact = Fraction(numerator, denominator)
    assert abs(found - exact) <= Fraction(1, 2 * 10**6)


def test_halves_go_to_the_even_neighbour() -> None:
    assert [money.share(1, n, 2) for n in (1, 3, 5, -1, -3)] == [0, 2, 2, 0, -2]


@pytest.mark.parametrize("text", ["", "1.23456", "NaN", "Infinity", "1,5", "abc"])
def test_what_is_no_money_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        money.from_text(text)


def test_division_drops_no_digit_that_matters() -> None:
    assert money.divide(3_229_667_490, 1000) == "322.966749"
    assert money.divide(10_000, 3) == "0.333333"
    assert money.divide(0, 7) == "0"
