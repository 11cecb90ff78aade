"""What a model's predictions rest on, and where it is wrong."""

from __future__ import annotations

import math
from itertools import pairwise

import msgspec
import numpy as np
from scipy import stats

from tidemark.analysis.frame import Bools, Feature, Floats, Frame, Ints
from tidemark.analysis.learners import Learnt
from tidemark.cubes.axes import number_text
from tidemark.models.significance import holm

STRIDE = 7_919
"""A prime: row i takes the value of row (7,919 × i) mod n, which is an order as good as any drawn at random."""
FOLLOWED, PLACES = 3, 20
AVERAGED = 2_000
SLICES = 10
QUARTERS = 4
FEWEST = 30
CHANCE = 0.01


class Importance(msgspec.Struct, frozen=True):
    """How much of the baseline's loss comes back when a feature's values are exchanged among the rows that are judged:
    the mean over the folds with its 95 % interval."""

    column: str
    value: float
    low: float
    high: float


class Partial(msgspec.Struct, frozen=True):
    """The mean prediction were a feature at each of `places` in every row; of classes, the first one's chance."""

    column: str
    kind: str
    places: list[float]
    names: list[str]
    means: list[float]


class Segment(msgspec.Struct, frozen=True):
    """Rows of one value, or quarter, of a column. `loss`: their mean loss over that of all; `p` of no difference."""

    column: str
    name: str
    rows: int
    loss: float
    p: float
    worse: bool


class Calibration(msgspec.Struct, frozen=True):
    """Of a tenth of the rows, by what was predicted: how many, the mean of what was predicted and of what was true."""

    rows: int
    predicted: float
    true: float


def importance(
    models: list[tuple[Learnt, Ints]], matrix: Floats, aim: Floats, baseline: list[float]
) -> list[Importance]:
    """Of each feature, the strongest first. `models`: of each fold, with the rows that it is judged on."""
    features = models[0][0].features
    found = []
    whole = [_loss(model, matrix[rows], aim[rows]) for model, rows in models]
    for place, feature in enumerate(features):
        shares = []
        for (model, rows), before, base in zip(models, whole, baseline, strict=True):
            mixed = matrix[rows].copy()
            mixed[:, place] = mixed[_exchanged(len(rows)), place]
            shares.append((_loss(model, mixed, aim[rows]) - before) / base)
        mean = float(np.mean(shares))
        reach = float(stats.t.ppf(0.975, len(shares) - 1) * np.std(shares, ddof=1) / math.sqrt(len(shares)))
        found.append(Importance(feature.name, mean, mean - reach, mean + reach))
    return sorted(found, key=lambda one: -one.value)


def _exchanged(rows: int) -> Ints:
    """Of each row, the row whose value it takes: every row's is taken once."""
    stride = STRIDE
    while math.gcd(stride, rows) > 1:
        stride += 2
    return np.arange(rows, dtype=np.int64) * stride % rows


def _loss(model: Learnt, values: Floats, aim: Floats) -> float:
    found = model.predict(values)
    if not model.classes:
        return float(np.mean((aim - found) ** 2))
    return float(np.mean(-np.log(found[np.arange(len(aim)), aim.astype(np.int64)])))


def partial(model: Learnt, matrix: Floats, ranked: list[Importance], logged: bool) -> list[Partial]:
    """Of the strongest features, over every n-th row."""
    rows = matrix[:: max(1, math.ceil(len(matrix) / AVERAGED))]
    places = {feature.name: place for place, feature in enumerate(model.features)}
    found = []
    for one in ranked[:FOLLOWED]:
        place = places[one.column]
        feature = model.features[place]
        at = _at(feature, matrix[:, place])
        means = []
        for value in at:
            set_to = rows.copy()
            set_to[:, place] = value
            said = model.predict(set_to)
            said = said[:, 0] if model.classes else np.exp(said) if logged else said
            means.append(float(said.mean()))
        names = [feature.levels[int(value)] for value in at] if feature.kind == "category" else []
        found.append(Partial(feature.name, feature.kind, [float(value) for value in at], names, means))
    return found


