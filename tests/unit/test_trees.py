"""Trees as arrays say what the libraries that grew them say."""

from __future__ import annotations

import lightgbm
import numpy as np
import pytest
from sklearn.ensemble import RandomForestRegressor

from tidemark.trees import Trees


def rows(count: int, *, gaps: float) -> np.ndarray:
    random = np.random.default_rng(7)
    matrix = random.normal(size=(count, 5))
    matrix[random.random(matrix.shape) < gaps] = np.nan
    matrix[:, 2] = np.round(matrix[:, 2])
    return matrix


def target(matrix: np.ndarray) -> np.ndarray:
    known = np.nan_to_num(matrix, nan=0.3)
    found: np.ndarray = known[:, 0] * known[:, 1] + np.sin(3 * known[:, 2]) + np.isnan(matrix[:, 3])
    return found


@pytest.mark.parametrize("learnt_with_gaps", [0.0, 0.2])
@pytest.mark.parametrize("asked_with_gaps", [0.0, 0.5])
def test_lightgbm_s_trees_say_the_same(learnt_with_gaps: float, asked_with_gaps: float) -> None:
    seen, asked = rows(800, gaps=learnt_with_gaps), rows(3_000, gaps=asked_with_gaps)
    booster = lightgbm.LGBMRegressor(n_estimators=150, verbose=-1, n_jobs=1).fit(seen, target(seen)).booster_
    found = Trees.of_lightgbm(booster.dump_model()).predict(asked)
    np.testing.assert_allclose(found, booster.predict(asked), rtol=0, atol=1e-12)


def test_a_forest_s_trees_say_the_same() -> None:
    seen, asked = rows(500, gaps=0.0), rows(2_000, gaps=0.0)
    forest = RandomForestRegressor(20, random_state=1).fit(seen, target(seen))
    np.testing.assert_allclose(Trees.of_forest(forest).predict(asked), forest.predict(asked), rtol=0, atol=1e-12)


def test_one_row_and_none_are_fine() -> None:
    seen = rows(300, gaps=0.0)
    trees = Trees.of_lightgbm(lightgbm.LGBMRegressor(verbose=-1).fit(seen, target(seen)).booster_.dump_model())
    assert trees.predict(seen[:1]) == trees.predict(seen)[:1]
    assert len(trees.predict(seen[:0])) == 0
    assert Trees.constant(2.5).predict(seen[:3]).tolist() == [2.5] * 3


def test_trees_of_categories_are_refused() -> None:
    seen = np.column_stack([np.arange(400) % 7, np.ones(400)])
    booster = lightgbm.LGBMRegressor(verbose=-1).fit(seen, seen[:, 0] % 3, categorical_feature=[0]).booster_
    with pytest.raises(ValueError, match="=="):
        Trees.of_lightgbm(booster.dump_model())
