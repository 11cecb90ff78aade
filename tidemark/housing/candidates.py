"""The algorithms that compete: LightGBM and a random forest, with ridge regression and the mean always beside them.

All are fitted on training rows alone, preprocessing included. The settings stand here; `training/housing_settings.py`
chose them on training rows alone, and `docs/housing-settings.md` has all that were tried.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.ensemble import RandomForestRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from tidemark.housing.dataset import SEED, Dataset
from tidemark.housing.features import OCEAN, Blocks, around_matrix, own_matrix, surroundings, usual_bedrooms
from tidemark.housing.geography import Floats

FOREST = {"n_estimators": 60, "max_features": 0.33, "min_samples_leaf": 2}
LIGHTGBM = {
    "n_estimators": 400,
    "learning_rate": 0.05,
    "num_leaves": 32,
    "min_child_samples": 80,
    "max_bin": 63,
    "colsample_bytree": 0.6,
    "subsample": 0.8,
    "subsample_freq": 1,
    "reg_lambda": 5.0,
}
RIDGE = {"alpha": 0.01}
LOWEST_PRICE = 1_000.0  # dollars; a straight line may go below, a logarithm may not


class Candidate(ABC):
    """An algorithm. Prices go in and out as logarithms of dollars, shape (n,)."""

    name: str
    settings: Mapping[str, Any] = MappingProxyType({})

    @abstractmethod
    def fit(self, training: Dataset) -> None:
        """Learn from some rows."""

    @abstractmethod
    def predict(self, blocks: Blocks) -> Floats:
        """The logarithm of each block's price."""

    def out_of_bag(self) -> Floats | None:
        """For each row learnt from, what those parts say that did not see it; None where there are no such parts."""
        return None


class Mean(Candidate):
    """The mean price, whatever the block: what knowing nothing is worth."""

    name = "mean"

    def fit(self, training: Dataset) -> None:
        self._mean = float(np.log(training.price.mean()))

    def predict(self, blocks: Blocks) -> Floats:
        return np.full(len(blocks), self._mean)


class RidgeRegression(Candidate):
    """A straight line through the census figures as they are, in dollars: the baseline."""

    name = "ridge"
    settings = RIDGE

    def fit(self, training: Dataset) -> None:
        frame = _frame(training.blocks)
        numbers = [name for name in frame if name != "ocean_proximity"]
        prepare = ColumnTransformer(
            [
                ("numbers", make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), numbers),
                ("ocean", OneHotEncoder(handle_unknown="ignore"), ["ocean_proximity"]),
            ]
        )
        self._line = make_pipeline(
            prepare, TransformedTargetRegressor(Ridge(**RIDGE), transformer=StandardScaler())
        ).fit(frame, training.price)

    def predict(self, blocks: Blocks) -> Floats:
        dollars = self._line.predict(_frame(blocks))
        logarithm: Floats = np.log(np.maximum(dollars, LOWEST_PRICE))
        return logarithm


class Forest(Candidate):
    """A random forest (Breiman 2001) on a block's own figures and place."""

    name = "random forest"
    settings = FOREST

    def __init__(self, *, out_of_bag: bool = False) -> None:
        self.forest = RandomForestRegressor(**FOREST, oob_score=out_of_bag, random_state=SEED, n_jobs=1)
        self._out_of_bag = out_of_bag

    def fit(self, training: Dataset) -> None:
        self.usual_bedrooms = usual_bedrooms(training.blocks)
        self.forest.fit(self._matrix(training.blocks), np.log(training.price))

    def _matrix(self, blocks: Blocks) -> Floats:
        return own_matrix(blocks.with_bedrooms(self.usual_bedrooms))

    def predict(self, blocks: Blocks) -> Floats:
        found: Floats = self.forest.predict(self._matrix(blocks))
        return found

    def out_of_bag(self) -> Floats | None:
        return np.asarray(self.forest.oob_prediction_, np.float64) if self._out_of_bag else None


class LightGbm(Candidate):
    """Gradient-boosted trees (Ke and others 2017) on the same, and on what comparable blocks around cost.

    It sees each row twice, once without its surroundings: where nobody around is known, it still knows what to do.
    `workers`: the address of a Dask scheduler, on whose workers it then learns.
    """

    name = "lightgbm"
    settings = LIGHTGBM

    def __init__(self, *, workers: str = "") -> None:
        self._workers = workers

    def fit(self, training: Dataset) -> None:
        log_price = np.log(training.price)
        self.usual_bedrooms = usual_bedrooms(training.blocks)
        blocks = training.blocks.with_bedrooms(self.usual_bedrooms)
        self.known = surroundings(blocks, log_price)
        own, around = own_matrix(blocks), around_matrix(self.known, blocks, log_price=log_price)
        twice = np.block([[own, around], [own, np.full_like(around, np.nan)]])
        self.booster = boost(twice, np.tile(log_price, 2), workers=self._workers, **LIGHTGBM)

    def matrix(self, blocks: Blocks) -> Floats:
        """What the trees see, shape (n, features)."""
        whole = blocks.with_bedrooms(self.usual_bedrooms)
        return np.column_stack([own_matrix(whole), around_matrix(self.known, whole)])

    def predict(self, blocks: Blocks) -> Floats:
        return predict(self.booster, self.matrix(blocks))


def boost(matrix: Floats, target: Floats, *, workers: str = "", **settings: Any) -> lightgbm.Booster:
    """LightGBM's trees for some rows: in this process on one processor, or on the workers of a Dask scheduler."""
    settings = {"random_state": SEED, "n_jobs": 1, "verbose": -1, "deterministic": True, **settings}
    if not workers:
        return lightgbm.LGBMRegressor(**settings, force_row_wise=True).fit(matrix, target).booster_
    import dask.array
    from distributed import Client

    with Client(workers) as client:  # type: ignore[no-untyped-call]
        parts = -(-len(matrix) // len(client.scheduler_info()["workers"]))
        rows = dask.array.from_array(matrix, chunks=(parts, matrix.shape[1]))  # type: ignore[no-untyped-call]
        prices = dask.array.from_array(target, chunks=parts)  # type: ignore[no-untyped-call]
        learner = lightgbm.DaskLGBMRegressor(client=client, tree_learner="data", **settings)
        return learner.fit(rows, prices).booster_


def predict(booster: lightgbm.Booster, matrix: Floats) -> Floats:
    """What a booster says of each row, on one processor."""
    return np.asarray(booster.predict(matrix, num_threads=1), np.float64)


def _frame(blocks: Blocks) -> pd.DataFrame:
    columns = {name: getattr(blocks, name) for name in Blocks.__dataclass_fields__}
    columns["ocean_proximity"] = np.array(OCEAN, object)[blocks.ocean_proximity]
    return pd.DataFrame(columns)
