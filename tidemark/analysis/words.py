"""What was found, in sentences; the pages and the report say the same."""

from __future__ import annotations

from typing import NamedTuple

from tidemark.analysis.learners import Algorithm
from tidemark.analysis.splits import FOLDS, SplitKind
from tidemark.analysis.supervised import COVERED, LEAST_GAIN, Supervised
from tidemark.analysis.unsupervised import SHUFFLES, Unsupervised
from tidemark.looks import minus, percent

NOTHING_GROUPED = "Nothing to find: the columns have no more in common than shuffled ones."
ALGORITHMS: dict[Algorithm, str] = {"linear": "the linear model", "trees": "gradient-boosted trees"}
SPLITS: dict[SplitKind, str] = {
    "time": "come later in time",
    "place": "lie in other places",
    "rows": "were left out one by one",
}


class SaidOfGroups(NamedTuple):
    """Sentences about an unsupervised analysis."""

    verdict: str
    details: list[str]
    components: str
    groups: str
    density: str
    apart: str
    plane: str


class SaidOfPrediction(NamedTuple):
    """Sentences about a supervised analysis."""

    verdict: str
    details: list[str]
    leaks: list[str]
    split: str
    skill: str
    importance: str
    segments: str
    calibration: str
    residuals: str
    partial: str


def number(value: float) -> str:
    """A figure with three digits that matter, or as a whole number from a thousand on."""
    if abs(value) >= 1_000:
        return minus(f"{value:,.0f}")
    return minus(f"{value:.3g}" if abs(value) < 100 else f"{value:.1f}")


def figure(value: float) -> str:
    """A figure that can be compared: six digits that matter, whole numbers as they are."""
    if value == round(value) and abs(value) < 1e15:
        return minus(f"{value:,.0f}")
    if abs(value) >= 1_000:
        return minus(f"{value:,.1f}")
    return minus(f"{value:.6g}")


def of_unsupervised(found: Unsupervised) -> SaidOfGroups:
    """Sentences about groups and the like."""
    real = [one for one in found.components if one.real]
    parts = []
    if real:
        parts.append(f"{len(real)} component{'s' * (len(real) > 1)} beyond chance")
    if found.best:
        parts.append(f"{found.best} groups")
    if found.density.real:
        parts.append(f"{found.density.groups} dense groups")
    if found.apart.real:
        parts.append(f"{percent(found.apart.share)} of the rows standing apart")
    details = [
        f"{found.rows:,} rows, compared by {', '.join(one.column for one in found.scaled)}; beside them "
        f"{SHUFFLES} tables of the same columns, each shuffled for itself."
    ]
    if found.left_out:
        details.append(f"Left out, because they are arithmetic of others: {'; '.join(found.left_out.values())}.")
    share = sum(one.share for one in real)
    strongest = max(found.groupings, key=lambda one: one.silhouette - one.control)
    density, apart, plane = found.density, found.apart, found.projection
    return SaidOfGroups(
        verdict=f"Found: {listed(parts)}." if parts else NOTHING_GROUPED,
        details=details,
        components=(
            f"{len(real)} of {len(found.components)} explain more than in any shuffled table (ticks), "
            f"{percent(share)} of the variance together."
            if real
            else "None explains more than in the shuffled tables (ticks)."
        ),
        groups=(
            f"Silhouette {strongest.silhouette:.3f} with {strongest.k} groups, {strongest.control:.3f} in shuffled "
            f"tables (dashed); learnt from either half of the rows, the groups agree to {strongest.stability:.2f} "
            f"(adjusted Rand index). " + ("" if found.best else "No number of groups goes beyond chance and is stable.")
        ),
        density=(
            f"HDBSCAN finds {density.groups} dense groups with {percent(density.share)} of the rows (silhouette "
            f"{density.silhouette:.2f}); in a shuffled table {density.control_groups} with "
            f"{percent(density.control_share)} ({density.control_silhouette:.2f}). "
            + ("" if density.real else "That is no more than chance, or not stable.")
        ),
        apart=(
            f"{percent(apart.share)} of the rows are told apart more easily than {1 - apart.chance:.0%} of shuffled "
            f"ones; chance gives {percent(apart.chance)}."
            + ("" if apart.real else " No row stands apart for how its columns go together.")
        ),
        plane=(
            f"t-SNE of {plane.rows:,} rows. Neighbours here are neighbours in the data to {plane.trust:.2f} "
            f"(trustworthiness; the first two components {plane.components:.2f}, a shuffled table "
            f"{plane.control:.2f}). Distances between heaps mean nothing."
        ),
    )


