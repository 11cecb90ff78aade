"""What shape a table's numbers have: components, groups, and rows that stand apart; each beside a control.

The control is the same table with every column shuffled for itself: all that columns have in common is gone from it,
and what is found there is found in any table. Only what goes beyond it counts.
"""

from __future__ import annotations

import math

import msgspec
import numpy as np
from scipy import stats
from sklearn.cluster import HDBSCAN, KMeans
from sklearn.ensemble import IsolationForest
from sklearn.manifold import TSNE, trustworthiness
from sklearn.metrics import adjusted_rand_score, silhouette_score
from threadpoolctl import threadpool_limits

from tidemark.analysis.frame import Floats, Frame, Ints, Progress
from tidemark.analysis.leakage import identities
from tidemark.errors import BadRequest

SHUFFLES = 9
KS = (2, 3, 4, 5, 6, 7, 8)
STARTS = 10
MOST_CLUSTERED, MOST_MEASURED, MOST_PROJECTED = 5_000, 2_000, 1_000
PERPLEXITY, NEIGHBOURS, STEPS = 30, 12, 500
TREES = 200
SKEWED, REACH = 1.0, 5.0
LEAST_GAP, STABLE = 0.05, 0.8
APART, CHANCE = 0.99, 0.01
FEWEST_ROWS = 200
SEED = 0


class Scaled(msgspec.Struct, frozen=True):
    """A column as it is compared: less its mean, over its standard deviation; its logarithm before, where `logged`."""

    column: str
    logged: bool
    mean: float
    deviation: float


class Component(msgspec.Struct, frozen=True):
    """A principal component: the share of the variance that it explains, and the most that one of that rank does in the
    shuffled tables; `loadings` by column."""

    share: float
    control: float
    loadings: dict[str, float]
    real: bool


class Grouping(msgspec.Struct, frozen=True):
    """K-means with k groups: silhouettes of the data, and the mean and most of the shuffled tables'; `stability`: the
    adjusted Rand index, on all rows, of groups learnt from the even and from the odd rows."""

    k: int
    silhouette: float
    control: float
    control_most: float
    stability: float
    real: bool


class Density(msgspec.Struct, frozen=True):
    """HDBSCAN: dense groups, the share of rows in them, and those rows' silhouette (0 of fewer than two groups); of the
    first shuffled table too."""

    groups: int
    share: float
    silhouette: float
    control_groups: int
    control_share: float
    control_silhouette: float
    stability: float
    real: bool


class Apart(msgspec.Struct, frozen=True):
    """Rows whose isolation score exceeds what `APART` of the shuffled rows have: their share; 1 − `APART` is chance."""

    threshold: float
    share: float
    chance: float
    p: float
    real: bool


class Profile(msgspec.Struct, frozen=True):
    """A group of rows: its share of them, and its columns' means in their own units."""

    group: int
    share: float
    means: dict[str, float]


class Projection(msgspec.Struct, frozen=True):
    """t-SNE: how far neighbours there are neighbours in the data (trustworthiness, 0 to 1), beside two components, and
    t-SNE of the shuffled table."""

    rows: int
    trust: float
    components: float
    control: float


class Unsupervised(msgspec.Struct, frozen=True):
    """All that was found. `left_out`: columns, with the reason; `best`: the k of the groups, None where none are."""

    rows: int
    scaled: list[Scaled]
    left_out: dict[str, str]
    components: list[Component]
    groupings: list[Grouping]
    best: int | None
    profiles: list[Profile]
    density: Density
    apart: Apart
    projection: Projection

    @property
    def nothing(self) -> bool:
        """Whether nothing goes beyond the control."""
        several = any(one.real for one in self.components) or any(one.real for one in self.groupings)
        return not (several or self.density.real or self.apart.real)


class Places(msgspec.Struct, frozen=True):
    """By row of the frame: the first two components, t-SNE's two (NaN of rows that were not projected), the group (NaN
    where none are) and the isolation score, which is higher the easier a row is told apart."""

    first: Floats
    second: Floats
    across: Floats
    up: Floats
    group: Floats
    score: Floats


def columns(frame: Frame) -> tuple[list[str], dict[str, str]]:
    """The numbers that are compared; and those that are not, with the reason."""
    left_out: dict[str, str] = {}
    for identity in identities(frame):
        if identity.target in frame.numbers() and not {identity.target, *identity.terms} & set(left_out):
            left_out[identity.target] = identity.words
    return [name for name in frame.numbers() if name not in left_out], left_out


