"""Error budgets, the watermark, and how long posts take."""

from __future__ import annotations

import pytest

from tidemark.objectives import OBJECTIVES, SHOWN_WITHIN_MS, budget
from tidemark.watermark import ALLOWED_LATENESS, watermarks
from ws_server.stages import KEPT, Stages, quantile

POSTS, SHOWN = OBJECTIVES


@pytest.mark.parametrize(
    ("total", "bad", "left"), [(0, 0, None), (1_000, 0, 1), (1_000, 1, 0), (10_000, 5, 0.5), (1_000, 3, -2)]
)
def test_a_budget_is_the_share_that_may_go_wrong(total: int, bad: int, left: float | None) -> None:
    assert budget(POSTS, total, bad).left == (None if left is None else pytest.approx(left))


def test_objectives_say_the_share_that_they_hold() -> None:
    for objective in OBJECTIVES:
        assert objective.promise.startswith(f"{100 * objective.share:.4g} %")


def test_a_watermark_is_behind_the_newest_sale_and_never_ahead_of_the_clock() -> None:
    found = watermarks({"A": 1_000, "B": 5_000}, now=2_000)
    assert found == {"A": 1_000 - ALLOWED_LATENESS, "B": 2_000 - ALLOWED_LATENESS}


def test_a_post_is_timed_once_however_often_it_is_told() -> None:
    stages = Stages()
    stages.heard("one", 1_000, 1_020)
    stages.heard("one", 1_000, 0)
    stages.heard("", 1_000, 0)
    stages.told(1_100)
    assert [(each.commit, each.tell, each.whole) for each in stages.timed] == [(20, 80, 100), (None, 100, 100)]
    assert stages.counts == {"told": 2, "late": 0}
    assert stages.take_requests() == (["one"], 1)
    assert stages.take_requests() == ([], 0)


def test_a_post_that_waits_too_long_is_late() -> None:
    stages = Stages()
    stages.heard("one", 1_000, 0)
    stages.told(1_001 + SHOWN_WITHIN_MS)
    assert stages.counts == {"told": 1, "late": 1}


def test_what_is_kept_is_bounded() -> None:
    stages = Stages()
    for number in range(2 * KEPT):
        stages.heard(str(number), 1, 1)
    stages.told(2)
    assert len(stages.timed) == KEPT
    assert sum(map(len, stages.take_requests()[:1])) <= KEPT
    assert quantile([], 0.5) is None
    assert quantile([3, 1, 2], 0.99) == 3
