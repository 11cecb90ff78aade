"""Predicting one column from the others: two algorithms beside a baseline, judged on rows that they have not seen."""

from __future__ import annotations

import math
from typing import Literal

import msgspec
import numpy as np
from scipy import stats
from sklearn.metrics import roc_auc_score

from tidemark.analysis import explain
from tidemark.analysis.explain import Calibration, Importance, Partial, Segment
from tidemark.analysis.frame import Feature, Floats, Frame, Ints, Progress
from tidemark.analysis.leakage import Identity, identities, tied
from tidemark.analysis.learners import ALGORITHMS, Algorithm, Baseline, Learnt
from tidemark.analysis.splits import FOLDS, Split, SplitKind, kinds, split
from tidemark.errors import BadRequest
from tidemark.models.significance import holm

Task = Literal["number", "class"]

CHANCE = 0.01
LEAST_GAIN = 0.01
"""Of the baseline's loss: what is gained below it is of no use, be it ever so sure."""
SKEWED = 1.0
MOST_CLASSES = 8
FEWEST_ROWS = 200
WHOLLY = 0.95
COVERED = 0.8


class Leak(msgspec.Struct, frozen=True):
    """A column that may tell the answer. `left_out`: whether it was not learnt from."""

    column: str
    reason: str
    left_out: bool


class Scores(msgspec.Struct, frozen=True):
    """How good an algorithm is on rows that it has not seen.

    `skill`: the share of the baseline's loss (squared error, or log loss) that it saves, R² for numbers; `low` and
    `high` its 95 % interval; `p` of no gain, corrected for the number of algorithms; `folds`: the skill in each fold.
    `figures`: by name, in the target's units where the name says nothing else.
    """

    name: Algorithm
    skill: float
    low: float
    high: float
    p: float
    better: bool
    folds: list[float]
    figures: dict[str, float]


class Supervised(msgspec.Struct, frozen=True):
    """All that was found. `rows`: judged; `learnt`: with a known target; `logged`: the target's logarithm was learnt;
    `by_rows`: the best algorithm's skill were rows split one by one, where they were not; `best`: None where none is
    better than the baseline, and nothing is explained then; `over_other`: the share of the other algorithm's loss that
    it saves, with p of none."""

    target: str
    task: Task
    classes: tuple[str, ...]
    logged: bool
    split: SplitKind
    cell: float
    time: str
    rows: int
    learnt: int
    clusters: int
    features: list[Feature]
    leaks: list[Leak]
    baseline: dict[str, float]
    scores: list[Scores]
    best: Algorithm | None
    over_other: float
    over_other_p: float
    by_rows: float | None
    coverage: list[float]
    importance: list[Importance]
    partial: list[Partial]
    segments: list[Segment]
    calibration: list[Calibration]


class Predictions(msgspec.Struct, frozen=True):
    """Of the best algorithm, by row of the frame, NaN where none was made. `predicted`: the number, or the place of the
    likeliest class; `residual`: what was true less what was predicted, or 1 less the chance that the true class had."""

    predicted: Floats
    residual: Floats


def targets(frame: Frame) -> list[str]:
    """What can be predicted."""
    return [name for name, feature in frame.features.items() if frame.own(feature)]


