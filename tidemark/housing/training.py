"""Training: each algorithm on the training rows, with what tells how far it is off on rows that it did not see.

Everything here that chooses (which algorithm, how wide an interval, what a band is) sees training rows alone; the rows
held out are read by what judges (`judge`, `elsewhere`, `advantages`, `errors_by_region`) and by nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import lightgbm
import msgspec
import numpy as np
from sklearn.model_selection import KFold

from tidemark.errors import TidemarkError
from tidemark.housing.candidates import Candidate, Forest, LightGbm, Mean, RidgeRegression, boost, predict
from tidemark.housing.dataset import SEED, Dataset, region_centres, regions
from tidemark.housing.evaluation import Evaluation, Interval, evaluate, regression, rmse_gain
from tidemark.housing.features import Blocks, around_matrix, own_matrix
from tidemark.housing.geography import Floats, Surroundings
from tidemark.housing.price_model import Estimates, PriceModel, estimates, typical_block, with_price
from tidemark.trees import Trees

FOLDS = 5
BANDS = 4
SPREAD: dict[str, Any] = {"n_estimators": 150, "learning_rate": 0.05, "num_leaves": 15, "min_child_samples": 50}
LEAST_ERROR = 0.01  # of a logarithm: below one per cent, errors are not told apart
QUANTILES = 2_000  # errors that are kept


@dataclass(frozen=True)
class Contender:
    """A fitted algorithm with the errors it makes.

    `out_of_fold`: the logarithm of each training row's price as parts say that did not see the row. `spread`: trees for
    how far it is usually off; None where that is the same everywhere. `errors`: in units of the spread, sorted.
    """

    candidate: Candidate
    out_of_fold: Floats
    spread: lightgbm.Booster | None
    errors: Floats
    edges: Floats
    cap: float

    @property
    def name(self) -> str:
        """The algorithm's name."""
        return self.candidate.name

    def estimates(self, blocks: Blocks, *, as_in: Candidate | None = None) -> Estimates:
        """Price, interval and bands. `as_in`: the prices of the same algorithm, learnt from other rows."""
        candidate = as_in or self.candidate
        log_price = candidate.predict(blocks)
        spread = np.ones(len(blocks))
        if self.spread is not None:
            assert isinstance(candidate, LightGbm)
            spread = np.exp(predict(self.spread, with_price(candidate.matrix(blocks), log_price)))
        return estimates(log_price, spread, self.errors, self.edges, self.cap)


MAKERS: dict[str, Callable[..., Candidate]] = {
    Mean.name: lambda workers="": Mean(),
    RidgeRegression.name: lambda workers="": RidgeRegression(),
    Forest.name: lambda workers="": Forest(),
    LightGbm.name: lambda workers="": LightGbm(workers=workers),
}
BASELINES = (Mean.name, RidgeRegression.name)


def contend(name: str, dataset: Dataset, *, workers: str = "") -> Contender:
    """Fit an algorithm on the training rows, and learn from rows left out in turn how far it is off."""
    training = dataset.training
    candidate: Candidate = Forest(out_of_bag=True) if name == Forest.name else MAKERS[name](workers=workers)
    candidate.fit(training)
    out_of_fold = candidate.out_of_bag()
    if out_of_fold is None:
        out_of_fold = _left_out(training, MAKERS[name])
    error = np.log(training.price) - out_of_fold
    spread = None
    if isinstance(candidate, LightGbm):
        spread, usual = _spread(candidate, training, out_of_fold, np.abs(error))
        error = error / usual
    error = np.sort(error)
    if len(error) > QUANTILES:
        error = np.quantile(error, (np.arange(QUANTILES) + 0.5) / QUANTILES)
    edges = np.quantile(training.price, np.arange(1, BANDS) / BANDS)
    return Contender(candidate, out_of_fold, spread, error, edges, float(training.price.max()))


def _left_out(training: Dataset, make: Callable[[], Candidate]) -> Floats:
    found = np.empty(len(training))
    for seen, unseen in KFold(FOLDS, shuffle=True, random_state=SEED).split(found):
        candidate = make()
        candidate.fit(training.take(seen))
        found[unseen] = candidate.predict(training.blocks.take(unseen))
    return found


def _spread(
    candidate: LightGbm, training: Dataset, out_of_fold: Floats, error: Floats
) -> tuple[lightgbm.Booster, Floats]:
    """Trees for the logarithm of an error's size, and each training row's usual error as other rows tell it."""
    blocks = training.blocks.with_bedrooms(candidate.usual_bedrooms)
    around = around_matrix(candidate.known, blocks, log_price=np.log(training.price))
    matrix = with_price(np.column_stack([own_matrix(blocks), around]), out_of_fold)
    target = np.log(error + LEAST_ERROR)
    usual = np.empty(len(target))
    for seen, unseen in KFold(FOLDS, shuffle=True, random_state=SEED).split(target):
        usual[unseen] = predict(boost(matrix[seen], target[seen], **SPREAD), matrix[unseen])
    return boost(matrix, target, **SPREAD), np.exp(usual)