def of_supervised(found: Supervised) -> SaidOfPrediction:
    """Sentences about predictions."""
    return SaidOfPrediction(
        verdict=_verdict(found),
        details=_details(found),
        leaks=_leaks(found),
        split=_split(found),
        skill=(
            "1 less the squared error over the baseline's, on rows that were not learnt from: an R² whose mean is the "
            "baseline's."
            if found.task == "number"
            else "1 less the log loss over the baseline's, on rows that were not learnt from."
        )
        + " With 95 % intervals.",
        importance=(
            "The share of the baseline's error that comes back when a column's values are exchanged among the rows, "
            "with the 95 % interval over the folds. Columns that tell the same share it between them."
        ),
        segments=_segments(found),
        calibration=_calibration(found),
        residuals="What was true less what was predicted; the half per cent at either end is not shown.",
        partial="The mean prediction of the best algorithm were the column so in every row, all else as it is.",
    )


def _verdict(found: Supervised) -> str:
    score = next((one for one in found.scores if one.name == found.best), None)
    if score is None:
        return f"Nothing to find: no better than the baseline for {found.target}."
    what = f"The logarithm of {found.target}" if found.logged else found.target
    loss = "squared error" if found.task == "number" else "log loss"
    share = minus(
        f"{percent(score.skill)} of the baseline's {loss} is saved ({percent(score.low)} to {percent(score.high)})"
    )
    return f"{what} can be predicted: {share}."


def _details(found: Supervised) -> list[str]:
    score = next((one for one in found.scores if one.name == found.best), None)
    if score is None:
        least = f"at least {LEAST_GAIN:.0%} better, beyond chance (p ≤ .01, corrected for both algorithms)"
        return [f"Neither algorithm is {least}: from these columns there is nothing to learn about {found.target}."]
    told = [f"{ALGORITHMS[score.name][0].upper()}{ALGORITHMS[score.name][1:]} do best, on {found.rows:,} rows."]
    if found.by_rows is not None and found.by_rows - score.skill > LEAST_GAIN:
        told.append(
            f"Were rows left out one by one, {percent(found.by_rows)} would stand here: rows that are near in "
            f"{found.split} tell of each other, and a new {'place' if found.split == 'place' else 'time'} has none."
        )
    return told


def _leaks(found: Supervised) -> list[str]:
    by_reason: dict[str, list[str]] = {}
    for leak in found.leaks:
        by_reason.setdefault(leak.reason, []).append(leak.column)
    told = []
    for reason, names in by_reason.items():
        out = any(leak.left_out for leak in found.leaks if leak.reason == reason)
        verb = "were not learnt from" if len(names) > 1 else "was not learnt from"
        told.append(f"{listed(names)} {verb}: {reason}." if out else f"{listed(names)} may tell the answer: {reason}.")
    return told


def _split(found: Supervised) -> str:
    if found.split == "time":
        return (
            f"Rows in the order of {found.time}, in {FOLDS + 1} blocks; each but the first is judged by a model of "
            "all before it."
        )
    if found.split == "place":
        return (
            f"Cells of {found.cell:.3g}° by {found.cell:.3g}°, each fifth of them judged by a model of the other four."
        )
    return "Each fifth row is judged by a model of the other four."


def _segments(found: Supervised) -> str:
    worse = [one for one in found.segments if one.worse]
    if not worse:
        return "No part of the table is worse beyond chance (t over clusters, Holm's correction); the worst are pale."
    return (
        f"{_count(len(worse))} a larger {loss_of(found)} beyond chance (t over clusters, Holm's correction), "
        f"{worse[0].column} {worse[0].name} the largest: {worse[0].loss:.1f} times that of all rows. "
        "Pale: perhaps chance."
    )


def _count(parts: int) -> str:
    return "One part of the table has" if parts == 1 else f"{parts} parts of the table have"


def loss_of(found: Supervised) -> str:
    """What a row's error is counted as."""
    return "squared error" if found.task == "number" else "log loss"


def _calibration(found: Supervised) -> str:
    words = "Tenths of the rows by what was predicted; a model that is calibrated lies on the dashed line."
    if found.coverage:
        least, most = min(found.coverage), max(found.coverage)
        words += (
            f" An interval that holds {COVERED:.0%} of the other folds' residuals holds "
            f"{percent(least)} to {percent(most)} of each fold's."
        )
    return words


def listed(parts: list[str]) -> str:
    """One, two and three."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)
