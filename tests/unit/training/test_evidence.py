"""Figures beside their baselines: what is chance is called so."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import mean_absolute_error, mean_pinball_loss, r2_score, root_mean_squared_error

from training.evidence import compare, compare_auc, coverage, estimate, mae, pinball, r2, rmse

ROWS = 2_000
DAYS = np.repeat(np.arange(40), ROWS // 40)


@pytest.fixture
def draw() -> np.random.Generator:
    return np.random.default_rng(3)


def test_the_figures_are_those_of_scikit_learn(draw: np.random.Generator) -> None:
    true, said = draw.normal(size=ROWS), draw.normal(size=ROWS)
    for ours, theirs in ((rmse, root_mean_squared_error), (mae, mean_absolute_error), (r2, r2_score)):
        assert estimate(ours(true, said), DAYS).value == pytest.approx(theirs(true, said))
    levels = (0.1, 0.5, 0.9)
    quantiles = np.sort(draw.normal(size=(ROWS, 3)), axis=1)
    expected = np.mean([mean_pinball_loss(true, one, alpha=at) for one, at in zip(quantiles.T, levels, strict=True)])
    assert estimate(pinball(true, quantiles, levels), DAYS).value == pytest.approx(expected)
    assert estimate(coverage(true, true - 1, true + 1), DAYS).value == 1.0


def test_an_interval_holds_the_truth_as_often_as_it_says(draw: np.random.Generator) -> None:
    held = 0
    for _ in range(100):
        true = draw.normal(size=ROWS) + np.repeat(draw.normal(size=40), ROWS // 40)  # days differ
        found = estimate(mae(true, np.zeros(ROWS)), DAYS)
        held += found.low <= np.sqrt(2 / np.pi) * np.sqrt(2) <= found.high
    assert 85 <= held <= 100


def test_better_worse_and_neither_are_told_in_words(draw: np.random.Generator) -> None:
    true = draw.normal(size=ROWS)
    near, far = true + draw.normal(size=ROWS) / 2, true + draw.normal(size=ROWS)
    also = true + draw.normal(size=ROWS)
    assert compare("RMSE", rmse(true, near), "the mean", rmse(true, far), DAYS).verdict == "better than the mean"
    assert compare("RMSE", rmse(true, far), "the mean", rmse(true, near), DAYS).verdict == "worse than the mean"
    assert compare("RMSE", rmse(true, far), "the mean", rmse(true, also), DAYS).verdict == "no better than the mean"
    found = compare("R²", r2(true, near), "the mean", r2(true, far), DAYS, more_is_better=True)
    assert found.better
    assert found.gain.value == pytest.approx(found.ours.value - found.theirs.value)


def test_areas_under_the_curve(draw: np.random.Generator) -> None:
    labels = np.arange(400) % 2 == 1
    found = compare_auc("AUC", labels + draw.normal(size=400) / 2, "a coin", draw.normal(size=400), labels)
    assert found.better
    assert found.ours.low < found.ours.value < found.ours.high
    assert abs(found.theirs.value - 0.5) < 0.1
    coins = compare_auc("AUC", draw.normal(size=400), "a coin", draw.normal(size=400), labels)
    assert coins.verdict == "no better than a coin"
