"""Which features say something: what a model loses when one group of them is shuffled, with an interval.

A reference model, gradient boosting, learns from the first part and is judged on the part that the search for settings
is decided on; the test part stays unseen. What is shown to be worth next to nothing is dropped.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
from sklearn.ensemble import HistGradientBoostingRegressor

from training.evidence import Estimate, compare, rmse
from training.history import Feature, Float32s

SHUFFLES = 5
GIVEN = {
    "season": "cannot be judged within one year: the part that judges is another season than the part that teaches",
    "lead": "part of the question",
}
"""Groups that are kept whatever is found."""
NOTHING = 0.1
"""Percent of the error: a group whose whole interval lies below it is dropped."""
SEED = 1


class Relevance(msgspec.Struct, frozen=True):
    """`loss`: by how much the error grows when the group is shuffled, in percent of the error."""

    group: str
    features: tuple[str, ...]
    loss: Estimate
    kept: bool
    why: str


def relevance(
    features: Sequence[Feature],
    learn: tuple[Float32s, npt.NDArray[np.float64]],
    judge: tuple[Float32s, npt.NDArray[np.float64]],
    days: npt.NDArray[Any],
    *,
    loss: str = "squared_error",
) -> list[Relevance]:
    """Of each group of features, the most relevant first. `days`: of each judged row."""
    model = HistGradientBoostingRegressor(
        loss=loss, max_iter=150, learning_rate=0.05, max_leaf_nodes=15, min_samples_leaf=40, random_state=SEED
    ).fit(*learn)
    matrix, true = judge
    whole = rmse(true, model.predict(matrix))
    draw = np.random.default_rng(SEED)
    found = []
    for group in dict.fromkeys(feature.group for feature in features):
        places = [place for place, feature in enumerate(features) if feature.group == group]
        squares = np.zeros(len(true))
        for _ in range(SHUFFLES):
            mixed = matrix.copy()
            mixed[:, places] = matrix[draw.permutation(len(matrix))][:, places]
            squares += (model.predict(mixed) - true) ** 2 / SHUFFLES
        without = rmse(np.sqrt(squares), np.zeros(len(true)))
        evidence = compare("RMSE", whole, "shuffled", without, days)
        scale = 100 / evidence.ours.value
        gain = Estimate(*(scale * value for value in (evidence.gain.value, evidence.gain.low, evidence.gain.high)))
        found.append(Relevance(group, tuple(features[place].name for place in places), gain, *_kept(group, gain)))
    found.sort(key=lambda one: -one.loss.value)
    if any(one.loss.low > 0 for one in found):
        return found
    none = "no group is relevant beyond chance; the first one stands for all"
    return [msgspec.structs.replace(one, kept=number == 0, why=none) for number, one in enumerate(found)]


def _kept(group: str, loss: Estimate) -> tuple[bool, str]:
    if group in GIVEN:
        return True, GIVEN[group]
    if loss.low > 0:
        return True, "relevant beyond chance"
    if loss.high < NOTHING:
        return False, f"worth less than {NOTHING:g} % of the error"
    return True, "may be relevant: what it is worth is not told from chance"


def kept(features: Sequence[Feature], found: Sequence[Relevance]) -> npt.NDArray[np.intp]:
    """The places of the features that are kept."""
    groups = {one.group for one in found if one.kept}
    return np.array([place for place, feature in enumerate(features) if feature.group in groups], np.intp)
