"""The promotion gate."""

from __future__ import annotations

import numpy as np
import pytest

from tidemark.models.promotion import Measure, gain, judge

RANDOM = np.random.default_rng(1)
ROWS = 2_000
RMSE = Measure()
NOISE = RANDOM.normal(0, 50_000, ROWS)
GOOD = (NOISE * 0.8) ** 2
CHAMPION = NOISE**2
BASELINE = (NOISE * 1.5 + RANDOM.normal(0, 10_000, ROWS)) ** 2


def test_a_better_one_takes_over() -> None:
    verdict = judge(GOOD, BASELINE, CHAMPION, Measure(unit="$"))
    assert verdict.promoted
    assert verdict.reason.startswith("promoted: better than the champion by $")


def test_the_first_needs_only_to_beat_the_baseline() -> None:
    assert judge(GOOD, BASELINE, None, RMSE).promoted
    refused = judge(BASELINE, GOOD, None, RMSE)
    assert not refused.promoted
    assert "worse than the baseline" in refused.reason


def test_one_that_beats_a_bad_champion_but_no_baseline_is_refused() -> None:
    verdict = judge(CHAMPION, GOOD, BASELINE, RMSE)
    assert not verdict.promoted
    assert "the baseline" in verdict.reason


def test_no_better_than_chance_is_refused() -> None:
    other = RANDOM.permutation(CHAMPION)
    verdict = judge(other, BASELINE * 4, CHAMPION, RMSE)
    assert not verdict.promoted
    assert "not better than the champion beyond chance" in verdict.reason


def test_the_champion_itself_never_beats_itself() -> None:
    verdict = judge(CHAMPION, BASELINE, CHAMPION, RMSE)
    assert not verdict.promoted
    assert verdict.over_champion is not None
    assert (verdict.over_champion.low, verdict.over_champion.high) == (0, 0)


def test_a_false_promotion_is_rare() -> None:
    """Two equal models: at a 95 % interval, one in forty is promoted."""
    promoted = 0
    for seed in range(60):
        random = np.random.default_rng(seed)
        one, other = random.normal(0, 1, (2, 300)) ** 2
        promoted += gain(one, other, RMSE).low > 0
    assert promoted <= 6


@pytest.mark.parametrize("rows", [1, 2])
def test_very_few_rows_do_not_fail(rows: int) -> None:
    assert gain(np.ones(rows), np.full(rows, 4.0), RMSE).value == pytest.approx(1.0)


def test_a_loss_that_is_no_square_is_told_as_it_is() -> None:
    random = np.random.default_rng(5)
    mine, theirs = random.uniform(0, 1, 500), random.uniform(1, 2, 500)
    verdict = judge(mine, theirs, None, Measure("cross entropy", rooted=False, digits=3), none="nobody serves")
    assert verdict.over_baseline.value == pytest.approx(theirs.mean() - mine.mean())
    words = f"promoted: nobody serves, and it is better than the baseline by {verdict.over_baseline.value:.3f} of cross"
    assert verdict.reason.startswith(words)
