"""Intervals that keep their coverage while the world changes."""

from __future__ import annotations

import numpy as np

from tidemark.models.conformal import COVERAGE, recalibrated, score


def covered(true: np.ndarray, low: np.ndarray, high: np.ndarray, margin: np.ndarray) -> np.ndarray:
    inside: np.ndarray = (true >= low - margin) & (true <= high + margin)
    return inside


def test_intervals_that_are_too_narrow_or_too_wide_are_mended() -> None:
    true = np.random.default_rng(1).normal(size=4_000)
    for half in (0.2, 1.2816, 4.0):
        low, high = np.full(4_000, -half), np.full(4_000, half)
        assert abs(covered(true, low, high, recalibrated(true, low, high))[500:].mean() - COVERAGE) < 0.02


def test_coverage_comes_back_after_a_drift_that_breaks_what_was_learnt() -> None:
    draw = np.random.default_rng(2)
    true = np.concatenate([draw.normal(size=3_000), draw.normal(2, 2, size=3_000)])
    low, high = np.full(6_000, -1.2816), np.full(6_000, 1.2816)
    inside = covered(true, low, high, recalibrated(true, low, high))
    assert ((true >= low) & (true <= high))[3_000:].mean() < 0.5
    assert abs(inside[:3_000].mean() - COVERAGE) < 0.03
    assert abs(inside[3_000:].mean() - COVERAGE) < 0.03


def test_nothing_is_used_before_it_is_known() -> None:
    draw = np.random.default_rng(3)
    true = draw.normal(size=600)
    low, high = np.full(600, -0.5), np.full(600, 0.5)
    arrives = np.arange(600) + 20
    other = true.copy()
    other[300:] += 100
    for known_after in (None, arrives):
        same = 301 if known_after is None else 320
        one = recalibrated(true, low, high, known_after=known_after)
        two = recalibrated(other, low, high, known_after=known_after)
        assert np.array_equal(one[:same], two[:same])
        assert not np.array_equal(one[same:], two[same:])
    assert not recalibrated(true, low, high, known_after=np.full(600, 600)).any()


def test_what_was_known_before_counts_from_the_first_row_on() -> None:
    true = np.random.default_rng(4).normal(size=400)
    low = high = np.zeros(400)
    before = score(true, low, high)
    assert recalibrated(true[:1], low[:1], high[:1], before=before)[0] > 1