def _at(feature: Feature, values: Floats) -> Floats:
    known = values[~np.isnan(values)]
    if feature.kind == "category":
        return np.unique(known)[:PLACES]
    steps = (np.arange(PLACES) + 0.5) / PLACES
    return np.unique(np.quantile(known, steps))


def segments(frame: Frame, rows: Ints, losses: Floats, clusters: Ints, target: str) -> list[Segment]:
    """Every value of the categories, and every quarter of the numbers, with its loss; the worst first.

    `rows`: those of the frame whose `losses` and `clusters` these are. Holm's correction over all parts.
    """
    found = []
    for feature in frame.features.values():
        if feature.name == target:
            continue
        for name, chosen in _parts(feature, frame.values[feature.name][rows]):
            if FEWEST <= chosen.sum() <= len(rows) - FEWEST:
                ratio = float(losses[chosen].mean() / losses.mean())
                found.append((feature.name, name, int(chosen.sum()), ratio, differs(losses, chosen, clusters)))
    corrected = holm([p for *_, p in found])
    told = [
        Segment(column, name, count, ratio, 1.0 if p is None else p, ratio > 1 and p is not None and p <= CHANCE)
        for (column, name, count, ratio, _), p in zip(found, corrected, strict=True)
    ]
    return sorted(told, key=lambda segment: -segment.loss)


def differs(losses: Floats, chosen: Bools, clusters: Ints) -> float | None:
    """Two-sided p of equal means of the chosen and of all other rows, where rows of one cluster count as one.

    t = (mean chosen − mean others) ÷ √(c ÷ (c − 1) × Σ(sum over a cluster of a row's part)²), a row's part being its
    loss less its side's mean, over its side's number of rows, and negative for the others; as many degrees as clusters
    hold chosen rows, less 1. None where one cluster holds them all.
    """
    inside, outside = losses[chosen], losses[~chosen]
    parts = np.where(chosen, (losses - inside.mean()) / len(inside), (outside.mean() - losses) / len(outside))
    dense = np.unique(clusters, return_inverse=True)[1]
    count, holding = int(dense.max()) + 1, len(np.unique(dense[chosen]))
    spread = math.sqrt(count / (count - 1) * float((np.bincount(dense, parts) ** 2).sum())) if count > 1 else 0.0
    if holding < 2 or spread == 0:
        return None
    return float(2 * stats.t.sf(abs(inside.mean() - outside.mean()) / spread, holding - 1))


def _parts(feature: Feature, values: Floats) -> list[tuple[str, Bools]]:
    if feature.kind == "category":
        return [(level, values == place) for place, level in enumerate(feature.levels)]
    known = values[~np.isnan(values)]
    if len(known) == 0:
        return []
    edges = np.unique(np.quantile(known, np.arange(1, QUARTERS) / QUARTERS))
    part = np.searchsorted(edges, values, side="right")
    width = float(np.ptp(known)) / 1_000
    texts = [number_text(float(edge), width) for edge in edges]
    names = [
        f"below {texts[0]}",
        *(f"{a} to {b}" for a, b in pairwise(texts)),
        f"{texts[-1]} or more",
    ]
    return [(name, (part == place) & ~np.isnan(values)) for place, name in enumerate(names)]


def calibration(aim: Floats, found: Floats, classes: tuple[str, ...]) -> list[Calibration]:
    """Tenths by what was predicted: numbers as they were learnt; of classes, the chance of the first."""
    said = found[:, 0] if classes else found
    true = (aim == 0).astype(np.float64) if classes else aim
    order = np.argsort(said, kind="stable")
    return [
        Calibration(len(part), float(said[part].mean()), float(true[part].mean()))
        for part in np.array_split(order, SLICES)
        if len(part)
    ]
