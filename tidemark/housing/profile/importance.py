"""Which columns a model of the price uses, measured by what shuffling each costs it."""

from __future__ import annotations

import ibis.expr.types as ir
import msgspec
import numpy as np
import pandas as pd
from lightgbm import LGBMRegressor

from tidemark.housing.columns import BY_NAME, CATEGORY, HELD_OUT, ID, NAMES, NUMBERS, PRICE
from tidemark.housing.profile.study import Study, finite

SEED = 42
MOST_ROWS = 20_000
FEWEST_ROWS = 50
SHOWN = 0.75
"""Of the sampled rows: what the model learns from; it is judged on the others."""
REPEATS = 10
FEATURES = tuple(name for name in NAMES if name != PRICE)


class Feature(msgspec.Struct, frozen=True):
    """By how much the error (RMSE, USD) grows when a column is shuffled: mean, sd, least and most of the repeats."""

    column: str
    mean: float
    sd: float
    least: float
    most: float


class Importance(msgspec.Struct, frozen=True):
    """Permutation importance, the most important first.

    Of training rows only (`held_out` is false): `trained_on` to learn from, `judged_on` others of them to shuffle.
    `rmse` in USD and `r2` are of the unshuffled ones, a random part: blocks nearby are in both, so that they flatter.
    `features` is empty where there are too few rows.
    """

    method: str
    trained_on: int
    judged_on: int
    repeats: int
    seed: int
    rmse: float | None
    r2: float | None
    features: list[Feature]


METHOD = (
    "LightGBM of 150 trees on training rows only (held_out is false); columns shuffled on training rows it has not seen"
)


def sample(study: Study, most: int = MOST_ROWS) -> pd.DataFrame:
    """At most `most` training rows, the same ones always: those whose hash is smallest, in its order."""
    training = study.table.filter(~study.table[HELD_OUT])
    smallest = training.select(ID).order_by(ID).limit(most)
    rows = study.run(_last(smallest))
    bound = rows[0]["last"] if rows else None
    if bound is None:
        return pd.DataFrame(columns=[*NAMES, ID])
    found = pd.DataFrame(study.run(training.filter(training[ID] <= bound).select(*NAMES, ID)))
    return found.sort_values([ID, *NAMES]).head(most).reset_index(drop=True)


def _last(smallest: ir.Table) -> ir.Table:
    return smallest.aggregate(last=smallest[ID].max())


def importance(study: Study) -> Importance:
    """Permutation importance of a small model of the price."""
    rows = sample(study)
    random = np.random.default_rng(SEED)
    shown = random.permutation(len(rows))[: round(SHOWN * len(rows))]
    learn = np.zeros(len(rows), dtype=bool)
    learn[shown] = True
    if len(rows) < FEWEST_ROWS:
        return Importance(METHOD, 0, 0, REPEATS, SEED, None, None, [])
    features = rows[list(NUMBERS)].drop(columns=PRICE).astype("float64")
    features[CATEGORY] = pd.Categorical(rows[CATEGORY], categories=BY_NAME[CATEGORY].categories).codes
    x = features[list(FEATURES)].to_numpy(dtype=np.float64)
    y = rows[PRICE].to_numpy(dtype=np.float64)
    model = LGBMRegressor(
        n_estimators=150, learning_rate=0.1, num_leaves=31, n_jobs=1, random_state=SEED, deterministic=True, verbose=-1
    )
    model.fit(x[learn], y[learn], categorical_feature=[FEATURES.index(CATEGORY)])
    asked, truth = x[~learn], y[~learn]

    def rmse(given: np.ndarray) -> float:
        return float(np.sqrt(np.mean((model.predict(given) - truth) ** 2)))

    base = rmse(asked)
    found = []
    for place, name in enumerate(FEATURES):
        costs = []
        for _ in range(REPEATS):
            shuffled = asked.copy()
            shuffled[:, place] = random.permutation(shuffled[:, place])
            costs.append(rmse(shuffled) - base)
        found.append(Feature(name, float(np.mean(costs)), float(np.std(costs, ddof=1)), min(costs), max(costs)))
    spread = float(np.mean((truth - truth.mean()) ** 2))
    return Importance(
        method=METHOD,
        trained_on=int(learn.sum()),
        judged_on=int((~learn).sum()),
        repeats=REPEATS,
        seed=SEED,
        rmse=finite(base),
        r2=finite(1 - base * base / spread) if spread > 0 else None,
        features=sorted(found, key=lambda feature: -feature.mean),
    )