def unsupervised(frame: Frame, progress: Progress = lambda *_: None) -> tuple[Unsupervised, Places]:
    """Look for all of it. Raises BadRequest where there are too few numbers or rows; Stopped as told."""
    progress(0.0, "Scaling")
    names, left_out = columns(frame)
    if len(names) < 2 or frame.rows < FEWEST_ROWS:
        raise BadRequest(
            f"{frame.title}: groups are looked for among two columns of numbers and {FEWEST_ROWS} rows or more; "
            f"there are {len(names)} and {frame.rows:,}"
        )
    matrix, scaled = _scaled(frame, names)
    generator = np.random.default_rng(SEED)
    shuffled = [_shuffled(matrix, generator) for _ in range(SHUFFLES)]
    with threadpool_limits(1):
        progress(0.05, "Principal components")
        components, axes = _components(matrix, shuffled, names)
        groupings, group, best = _groupings(matrix, shuffled, progress)
        progress(0.65, "Dense groups")
        density = _density(matrix, shuffled[0])
        progress(0.75, "Rows that stand apart")
        apart, score = _apart(matrix, shuffled[0])
        progress(0.85, "Neighbours on a plane")
        projection, across, up = _projection(matrix, shuffled[0], axes)
    placed = matrix @ axes.T
    found = Unsupervised(
        rows=frame.rows,
        scaled=scaled,
        left_out=left_out,
        components=components,
        groupings=groupings,
        best=best,
        profiles=_profiles(frame, names, group) if best else [],
        density=density,
        apart=apart,
        projection=projection,
    )
    progress(1.0, "Done")
    return found, Places(placed[:, 0], placed[:, 1], across, up, group, score)


def _scaled(frame: Frame, names: list[str]) -> tuple[Floats, list[Scaled]]:
    """Standardised; missing values are the mean; what lies beyond `REACH` deviations is set there."""
    parts, told = [], []
    for name in names:
        values = frame.values[name]
        known = values[~np.isnan(values)]
        logged = bool(known.min() > 0 and stats.skew(known) > SKEWED)
        values = np.log(values) if logged else values
        mean, deviation = float(np.nanmean(values)), float(np.nanstd(values))
        part = (np.where(np.isnan(values), mean, values) - mean) / deviation
        parts.append(np.clip(part, -REACH, REACH))
        told.append(Scaled(name, logged, mean, deviation))
    return np.stack(parts, axis=1), told


def _shuffled(matrix: Floats, generator: np.random.Generator) -> Floats:
    return np.stack([generator.permutation(column) for column in matrix.T], axis=1)


def _few(matrix: Floats, most: int) -> Floats:
    return matrix[:: math.ceil(len(matrix) / most)]


# -- components


def _components(matrix: Floats, shuffled: list[Floats], names: list[str]) -> tuple[list[Component], Floats]:
    shares, axes = _variances(matrix)
    control = np.max([_variances(one)[0] for one in shuffled], axis=0)
    found, above = [], True
    for share, most, axis in zip(shares, control, axes, strict=True):
        above = above and bool(share > most * (1 + LEAST_GAP))  # none after the first that chance could give
        loadings = {name: float(weight) for name, weight in zip(names, axis, strict=True)}
        found.append(Component(float(share), float(most), loadings, above))
    return found, axes[:2]


def _variances(matrix: Floats) -> tuple[Floats, Floats]:
    """The components' shares of the variance, and their axes (rows), of which the largest loading is positive."""
    values, vectors = np.linalg.eigh(np.cov(matrix, rowvar=False))
    axes = vectors[:, ::-1].T
    largest = np.abs(axes).argmax(axis=1)
    axes = axes * np.sign(axes[np.arange(len(axes)), largest])[:, None]
    return np.maximum(values[::-1], 0) / values.sum(), axes


# -- groups


def _groupings(matrix: Floats, shuffled: list[Floats], progress: Progress) -> tuple[list[Grouping], Floats, int | None]:
    some = _few(matrix, MOST_CLUSTERED)
    controls = [_few(one, MOST_CLUSTERED) for one in shuffled]
    found = []
    for place, k in enumerate(KS):
        progress(0.1 + 0.55 * place / len(KS), f"{k} groups, and in {SHUFFLES} shuffled tables")
        silhouette = _silhouette(some, _k_means(some, k).predict(some))
        control = [_silhouette(one, _k_means(one, k).predict(one)) for one in controls]
        halves = [_k_means(some[half::2], k).predict(some) for half in (0, 1)]
        stability = float(adjusted_rand_score(*halves))
        real = silhouette > max(control) and silhouette - np.mean(control) >= LEAST_GAP and stability >= STABLE
        found.append(Grouping(k, silhouette, float(np.mean(control)), max(control), stability, bool(real)))
    reals = [one for one in found if one.real]
    if not reals:
        return found, np.full(len(matrix), np.nan), None
    best = max(reals, key=lambda one: one.silhouette - one.control).k
    labels = _by_size(_k_means(some, best).predict(matrix))
    return found, labels.astype(np.float64), best