def supervised(
    frame: Frame, target: str, kind: SplitKind | None = None, progress: Progress = lambda *_: None
) -> tuple[Supervised, Predictions]:
    """Learn and judge. Raises BadRequest where the target is none, or too few rows have it; Stopped as told."""
    if target not in targets(frame):
        raise BadRequest(f"{frame.title} has no column {target!r} that can be predicted")
    kind = kind or kinds(frame)[0]
    if kind not in kinds(frame):
        raise BadRequest(f"{frame.title} cannot be split by {kind}")
    progress(0.0, "Looking for columns that tell the answer")
    known = np.flatnonzero(~np.isnan(frame.values[target]))
    if len(known) < FEWEST_ROWS:
        raise BadRequest(f"{target} is known in {len(known):,} rows; {FEWEST_ROWS} are needed")
    study = _Study(frame, target, kind, known, identities(frame))
    judged = _judged(study, split(frame, kind, known), progress, 0.05, 0.6)
    scores = _scores(study, judged)
    best = _best(scores)
    over_other, over_other_p = 0.0, 1.0
    if best:
        other = next(name for name in ALGORITHMS if name != best)
        over_other, *_, over_other_p = _gain(judged.losses[other], judged.losses[best], judged.clusters)
    by_rows = None
    if best and kind != "rows":
        rows = _judged(study, split(frame, "rows", known), progress, 0.6, 0.75, (best,))
        by_rows = 1 - float(rows.losses[best].sum() / rows.baseline.sum())
    found = Supervised(
        target=target,
        task="class" if study.classes else "number",
        classes=study.classes,
        logged=study.logged,
        split=kind,
        cell=judged.split.cell,
        time=judged.split.column,
        rows=len(judged.rows),
        learnt=len(known),
        clusters=len(np.unique(judged.clusters)),
        features=study.features,
        leaks=study.leaks,
        baseline=_figures(study, judged, judged.of_baseline),
        scores=scores,
        best=best,
        over_other=over_other,
        over_other_p=over_other_p,
        by_rows=by_rows,
        coverage=_coverage(judged.fold, study.aim[judged.rows] - judged.found[best]) if best and study.number else [],
        importance=[],
        partial=[],
        segments=[],
        calibration=[],
    )
    if best is None:
        progress(1.0, "Done")
        return found, _predictions(study, judged, None)
    progress(0.75, "Asking what the predictions rest on")
    importance = explain.importance(judged.models[best], study.matrix, study.aim, judged.baseline_by_fold)
    progress(0.85, "Following the strongest columns")
    whole = Learnt(best, study.features, len(study.classes)).fit(study.matrix, study.aim)
    predictions = _predictions(study, judged, best)
    leaks = study.leaks + _suspects(target, importance, scores, best)
    progress(0.95, "Looking where it is wrong")
    done = msgspec.structs.replace(
        found,
        leaks=leaks,
        importance=importance,
        partial=explain.partial(whole, study.matrix, importance, study.logged),
        segments=explain.segments(frame, known[judged.rows], judged.losses[best], judged.clusters, target),
        calibration=explain.calibration(study.aim[judged.rows], judged.found[best], study.classes),
    )
    progress(1.0, "Done")
    return done, predictions


class _Study:
    """What is predicted from what. `aim`: numbers, or their logarithms, or the places of classes."""

    def __init__(self, frame: Frame, target: str, kind: SplitKind, known: Ints, ties: tuple[Identity, ...]) -> None:
        self.frame = frame
        self.known = known
        feature = frame.features[target]
        told = tied(target, ties)
        self.leaks = [Leak(name, words, left_out=True) for name, words in told.items()]
        self.features = [
            one for name, one in frame.features.items() if name != target and name not in told and one.name != target
        ]
        if not self.features:
            raise BadRequest(f"{target}: no other column is left to learn from")
        values = frame.values[target][known]
        self.classes: tuple[str, ...] = ()
        self.logged = False
        if feature.kind == "category":
            self.classes = feature.levels
            if len(feature.levels) > MOST_CLASSES:
                self.classes = (*feature.levels[: MOST_CLASSES - 1], "other")
                values = np.minimum(values, MOST_CLASSES - 1)
        elif values.min() > 0 and float(stats.skew(values)) > SKEWED:
            self.logged = True
            values = np.log(values)
        self.aim = values
        self.number = not self.classes
        self.matrix = np.stack([frame.values[one.name][known] for one in self.features], axis=1)

    def loss(self, rows: Ints, found: Floats) -> Floats:
        """Of each row: squared error, or log loss."""
        if self.number:
            return np.asarray((self.aim[rows] - found) ** 2)
        return np.asarray(-np.log(found[np.arange(len(rows)), self.aim[rows].astype(np.int64)]))


