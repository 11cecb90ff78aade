"""Figures in reports, as they are read."""

from __future__ import annotations

import pytest

from tidemark.housing.markdown import correlation, figure


@pytest.mark.parametrize(
    ("given", "written"),
    [(0.8738, "0.874"), (-0.0, "0.000"), (-0.0004, "0.000"), (-0.0224, "−0.022"), (-1200.4, "−1,200")],
)
def test_a_figure_to_three_digits(given: float, written: str) -> None:
    assert figure(given, 3) == written


@pytest.mark.parametrize(("given", "written"), [(0.694, "+0.69"), (-0.15, "−0.15"), (-0.003, "+0.00")])
def test_a_correlation(given: float, written: str) -> None:
    assert correlation(given) == written
