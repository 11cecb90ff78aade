"""Tries settings of the price models and writes `docs/housing-settings.md`: `python -m training.housing_settings`.

Drawn settings (random search, Bergstra and Bengio 2012) and those of `tidemark/housing/candidates.py` beside them, each
judged on the training rows alone, twice: on fifths left out at random, and on regions left out in turn. The choice is
the lowest mean of the two errors, of those that learn fast enough for a run every two minutes.
"""

from __future__ import annotations

import os

os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd
from sklearn.model_selection import KFold, ParameterSampler

from tidemark import data
from tidemark.housing import batches, candidates
from tidemark.housing.candidates import Candidate, Forest, LightGbm, RidgeRegression
from tidemark.housing.columns import HELD_OUT
from tidemark.housing.dataset import SEED, SPATIAL_FOLDS, Dataset, from_frame, regions, split
from tidemark.housing.evaluation import regression

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "housing-settings.md"
FOLDS = 5
SLOWEST_S = 4.0  # of one processor for one fit; a run makes eleven of each algorithm, two at a time, within a minute
# How many settings are drawn, and with how many seeds each is tried: boosting's own luck is as large as what is sought.
DRAWS = {LightGbm.name: (24, 2), Forest.name: (8, 1), RidgeRegression.name: (5, 1)}
SPACE: dict[str, dict[str, list[Any]]] = {
    LightGbm.name: {
        "n_estimators": [400, 550, 700],
        "learning_rate": [0.04, 0.05, 0.06, 0.08],
        "num_leaves": [24, 32, 48, 64],
        "min_child_samples": [20, 40, 60, 80],
        "max_bin": [63],
        "colsample_bytree": [0.6, 0.8, 1.0],
        "subsample": [0.7, 0.8, 0.9],
        "subsample_freq": [1],
        "reg_lambda": [0.0, 5.0, 20.0],
    },
    Forest.name: {"n_estimators": [60], "max_features": [0.2, 0.33, 0.5, 0.7], "min_samples_leaf": [1, 2, 3, 5]},
    RidgeRegression.name: {"alpha": [0.01, 0.1, 1.0, 10.0, 100.0]},
}
MAKERS: dict[str, tuple[dict[str, Any], Callable[[], Candidate]]] = {
    LightGbm.name: (candidates.LIGHTGBM, LightGbm),
    Forest.name: (candidates.FOREST, Forest),
    RidgeRegression.name: (candidates.RIDGE, RidgeRegression),
}


class Tried(msgspec.Struct, frozen=True):
    """Some settings with the RMSE in dollars on rows left out at random and by regions; `seconds` a fit takes."""

    algorithm: str
    settings: dict[str, Any]
    random: float
    regional: float
    seconds: float

    @property
    def score(self) -> float:
        """What the choice goes by."""
        return (self.random + self.regional) / 2


def dataset() -> Dataset:
    """The real file as one batch, checked and split as the flow does it. Raises SystemExit where it is not here."""
    path = data.find("california_housing.csv")
    if path is None:
        raise SystemExit("california_housing.csv is not here: `tidemark data fetch` brings it")
    rows = batches.check(path.read_bytes()).rows
    rows[HELD_OUT] = split(len(rows))
    return from_frame(pd.DataFrame(rows))


def training_rows() -> Dataset:
    """All that this script ever sees."""
    return dataset().training


def tried(algorithm: str, settings: Mapping[str, Any]) -> Tried:
    """One fit for each seed and part left out, random ones and regions."""
    training = training_rows()
    constants, make = MAKERS[algorithm]
    fifths = [unseen for _, unseen in KFold(FOLDS, shuffle=True, random_state=SEED).split(np.arange(len(training)))]
    _, folds = regions(training.blocks)
    by_region = [np.flatnonzero(folds == fold) for fold in range(SPATIAL_FOLDS)]
    began, seeds = time.process_time(), DRAWS[algorithm][1]
    random, regional = [], []
    for seed in range(SEED, SEED + seeds):
        constants.clear()  # nothing of the settings tried before
        constants.update({**settings, **({"random_state": seed} if seeds > 1 else {})})
        random.append(_error(training, make, fifths))
        regional.append(_error(training, make, by_region))
    seconds = (time.process_time() - began) / (FOLDS + SPATIAL_FOLDS) / seeds
    return Tried(algorithm, dict(settings), float(np.mean(random)), float(np.mean(regional)), seconds)


def _error(training: Dataset, make: Callable[[], Candidate], parts: list[Any]) -> float:
    said = np.empty(len(training))
    for unseen in parts:
        seen = np.ones(len(training), bool)
        seen[unseen] = False
        candidate = make()
        candidate.fit(training.take(seen))
        said[unseen] = np.exp(candidate.predict(training.blocks.take(unseen)))
    return regression(training.price, said).rmse


def draws() -> Iterator[tuple[str, dict[str, Any]]]:
    """The settings that stand in the code, and drawn ones."""
    for algorithm, (constants, _) in MAKERS.items():
        standing = dict(constants)
        yield algorithm, standing
        drawn = ParameterSampler(SPACE[algorithm], DRAWS[algorithm][0], random_state=SEED)
        yield from ((algorithm, settings) for settings in drawn if settings != standing)


def best(found: list[Tried], algorithm: str) -> Tried:
    """The choice among an algorithm's settings."""
    fast = [one for one in found if one.algorithm == algorithm and one.seconds <= SLOWEST_S]
    return min(fast, key=lambda one: one.score)


def document(found: list[Tried], rows: int) -> str:
    """What was tried, as a page."""
    lines = [
        "# How the price models' settings were chosen",
        "",
        "Generated by `make housing-settings`. Drawn settings (random search, Bergstra and Bengio 2012), and those that"
        f" stood in `tidemark/housing/candidates.py`, on the {rows:,} training rows of the real file; the rows held out"
        " were not read. RMSE in dollars of 1990 on fifths left out at random, and on regions left out in turn (for"
        f" LightGBM the mean of {DRAWS[LightGbm.name][1]} seeds); seconds"
        " of a processor a fit, on a shared machine. Chosen, and bold: the lowest mean of both errors among those that"
        f" take {SLOWEST_S:.0f} s at most, since a run, every two minutes, fits each algorithm eleven times.",
        "",
    ]
    for algorithm in MAKERS:
        choice = best(found, algorithm)
        lines += [
            f"## {algorithm}",
            "",
            "| settings | random | regions | mean | seconds |",
            "| --- | ---: | ---: | ---: | ---: |",
        ]
        for one in sorted((one for one in found if one.algorithm == algorithm), key=lambda one: one.score):
            words = ", ".join(f"{name} {value}" for name, value in sorted(one.settings.items()))
            words = f"**{words}**" if one is choice else words
            lines.append(
                f"| {words} | {one.random:,.0f} | {one.regional:,.0f} | {one.score:,.0f} | {one.seconds:.1f} |"
            )
        lines.append("")
    return "\n".join(lines)


def main() -> None:
    """Try all, write the page, say what to write into the code."""
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        found = list(pool.map(tried, *zip(*draws(), strict=True)))
    DOCUMENT.write_text(document(found, len(training_rows())))
    for algorithm in MAKERS:
        print(algorithm, best(found, algorithm).settings)  # noqa: T201  # a script's answer


if __name__ == "__main__":
    main()