class _Judged:
    """Rows (of the study) that were judged, in the order of folds, with what each algorithm said of them."""

    def __init__(self, cut: Split) -> None:
        self.split = cut
        self.rows: Ints = np.zeros(0, np.int64)
        self.fold: Ints = np.zeros(0, np.int64)
        self.of_baseline: Floats = np.zeros(0)
        self.baseline: Floats = np.zeros(0)
        self.baseline_by_fold: list[float] = []
        self.found: dict[Algorithm, Floats] = {}
        self.losses: dict[Algorithm, Floats] = {}
        self.models: dict[Algorithm, list[tuple[Learnt, Ints]]] = {}

    @property
    def clusters(self) -> Ints:
        """Of each row that was judged."""
        return self.split.clusters[self.rows]


def _judged(
    study: _Study,
    cut: Split,
    progress: Progress,
    begin: float,
    end: float,
    algorithms: tuple[Algorithm, ...] = ALGORITHMS,
) -> _Judged:
    judged = _Judged(cut)
    rows: list[Ints] = []
    folds: list[Ints] = []
    base: list[Floats] = []
    found: dict[Algorithm, list[Floats]] = {name: [] for name in algorithms}
    judged.models = {name: [] for name in algorithms}
    for number, fold in enumerate(cut.folds()):
        if not len(fold.learnt) or not len(fold.judged):
            continue
        rows.append(fold.judged)
        folds.append(np.full(len(fold.judged), number + 1))
        base.append(Baseline(study.aim[fold.learnt], len(study.classes)).predict(len(fold.judged)))
        judged.baseline_by_fold.append(float(study.loss(fold.judged, base[-1]).mean()))
        for place, name in enumerate(algorithms):
            part = (number + place / len(algorithms)) / FOLDS
            progress(begin + (end - begin) * part, f"Fold {number + 1} of {FOLDS}: {WORDS[name]}")
            model = Learnt(name, study.features, len(study.classes))
            model.fit(study.matrix[fold.learnt], study.aim[fold.learnt])
            judged.models[name].append((model, fold.judged))
            found[name].append(model.predict(study.matrix[fold.judged]))
    judged.rows = np.concatenate(rows)
    judged.fold = np.concatenate(folds)
    judged.of_baseline = np.concatenate(base)
    judged.baseline = study.loss(judged.rows, judged.of_baseline)
    judged.found = {name: np.concatenate(parts) for name, parts in found.items()}
    judged.losses = {name: study.loss(judged.rows, parts) for name, parts in judged.found.items()}
    return judged


WORDS: dict[Algorithm, str] = {"linear": "the linear model", "trees": "gradient-boosted trees"}


def _scores(study: _Study, judged: _Judged) -> list[Scores]:
    tests = {name: _gain(judged.baseline, losses, judged.clusters) for name, losses in judged.losses.items()}
    corrected = holm([test[3] for test in tests.values()])
    found = []
    for (name, (skill, low, high, _)), p in zip(tests.items(), corrected, strict=True):
        folds = [
            1 - float(judged.losses[name][judged.fold == fold].sum() / judged.baseline[judged.fold == fold].sum())
            for fold in np.unique(judged.fold)
        ]
        p = 1.0 if p is None else p
        better = p <= CHANCE and skill >= LEAST_GAIN
        figures = _figures(study, judged, judged.found[name])
        found.append(Scores(name, skill, low, high, p, better, folds, figures))
    return found


