"""Segments: which kinds of customers, or of baskets, there are, and whether there are any.

k-means on standardised numbers; the number of segments is the one whose silhouette stands out most from what the same
numbers give when each column is shuffled by itself, which has no segments. What is served is a network whose weights
are the centres.
"""

from __future__ import annotations

import keras
import msgspec
import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score, silhouette_score

from training.evidence import Estimate, Evidence, interval
from training.history import GUEST, Float32s

SIZES = range(2, 7)
SHUFFLES, RESAMPLES = 10, 20
MOST = 4_000  # customers or baskets that a silhouette is of
DISTINCT = 0.5  # standard deviations from the mean that a name tells of
SEED = 1


class Segmentation(msgspec.Struct, frozen=True):
    """`centres`, `mean`, `spread`: of the numbers `names`; `stability`: mean adjusted Rand index of segmentations
    learnt from a half of them, 1 for the same. `shares`: of each segment."""

    of: str
    names: tuple[str, ...]
    mean: list[float]
    spread: list[float]
    centres: list[list[float]]
    shares: list[float]
    silhouette: Evidence
    stability: float


def customers(baskets: pd.DataFrame) -> tuple[tuple[str, ...], Float32s]:
    """Of each known customer: log days since the last basket, log of their number, log of their worth."""
    known = baskets[baskets["customer"] != GUEST]
    found = known.groupby("customer").agg(last=("at", "max"), count=("at", "size"), value=("value", "sum"))
    days = (known["at"].max() - found["last"]).dt.total_seconds() / 86_400
    matrix = np.column_stack([np.log1p(days), np.log(found["count"]), np.log(found["value"])])
    return ("log_days_since", "log_baskets", "log_value"), matrix.astype(np.float32)


def baskets(found: pd.DataFrame) -> tuple[tuple[str, ...], Float32s]:
    """Of each basket: log of a piece's price, log of how many, the hour."""
    price = np.log(found["value"] / found["items"])
    hour = found["at"].dt.hour + found["at"].dt.minute / 60
    return ("log_price", "log_items", "hour"), np.column_stack([price, np.log(found["items"]), hour]).astype(np.float32)


def learn(of: str, names: tuple[str, ...], matrix: Float32s) -> Segmentation:
    """The segments of some rows, beside those of the same rows shuffled."""
    draw = np.random.default_rng(SEED)
    mean, spread = matrix.mean(axis=0), matrix.std(axis=0) + 1e-9
    scaled = ((matrix - mean) / spread).astype(np.float64)
    if len(scaled) > MOST:
        scaled = scaled[draw.choice(len(scaled), MOST, replace=False)]
    shuffled = [np.column_stack([draw.permutation(column) for column in scaled.T]) for _ in range(SHUFFLES)]
    apart = {size: _silhouette(scaled, size) - _silhouette(shuffled[0], size) for size in SIZES}
    size = max(apart, key=apart.__getitem__)
    fitted = _fit(scaled, size)
    again = [scaled[draw.choice(len(scaled), len(scaled) // 2, replace=False)] for _ in range(RESAMPLES)]
    ours = np.array([_silhouette(one, size) for one in again])
    theirs = np.array([_silhouette(one, size) for one in shuffled])
    gains = ours[:, None] - theirs[None, :]
    return Segmentation(
        of=of,
        names=names,
        mean=mean.tolist(),
        spread=spread.tolist(),
        centres=fitted.cluster_centers_.tolist(),
        shares=np.bincount(fitted.labels_, minlength=size).__truediv__(len(scaled)).tolist(),
        silhouette=Evidence(
            metric=f"silhouette of {size} segments of {of}",
            ours=Estimate(float(ours.mean()), *interval(ours)),
            baseline="shuffled columns",
            theirs=Estimate(float(theirs.mean()), *interval(theirs)),
            gain=Estimate(float(gains.mean()), *interval(gains.ravel())),
            rows=len(scaled),
            groups=len(scaled),
        ),
        stability=float(
            np.mean([adjusted_rand_score(fitted.labels_, _fit(one, size).predict(scaled)) for one in again])
        ),
    )


_WORDS = {
    "log_price": ("cheap", "dear"),
    "log_quantity": ("few pieces", "many pieces"),
    "hour_in_day": ("early", "late"),
}


def names(found: Segmentation) -> tuple[str, ...]:
    """A name for each segment of baskets, from how its centre differs from the mean; numbered where two are alike."""
    said: list[str] = []
    for centre in found.centres:
        words = [_WORDS[name][int(at > 0)] for name, at in zip(found.names, centre, strict=True) if abs(at) > DISTINCT]
        name = ", ".join(words) or "usual"
        said.append(name if name not in said else f"{name} {len(said) + 1}")
    return tuple(said)


def network_of(found: Segmentation) -> keras.Model:
    """`features` float32[n, k] to `segment` float32[n, segments]: the share of each in a soft vote of the distances."""
    features = keras.Input((len(found.names),), name="features")
    scaled = keras.layers.Normalization(mean=found.mean, variance=np.square(found.spread))(features)
    centres = np.array(found.centres, np.float32)
    # The squared distance less what all centres share: -2 x.c + c.c
    nearness = keras.layers.Dense(len(centres), trainable=False)
    said = keras.layers.Softmax(name="segment")(nearness(scaled))
    model = keras.Model(features, {"segment": said}, name="segments")
    nearness.set_weights([2 * centres.T, -(centres**2).sum(axis=1)])
    return model


def _fit(scaled: npt.NDArray[np.float64], size: int) -> KMeans:
    return KMeans(size, n_init=4, random_state=SEED).fit(scaled)


def _silhouette(scaled: npt.NDArray[np.float64], size: int) -> float:
    return float(silhouette_score(scaled, _fit(scaled, size).labels_, sample_size=2_000, random_state=SEED))
