"""The algorithms: a baseline, a linear one, and gradient-boosted trees, with features as each of them takes them.

All are scikit-learn's, with the settings that stand here and its defaults otherwise; none draws random numbers.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from threadpoolctl import threadpool_limits

from tidemark.analysis.frame import Feature, Floats, Ints

Algorithm = Literal["linear", "trees"]
ALGORITHMS: tuple[Algorithm, ...] = ("linear", "trees")

RIDGE_ALPHA = 1.0
LOGISTIC_C = 1.0
LOGISTIC_ROUNDS = 1_000
ROUNDS, RATE, LEAVES, IN_A_LEAF = 200, 0.1, 31, 20
LEAST_CHANCE = 1e-6
"""No class is held for less likely: the logarithm of none would be without end."""


class Learnt:
    """A model that has been fitted. `classes`: how many, 0 for numbers."""

    def __init__(self, algorithm: Algorithm, features: list[Feature], classes: int) -> None:
        self.algorithm = algorithm
        self.features = features
        self.classes = classes
        self._middle = np.zeros(0)
        self._mean = np.zeros(0)
        self._spread = np.ones(0)
        self._model = self._made()

    def fit(self, values: Floats, target: Floats) -> Learnt:
        """Learn from rows: `values` of shape (rows, features), `target` numbers or the places of classes."""
        numbers = [place for place, feature in enumerate(self.features) if feature.kind == "number"]
        columns = [values[:, place][~np.isnan(values[:, place])] for place in numbers]
        self._middle = np.array([np.median(column) if len(column) else 0.0 for column in columns])
        filled = np.where(np.isnan(values[:, numbers]), self._middle, values[:, numbers])
        self._mean = filled.mean(axis=0)
        spread = filled.std(axis=0)
        self._spread = np.where(spread > 0, spread, 1.0)
        with threadpool_limits(1):  # threads that wait for one another take longer than one alone, on a shared machine
            self._model.fit(self._taken(values), target if not self.classes else target.astype(np.int64))
        return self

    def predict(self, values: Floats) -> Floats:
        """Numbers of shape (rows,), or chances of shape (rows, classes)."""
        with threadpool_limits(1):
            said = self._said(values)
        if not self.classes:
            return said
        chances = np.full((len(values), self.classes), LEAST_CHANCE)
        known: Ints = np.asarray(self._model.classes_, np.int64)
        chances[:, known] = np.maximum(said, LEAST_CHANCE)
        shares: Floats = chances / chances.sum(axis=1, keepdims=True)
        return shares

    def _said(self, values: Floats) -> Floats:
        ask = self._model.predict_proba if self.classes else self._model.predict
        return np.asarray(ask(self._taken(values)), np.float64)

    def _made(self) -> HistGradientBoostingRegressor | HistGradientBoostingClassifier | Ridge | LogisticRegression:
        if self.algorithm == "linear":
            return LogisticRegression(C=LOGISTIC_C, max_iter=LOGISTIC_ROUNDS) if self.classes else Ridge(RIDGE_ALPHA)
        of = HistGradientBoostingClassifier if self.classes else HistGradientBoostingRegressor
        return of(
            learning_rate=RATE,
            max_iter=ROUNDS,
            max_leaf_nodes=LEAVES,
            min_samples_leaf=IN_A_LEAF,
            early_stopping=False,
            categorical_features=[feature.kind == "category" for feature in self.features],
            random_state=0,
        )

    def _taken(self, values: Floats) -> Floats:
        """Trees take all as it is. For the linear one, numbers are filled with the median and standardised; a category
        has a column of 0 and 1 for each level."""
        if self.algorithm == "trees":
            return values
        numbers = [place for place, feature in enumerate(self.features) if feature.kind == "number"]
        filled = np.where(np.isnan(values[:, numbers]), self._middle, values[:, numbers])
        columns = [(filled - self._mean) / self._spread]
        for place, feature in enumerate(self.features):
            if feature.kind == "category":
                columns.append((values[:, place, None] == np.arange(len(feature.levels))).astype(np.float64))
        return np.concatenate(columns, axis=1)


class Baseline:
    """Knows nothing but the target: its mean, or how frequent each class is."""

    def __init__(self, target: Floats, classes: int) -> None:
        self._mean = float(target.mean())
        counts = np.bincount(target.astype(np.int64), minlength=classes) if classes else np.zeros(0)
        shares = np.maximum(counts / max(len(target), 1), LEAST_CHANCE)
        self._shares = shares / shares.sum() if classes else shares
        self._classes = classes

    def predict(self, rows: int) -> Floats:
        """As `Learnt.predict`."""
        return np.tile(self._shares, (rows, 1)) if self._classes else np.full(rows, self._mean)