def _gain(baseline: Floats, losses: Floats, clusters: Ints) -> tuple[float, float, float, float]:
    """The share of the baseline's loss that is saved, its 95 % interval, and the one-sided p of none.

    Rows of one cluster count as one. Of c clusters, with gain g and baseline's loss b each, skill = Σg ÷ Σb; its
    standard error is √(c ÷ (c − 1) × Σ(g − skill × b)²) ÷ Σb, and t of no gain Σg ÷ √(c ÷ (c − 1) × Σ(g − mean g)²).
    """
    dense = np.unique(clusters, return_inverse=True)[1]
    gains, bases = np.bincount(dense, baseline - losses), np.bincount(dense, baseline)
    count, whole = len(gains), float(bases.sum())
    if count < 2 or whole <= 0:
        return 0.0, 0.0, 0.0, 1.0
    skill = float(gains.sum()) / whole
    freed = count / (count - 1)
    spread = math.sqrt(freed * float(((gains - skill * bases) ** 2).sum())) / whole
    chance = math.sqrt(freed * float(((gains - gains.mean()) ** 2).sum()))
    reach = float(stats.t.ppf(0.975, count - 1)) * spread
    p = float(stats.t.sf(float(gains.sum()) / chance, count - 1)) if chance > 0 else 1.0
    return skill, skill - reach, skill + reach, p


def _best(scores: list[Scores]) -> Algorithm | None:
    better = [score for score in scores if score.better]
    return max(better, key=lambda score: score.skill).name if better else None


def _figures(study: _Study, judged: _Judged, found: Floats) -> dict[str, float]:
    """Errors in the target's own units (back from its logarithm), or of classes."""
    aim = study.aim[judged.rows]
    if study.number:
        true, said = (np.exp(aim), np.exp(found)) if study.logged else (aim, found)
        return {
            "RMSE": float(np.sqrt(np.mean((true - said) ** 2))),
            "MAE": float(np.mean(np.abs(true - said))),
            "bias": float(np.mean(said - true)),
        }
    codes = aim.astype(np.int64)
    known = np.eye(len(study.classes))[codes]
    return {
        "log loss": float(study.loss(judged.rows, found).mean()),
        "accuracy": float(np.mean(found.argmax(axis=1) == codes)),
        "Brier score": float(np.mean(((found - known) ** 2).sum(axis=1))),
        "AUC": _auc(codes, found),
    }


def _auc(codes: Ints, found: Floats) -> float:
    """The mean over classes of each against the rest."""
    areas = [
        float(roc_auc_score(codes == place, found[:, place]))
        for place in range(found.shape[1])
        if 0 < (codes == place).sum() < len(codes)
    ]
    return float(np.mean(areas)) if areas else 0.5


def _coverage(fold: Ints, residual: Floats) -> list[float]:
    """How many of each fold lie within the interval that holds `COVERED` of the other folds' residuals."""
    reach = np.abs(residual)
    return [
        float(np.mean(reach[fold == one] <= np.quantile(reach[fold != one], COVERED)))
        for one in np.unique(fold)
        if (fold != one).any()
    ]


def _suspects(target: str, importance: list[Importance], scores: list[Scores], best: Algorithm) -> list[Leak]:
    skill = next(score.skill for score in scores if score.name == best)
    if skill < WHOLLY or not importance:
        return []
    first = importance[0]
    words = f"with it the model explains {skill:.1%}: make sure that it is known before {target} is"
    return [Leak(first.column, words, left_out=False)]


def _predictions(study: _Study, judged: _Judged, best: Algorithm | None) -> Predictions:
    predicted = np.full(study.frame.rows, np.nan)
    residual = np.full(study.frame.rows, np.nan)
    if best is not None:
        rows = study.known[judged.rows]
        found, aim = judged.found[best], study.aim[judged.rows]
        if study.number:
            said = np.exp(found) if study.logged else found
            predicted[rows] = said
            residual[rows] = (np.exp(aim) if study.logged else aim) - said
        else:
            predicted[rows] = found.argmax(axis=1)
            residual[rows] = 1 - found[np.arange(len(rows)), aim.astype(np.int64)]
    return Predictions(predicted, residual)
