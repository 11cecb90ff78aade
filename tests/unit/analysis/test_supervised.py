"""Predictions: what is there is found, what is not there is not, and no row is judged by what it taught."""

from __future__ import annotations

import math
import threading
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from scipy import stats

from tests.unit.analysis.conftest import MakeFrame
from tidemark.analysis import explain
from tidemark.analysis.splits import kinds, split
from tidemark.analysis.supervised import _gain, supervised
from tidemark.cubes.counts import Stopped
from tidemark.errors import BadRequest

ROWS = 1_500


def test_noise_is_told_to_be_noise(make: MakeFrame, random: np.random.Generator) -> None:
    frame = make(
        x=random.normal(size=ROWS), y=random.normal(size=ROWS), kind=random.choice(["a", "b", "c"], ROWS).tolist()
    )
    for target in ("y", "kind"):
        found, predictions = supervised(frame, target)
        assert found.best is None
        assert not any(one.better for one in found.scores)
        assert found.importance == []
        assert np.isnan(predictions.predicted).all()


def test_a_straight_line_and_a_bend_are_found_with_the_skill_that_noise_leaves(
    make: MakeFrame, random: np.random.Generator
) -> None:
    x, z = random.normal(size=(2, ROWS))
    noise = random.normal(size=ROWS)
    straight, _ = supervised(make(x=x, z=z, y=3 * x + noise), "y")
    bent, predictions = supervised(make(x=x, z=z, y=3 * np.abs(x) + noise), "y")
    assert straight.best == "linear"
    assert straight.scores[0].low < 0.9 < straight.scores[0].high  # 9 of 10 parts of the variance
    assert bent.best == "trees"
    assert bent.importance[0].column == "x"
    assert bent.importance[1].low < 0.02
    places, means = np.array(bent.partial[0].places), np.array(bent.partial[0].means)
    assert np.corrcoef(means, np.abs(places))[0, 1] > 0.97
    assert np.isfinite(predictions.residual).all()
    assert all(0.7 < share < 0.9 for share in bent.coverage)
    assert np.mean([abs(one.predicted - one.true) for one in bent.calibration]) < 0.3


def test_classes_and_missing_values_are_learnt(make: MakeFrame, random: np.random.Generator) -> None:
    x = random.normal(size=ROWS)
    kind = np.where(x + random.normal(0, 0.5, ROWS) > 0, "up", "down").tolist()
    seen = np.where(random.uniform(size=ROWS) < 0.2, np.nan, x)
    found, predictions = supervised(make(x=seen, z=random.normal(size=ROWS), kind=[None, *kind[1:]]), "kind")
    best = next(one for one in found.scores if one.name == found.best)
    assert found.learnt == ROWS - 1
    assert 0.75 < best.figures["accuracy"] < 0.95
    assert best.figures["AUC"] > 0.85
    assert np.isnan(predictions.predicted[0])
    told = [found.classes[int(code)] for code in predictions.predicted[1:]]
    assert np.mean([a == b for a, b in zip(told, kind[1:], strict=True)]) == pytest.approx(best.figures["accuracy"])


def test_what_tells_the_answer_is_not_learnt_from(make: MakeFrame, random: np.random.Generator) -> None:
    price, count = random.uniform(1, 9, ROWS), random.integers(1, 10, ROWS).astype(float)
    found, _ = supervised(make(price=price, count=count, total=price * count, other=random.normal(size=ROWS)), "total")
    assert {leak.column for leak in found.leaks if leak.left_out} == {"price", "count"}
    assert [feature.name for feature in found.features] == ["other"]
    assert found.best is None
    with pytest.raises(BadRequest, match="no other column is left"):
        supervised(make(price=price, count=count, total=price * count), "total")


def test_later_rows_are_judged_by_earlier_ones_alone(make: MakeFrame, random: np.random.Generator) -> None:
    order = random.permutation(ROWS)
    frame = make(
        at=[datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=int(n)) for n in order], y=random.normal(size=ROWS)
    )
    assert kinds(frame) == ["time", "rows"]
    cut = split(frame, "time", np.arange(ROWS))
    judged = []
    for fold in cut.folds():
        assert order[fold.learnt].max() < order[fold.judged].min()
        judged += fold.judged.tolist()
    assert sorted(order[judged]) == list(range(ROWS // 6, ROWS))


def test_a_place_is_judged_by_other_places(make: MakeFrame, random: np.random.Generator) -> None:
    frame = make(
        longitude=random.uniform(-10, 0, ROWS), latitude=random.uniform(40, 44, ROWS), y=random.normal(size=ROWS)
    )
    assert kinds(frame) == ["place", "rows"]
    cut = split(frame, "place", np.arange(ROWS))
    assert cut.cell == pytest.approx(0.5, abs=0.01)
    for fold in cut.folds():
        assert not set(cut.clusters[fold.learnt]) & set(cut.clusters[fold.judged])
    assert sorted(row for fold in cut.folds() for row in fold.judged) == list(range(ROWS))


def test_rows_near_each_other_do_not_count_as_many(random: np.random.Generator) -> None:
    clusters = np.repeat(np.arange(30), 50)
    gain = np.repeat(random.normal(0.5, 1, 30), 50)
    together = _gain(np.ones(1_500), 1 - gain, clusters)
    apart = _gain(np.ones(1_500), 1 - gain, np.arange(1_500))
    assert together[0] == pytest.approx(apart[0])
    assert together[3] > 10 * apart[3]
    sums = gain.reshape(30, 50).sum(axis=1)
    t = sums.sum() / math.sqrt(30 * sums.var(ddof=1))
    assert together[3] == pytest.approx(float(stats.t.sf(t, 29)))


def test_a_part_of_few_clusters_is_not_held_for_many_rows(random: np.random.Generator) -> None:
    losses = random.exponential(1, 2_000)
    chosen = np.arange(2_000) < 500
    losses[chosen] += 0.1
    by_row = explain.differs(losses, chosen, np.arange(2_000))
    assert by_row == pytest.approx(
        float(stats.ttest_ind(losses[chosen], losses[~chosen], equal_var=False).pvalue), rel=0.2
    )
    middle = np.repeat(random.normal(0, 2, 40), 50)  # what the rows of a cluster have in common
    in_three = explain.differs(losses + middle, np.repeat(np.arange(40) < 3, 50), np.repeat(np.arange(40), 50))
    assert in_three is not None
    assert in_three > 0.01
    assert explain.differs(losses, chosen, chosen.astype(np.int64)) is None


def test_values_are_exchanged_each_once() -> None:
    for rows in (1, 2, 30, 7_919, 20_640):
        assert sorted(explain._exchanged(rows)) == list(range(rows))


def test_work_stops_when_it_is_told_to(make: MakeFrame, random: np.random.Generator) -> None:
    stop = threading.Event()

    def progress(share: float, words: str) -> None:
        if words.startswith("Fold 2"):
            stop.set()
        if stop.is_set():
            raise Stopped

    with pytest.raises(Stopped):
        supervised(make(x=random.normal(size=ROWS), y=random.normal(size=ROWS)), "y", None, progress)


def test_what_cannot_be_predicted_is_said(make: MakeFrame) -> None:
    frame = make(a=[float(n) for n in range(150)], b=[float(n * n % 7) for n in range(150)])
    with pytest.raises(BadRequest, match="known in 150 rows; 200 are needed"):
        supervised(frame, "a")
    with pytest.raises(BadRequest, match="no column 'c'"):
        supervised(frame, "c")
    with pytest.raises(BadRequest, match="cannot be split by time"):
        supervised(frame, "a", "time")