def choose(contenders: dict[str, Contender], training: Dataset) -> str:
    """The better of the algorithms, baselines aside, by its errors on training rows left out in turn."""
    errors = {
        name: regression(training.price, np.exp(contender.out_of_fold)).rmse
        for name, contender in contenders.items()
        if name not in BASELINES
    }
    return min(errors, key=lambda name: errors[name])


class Judgement(msgspec.Struct, frozen=True):
    """One algorithm on rows that it has not seen: those held out at random, and every region in turn."""

    random: Evaluation
    spatial: Evaluation


class Region(msgspec.Struct, frozen=True):
    """How wrong the model is in a region that it has never seen. Dollars; `bias` above zero: it says too much."""

    latitude: float
    longitude: float
    rows: int
    median_price: float
    mae: float
    bias: float


class Advantage(msgspec.Struct, frozen=True):
    """By how many dollars of RMSE the winner is better than another.

    `spatial_regions`: the same with whole regions resampled, since blocks of one region are not independent.
    """

    than: str
    random: Interval
    spatial: Interval
    spatial_regions: Interval


def folds_of(dataset: Dataset) -> list[int]:
    """The folds of regions that have blocks. Raises TidemarkError where that is one alone: no other could judge."""
    folds = sorted({int(fold) for fold in regions(dataset.blocks)[1]})
    if len(folds) < 2:
        raise TidemarkError(f"all {len(dataset):,} blocks lie in one part of the state: none is left to judge in")
    return folds


def elsewhere(name: str, fold: int, dataset: Dataset, contender: Contender) -> Estimates:
    """What an algorithm says of one fold's regions after learning from all other regions."""
    _, folds = regions(dataset.blocks)
    candidate = MAKERS[name]()
    candidate.fit(dataset.take(folds != fold))
    return contender.estimates(dataset.blocks.take(folds == fold), as_in=candidate)


def joined(parts: list[Estimates], dataset: Dataset) -> Estimates:
    """The folds' estimates (`elsewhere`), in the dataset's order."""
    _, folds = regions(dataset.blocks)
    order = np.argsort(np.argsort(folds, kind="stable"), kind="stable")
    return Estimates(
        **{
            field: np.concatenate([getattr(part, field) for part in parts])[order]
            for field in Estimates.__dataclass_fields__
        }
    )


def judge(contender: Contender, dataset: Dataset, spatial: Estimates) -> Judgement:
    """The figures of the report; nothing is chosen by them."""
    test = dataset.test
    return Judgement(
        random=evaluate(test.price, contender.estimates(test.blocks), contender.edges),
        spatial=evaluate(dataset.price, spatial, contender.edges),
    )


def advantages(
    winner: str, contenders: dict[str, Contender], spatial: dict[str, Estimates], dataset: Dataset
) -> list[Advantage]:
    """The winner beside each other algorithm, on the same rows."""
    test = dataset.test
    prices = {name: contender.estimates(test.blocks).price for name, contender in contenders.items()}
    region, _ = regions(dataset.blocks)
    return [
        Advantage(
            than=name,
            random=rmse_gain(test.price, prices[winner], prices[name]),
            spatial=rmse_gain(dataset.price, spatial[winner].price, spatial[name].price),
            spatial_regions=rmse_gain(dataset.price, spatial[winner].price, spatial[name].price, region),
        )
        for name in contenders
        if name != winner
    ]


def errors_by_region(dataset: Dataset, spatial: Estimates) -> list[Region]:
    """Where the model is wrong: each region with at least one block."""
    region, _ = regions(dataset.blocks)
    error = spatial.price - dataset.price
    found = []
    for number, (latitude, longitude) in enumerate(region_centres()):
        here = region == number
        if here.any():
            found.append(
                Region(
                    latitude=float(latitude),
                    longitude=float(longitude),
                    rows=int(here.sum()),
                    median_price=float(np.median(dataset.price[here])),
                    mae=float(np.abs(error[here]).mean()),
                    bias=float(error[here].mean()),
                )
            )
    return found


def serving(contender: Contender, dataset: Dataset, facts: dict[str, Any]) -> PriceModel:
    """The model in the form in which it serves."""
    candidate, training = contender.candidate, dataset.training
    log_price = np.log(training.price)
    if isinstance(candidate, LightGbm):
        assert contender.spread is not None
        known, usual = candidate.known, candidate.usual_bedrooms
        price, spread = (
            Trees.of_lightgbm(candidate.booster.dump_model()),
            Trees.of_lightgbm(contender.spread.dump_model()),
        )
    else:
        assert isinstance(candidate, Forest)
        usual = candidate.usual_bedrooms
        known = Surroundings.of(
            training.blocks.latitude, training.blocks.longitude, np.stack([log_price, training.blocks.median_income])
        )
        price, spread = Trees.of_forest(candidate.forest), Trees.constant(0.0)
    return PriceModel(
        usual_bedrooms=usual,
        known=known,
        price=price,
        spread=spread,
        errors=contender.errors,
        edges=contender.edges,
        cap=contender.cap,
        typical=typical_block(training.blocks),
        facts=facts,
    )
