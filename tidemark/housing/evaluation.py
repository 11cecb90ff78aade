"""How good a model's prices are: errors in dollars, intervals, price bands, and where it is wrong."""

from __future__ import annotations

from functools import lru_cache

import msgspec
import numpy as np
import numpy.typing as npt
from sklearn.metrics import accuracy_score, precision_recall_fscore_support, roc_auc_score

from tidemark.housing.dataset import SEED
from tidemark.housing.geography import Floats
from tidemark.housing.price_model import Estimates

CAPPED = 500_001.0
RESAMPLES = 500
CONFIDENCE = 0.95


class Interval(msgspec.Struct, frozen=True):
    """A figure with the interval that holds it in `CONFIDENCE` of resamples."""

    value: float
    low: float
    high: float

    @property
    def above_zero(self) -> bool:
        """Whether the whole interval is above zero."""
        return self.low > 0


class Regression(msgspec.Struct, frozen=True):
    """Errors of n prices. Dollars of 1990; `mape` a share; `r2` against the mean of these very prices."""

    rows: int
    rmse: float
    mae: float
    r2: float
    mape: float


class Bands(msgspec.Struct, frozen=True):
    """How well the four price bands are told apart: means over the bands, each counting the same.

    `roc_auc`: None where a band has no block.
    """

    accuracy: float
    precision: float
    recall: float
    f1: float
    roc_auc: float | None


class Evaluation(msgspec.Struct, frozen=True):
    """A model judged on rows that it has not seen.

    `coverage`: the share of prices within the 90 % interval, `width` that interval's median width in dollars.
    `uncapped`: the same errors without the rows whose price stands at the cap.
    """

    everything: Regression
    uncapped: Regression
    rmse: Interval
    r2: Interval
    coverage: float
    width: float
    bands: Bands


def regression(price: Floats, predicted: Floats) -> Regression:
    """The errors of some prices, each of shape (n,)."""
    error = predicted - price
    spread = float(np.sum((price - price.mean()) ** 2))
    return Regression(
        rows=len(price),
        rmse=float(np.sqrt(np.mean(error**2))),
        mae=float(np.mean(np.abs(error))),
        r2=1 - float(np.sum(error**2)) / spread if spread else 0.0,
        mape=float(np.mean(np.abs(error) / price)),
    )


def evaluate(price: Floats, estimates: Estimates, edges: Floats) -> Evaluation:
    """The whole judgement; `edges` are the bands' limits."""
    whole = regression(price, estimates.price)
    below = price < CAPPED
    counts = resamples(len(price))
    centred = price - price.mean()
    figures = np.column_stack([(estimates.price - price) ** 2, centred**2, centred]).astype(np.float32)
    errors, squares, sums = (counts @ figures).T.astype(np.float64)
    spread = squares - sums**2 / len(price)
    return Evaluation(
        everything=whole,
        uncapped=regression(price[below], estimates.price[below]),
        rmse=interval(whole.rmse, np.sqrt(errors / len(price))),
        r2=interval(whole.r2, 1 - errors / spread),
        coverage=float(np.mean((price >= estimates.low) & (price <= estimates.high))),
        width=float(np.median(estimates.high - estimates.low)),
        bands=judge_bands(price, estimates.bands, edges),
    )


def judge_bands(price: Floats, likely: Floats, edges: Floats) -> Bands:
    """How well bands are told apart; `likely`, shape (n, bands), is how likely each band is."""
    band = np.searchsorted(edges, price, side="left")
    chosen = likely.argmax(axis=1)
    precision, recall, f1, _ = precision_recall_fscore_support(band, chosen, average="macro", zero_division=0)
    everyone = len(np.unique(band)) == likely.shape[1]
    return Bands(
        accuracy=float(accuracy_score(band, chosen)),
        precision=float(precision),
        recall=float(recall),
        f1=float(f1),
        roc_auc=float(roc_auc_score(band, likely, multi_class="ovr", average="macro")) if everyone else None,
    )


@lru_cache(maxsize=2)
def _row_resamples(rows: int) -> npt.NDArray[np.float32]:
    random = np.random.default_rng(SEED)
    counts = np.empty((RESAMPLES, rows), np.float32)
    for resample in range(RESAMPLES):
        counts[resample] = np.bincount(random.integers(0, rows, rows), minlength=rows)
    return counts


def resamples(rows: int, groups: npt.NDArray[np.int64] | None = None) -> npt.NDArray[np.float32]:
    """How often each row stands in each bootstrap resample (Efron 1979), shape (RESAMPLES, rows).

    `groups`: whole groups are drawn instead of rows, where rows of one group are not independent of each other.
    """
    if groups is None:
        return _row_resamples(rows)
    random = np.random.default_rng(SEED)
    count = int(groups.max()) + 1
    weights = random.multinomial(count, np.full(count, 1 / count), RESAMPLES).astype(np.float32)
    taken: npt.NDArray[np.float32] = weights[:, groups]
    return taken


def interval(value: float, resampled: Floats) -> Interval:
    """The value with the percentiles of its resamples."""
    low, high = np.quantile(resampled, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Interval(value, float(low), float(high))


def rmse_gain(price: Floats, ours: Floats, theirs: Floats, groups: npt.NDArray[np.int64] | None = None) -> Interval:
    """By how many dollars our RMSE is below theirs on the same rows, resampled together."""
    mine, other = (ours - price) ** 2, (theirs - price) ** 2
    counts = resamples(len(price), groups)
    figures = np.column_stack([mine, other, np.ones(len(price))]).astype(np.float32)
    mine_sums, other_sums, size = (counts @ figures).T.astype(np.float64)
    gains = np.sqrt(other_sums / size) - np.sqrt(mine_sums / size)
    return interval(float(np.sqrt(other.mean()) - np.sqrt(mine.mean())), gains)