def _k_means(matrix: Floats, k: int) -> KMeans:
    return KMeans(k, n_init=STARTS, random_state=SEED).fit(matrix)


def _silhouette(matrix: Floats, labels: Ints) -> float:
    step = math.ceil(len(matrix) / MOST_MEASURED)
    return float(silhouette_score(matrix[::step], labels[::step]))


def _by_size(labels: Ints) -> Ints:
    """Numbered from 1, the largest first."""
    counts = np.bincount(labels)
    rank = np.empty(len(counts), np.int64)
    rank[np.argsort(-counts, kind="stable")] = np.arange(1, len(counts) + 1)
    return rank[labels]


def _profiles(frame: Frame, names: list[str], group: Floats) -> list[Profile]:
    found = []
    for number in np.unique(group):
        rows = group == number
        means = {name: float(np.nanmean(frame.values[name][rows])) for name in names}
        found.append(Profile(int(number), float(rows.mean()), means))
    return found


def _density(matrix: Floats, shuffled: Floats) -> Density:
    some, control = _few(matrix, MOST_CLUSTERED), _few(shuffled, MOST_CLUSTERED)
    labels, chance, half = _dense(some), _dense(control), _dense(some[::2])
    stability = float(adjusted_rand_score(labels[::2], half))
    silhouette, by_chance = _silhouette_of_dense(some, labels), _silhouette_of_dense(control, chance)
    groups = int(labels.max()) + 1
    return Density(
        groups=groups,
        share=float(np.mean(labels >= 0)),
        silhouette=silhouette,
        control_groups=int(chance.max()) + 1,
        control_share=float(np.mean(chance >= 0)),
        control_silhouette=by_chance,
        stability=stability,
        real=groups >= 2 and silhouette - by_chance >= LEAST_GAP and stability >= STABLE,
    )


def _silhouette_of_dense(matrix: Floats, labels: Ints) -> float:
    dense = labels >= 0
    return _silhouette(matrix[dense], labels[dense]) if labels.max() > 0 else 0.0


def _dense(matrix: Floats) -> Ints:
    found = HDBSCAN(min_cluster_size=max(20, len(matrix) // 100), copy=True).fit_predict(matrix)
    return np.asarray(found, np.int64)


# -- rows that stand apart, and a plane


def _apart(matrix: Floats, shuffled: Floats) -> tuple[Apart, Floats]:
    forest = IsolationForest(n_estimators=TREES, random_state=SEED).fit(matrix)
    score = -forest.score_samples(matrix)
    threshold = float(np.quantile(-forest.score_samples(shuffled), APART))
    share = float(np.mean(score > threshold))
    p = float(stats.binomtest(int((score > threshold).sum()), len(score), 1 - APART, "greater").pvalue)
    real = p <= CHANCE and share >= 2 * (1 - APART)
    return Apart(threshold, share, 1 - APART, p, bool(real)), score


def _projection(matrix: Floats, shuffled: Floats, axes: Floats) -> tuple[Projection, Floats, Floats]:
    step = math.ceil(len(matrix) / MOST_PROJECTED)
    some, control = matrix[::step], shuffled[::step]
    plane, other = _plane(some), _plane(control)
    across, up = np.full(len(matrix), np.nan), np.full(len(matrix), np.nan)
    across[::step], up[::step] = plane.T
    projection = Projection(
        rows=len(some),
        trust=float(trustworthiness(some, plane, n_neighbors=NEIGHBOURS)),
        components=float(trustworthiness(some, some @ axes.T, n_neighbors=NEIGHBOURS)),
        control=float(trustworthiness(control, other, n_neighbors=NEIGHBOURS)),
    )
    return projection, across, up


def _plane(matrix: Floats) -> Floats:
    found = TSNE(perplexity=PERPLEXITY, init="pca", max_iter=STEPS, random_state=SEED).fit_transform(matrix)
    return np.asarray(found, np.float64)
