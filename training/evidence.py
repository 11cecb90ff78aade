"""A metric beside its baseline, with intervals: whether a model has learnt anything is said by these, in words.

Every metric here is a quotient of sums over rows, so that it can be drawn anew from sums over days: whole days are
resampled, since the sales of a day resemble one another.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt
from sklearn.metrics import roc_auc_score

RESAMPLES = 2_000
FEWEST_GROUPS = 10
AUC_RESAMPLES = 300
CONFIDENCE = 0.95
SEED = 42

Floats: TypeAlias = npt.NDArray[np.floating[Any]]


class Estimate(msgspec.Struct, frozen=True):
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float


class Evidence(msgspec.Struct, frozen=True):
    """A model's figure beside that of the simplest thing that could do the same.

    `gain`: by how much ours is better, in the metric's unit, above 0 for better; `rows` judged, in `groups` days.
    """

    metric: str
    ours: Estimate
    baseline: str
    theirs: Estimate
    gain: Estimate
    rows: int
    groups: int

    @property
    def better(self) -> bool:
        """Whether ours is better beyond chance."""
        return self.gain.low > 0

    @property
    def verdict(self) -> str:
        """What this shows, in words."""
        if self.better:
            return f"better than {self.baseline}"
        if self.gain.high < 0:
            return f"worse than {self.baseline}"
        return f"no better than {self.baseline}"


def spells(times: Sequence[str]) -> npt.NDArray[np.str_]:
    """What is resampled whole: the days of some ISO 8601 times, their hours where the days are few, or each alone."""
    for width in (len("2026-01-05"), len("2026-01-05T13")):
        found = np.array([time[:width] for time in times])
        if len(np.unique(found)) >= FEWEST_GROUPS:
            return found
    return np.arange(len(times)).astype(np.str_)


class Sums:
    """A figure that is `finish(sum of above / sum of below)` over rows; `above`, `below`: shape (rows,)."""

    def __init__(self, above: Floats, below: Floats | None = None, finish: Callable[[Any], Any] = lambda q: q) -> None:
        self.above = np.asarray(above, np.float64)
        self.below = np.ones(len(self.above)) if below is None else np.asarray(below, np.float64)
        self.finish = finish

    def of(self, weights: Floats, place: npt.NDArray[np.intp]) -> Floats:
        """The figure of each resample; `weights`: shape (resamples, groups), `place`: each row's group."""
        groups = weights.shape[1]
        above = np.bincount(place, self.above, groups)
        below = np.bincount(place, self.below, groups)
        found: Floats = np.asarray(self.finish((weights @ above) / (weights @ below)))
        return found


def rmse(true: Floats, predicted: Floats) -> Sums:
    """Root mean squared error."""
    return Sums((true - predicted) ** 2, finish=np.sqrt)


def mae(true: Floats, predicted: Floats) -> Sums:
    """Mean absolute error."""
    return Sums(np.abs(true - predicted))


def r2(true: Floats, predicted: Floats) -> Sums:
    """Share of the variance about the judged rows' own mean that is explained."""
    return Sums((true - predicted) ** 2, (true - true.mean()) ** 2, lambda quotient: 1 - quotient)


def pinball(true: Floats, predicted: Floats, levels: Sequence[float]) -> Sums:
    """Mean pinball loss; `predicted`: shape (rows, levels)."""
    error = true[:, None] - predicted
    at = np.asarray(levels)
    return Sums(np.maximum(at * error, (at - 1) * error).mean(axis=1))


def coverage(true: Floats, low: Floats, high: Floats) -> Sums:
    """Share of rows inside their interval."""
    return Sums(((true >= low) & (true <= high)).astype(np.float64))


def estimate(figure: Sums, groups: npt.NDArray[Any]) -> Estimate:
    """A figure with its interval; `groups`: each row's day."""
    weights, place = _drawn(groups)
    return _told(figure.of(weights, place))


def compare(
    metric: str,
    ours: Sums,
    baseline: str,
    theirs: Sums,
    groups: npt.NDArray[Any],
    *,
    more_is_better: bool = False,
) -> Evidence:
    """Both figures on the same rows, drawn anew together; `groups`: each row's day."""
    weights, place = _drawn(groups)
    mine, other = ours.of(weights, place), theirs.of(weights, place)
    gain = mine - other if more_is_better else other - mine
    return Evidence(metric, _told(mine), baseline, _told(other), _told(gain), len(place), weights.shape[1])


def compare_auc(metric: str, ours: Floats, baseline: str, theirs: Floats, labels: npt.NDArray[np.bool_]) -> Evidence:
    """Areas under the ROC curves of two scores of the same rows; rows are drawn anew within each class."""
    draw = np.random.default_rng(SEED)
    good, bad = np.flatnonzero(~labels), np.flatnonzero(labels)
    found = [(float(roc_auc_score(labels, ours)), float(roc_auc_score(labels, theirs)))]
    for _ in range(AUC_RESAMPLES):
        rows = np.concatenate([draw.choice(good, len(good)), draw.choice(bad, len(bad))])
        found.append((float(roc_auc_score(labels[rows], ours[rows])), float(roc_auc_score(labels[rows], theirs[rows]))))
    mine, other = np.array(found).T
    return Evidence(metric, _told(mine), baseline, _told(other), _told(mine - other), len(labels), len(labels))


def _drawn(groups: npt.NDArray[Any]) -> tuple[Floats, npt.NDArray[np.intp]]:
    """How often each group is drawn, shape (1 + resamples, groups), all once in the first; and each row's group."""
    found, place = np.unique(groups, return_inverse=True)
    draw = np.random.default_rng(SEED)
    drawn = draw.multinomial(len(found), np.full(len(found), 1 / len(found)), RESAMPLES)
    return np.concatenate([np.ones((1, len(found))), drawn]), place


def _told(values: Floats) -> Estimate:
    """The figure, which is the first value, with the interval of the resamples, which are the others."""
    return Estimate(float(values[0]), *interval(values[1:]))


def interval(values: Floats) -> tuple[float, float]:
    """Between which bounds 95 % of the values lie."""
    low, high = np.quantile(values, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return float(low), float(high)
