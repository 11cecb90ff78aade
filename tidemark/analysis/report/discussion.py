"""What the results mean, as far as they carry; and what they do not say."""

from __future__ import annotations

from tidemark.analysis.report.document import Block, Heading, Paragraph
from tidemark.analysis.report.study import Study
from tidemark.analysis.supervised import COVERED, Supervised
from tidemark.analysis.unsupervised import Unsupervised
from tidemark.analysis.words import NOTHING_GROUPED, listed, loss_of, of_supervised

WIDE = 0.1
LIKE = 0.03
SURE = 0.01
UNEVEN = 1.2


def discussion(study: Study) -> list[Block]:
    """The section."""
    shape = [Paragraph(_shape(study.shape[0]))] if study.shape else []
    return [
        Heading(1, "Discussion"),
        *_data(study),
        *shape,
        *(Paragraph(words) for words in _prediction(study.prediction[0])),
        Paragraph(_limits(study)),
    ]


def _data(study: Study) -> list[Block]:
    told = []
    capped = [one for one in study.description.numbers if one.at_most]
    if capped:
        names = listed([f"{one.column} ({one.at_most:.1%} of the rows at its largest value)" for one in capped])
        told.append(
            f"{names}: values beyond it were probably cut, so that means are too low; of a column that is predicted, "
            "a model learns the cap, not what lies beyond it."
        )
    missing = [one for one in study.description.numbers if one.missing]
    if missing:
        told.append(
            f"Values are missing in {listed([one.column for one in missing])}; whether that depends on the values that "
            "are missing cannot be seen from the table."
        )
    if study.identities:
        told.append(
            "Some columns say in other words what others say; that they predict each other perfectly is no finding, "
            "and they were kept apart."
        )
    tied = [{identity.target, *identity.terms} for identity in study.identities]
    real = [pair for pair in study.description.pairs if pair.real]
    if all(any({pair.first, pair.second} <= columns for columns in tied) for pair in real):
        but = ", but for those" if real else ""
        told.append(f"No two columns depend on each other beyond chance{but}: the table looks like independent noise.")
    return [Paragraph(" ".join(told))] if told else []


def _shape(found: Unsupervised) -> str:
    if found.nothing:
        return f"{NOTHING_GROUPED} Groups drawn in it would be found in any table of these columns."
    told = []
    real = [one for one in found.components if one.real]
    if real:
        share = sum(one.share for one in real)
        leads = listed([max(one.loadings.items(), key=lambda item: abs(item[1]))[0] for one in real])
        told.append(
            f"The columns say much of the same: {len(real)} of {len(found.components)} directions, led by {leads}, "
            f"hold {share:.0%} of all variance."
        )
    if found.best:
        one = next(one for one in found.groupings if one.k == found.best)
        how = "weak" if one.silhouette < 0.25 else "fair" if one.silhouette < 0.5 else "strong"
        told.append(
            f"The {found.best} groups are stable and beyond chance, but {how} (silhouette {one.silhouette:.2f}): "
            "they cut a cloud into handy parts rather than tell kinds apart."
            if how == "weak"
            else f"The {found.best} groups are stable, beyond chance and {how} (silhouette {one.silhouette:.2f})."
        )
    if found.density.real:
        told.append(
            f"{found.density.groups} parts of it are dense enough to stand for themselves, with "
            f"{found.density.share:.0%} of the rows; the others belong to none."
        )
    if found.apart.real:
        told.append(
            f"{found.apart.share / found.apart.chance:.1f} times as many rows are extreme as there would be were the "
            "columns unrelated: in several columns at once, as large and small things are, or in how they go together."
        )
    return " ".join(told)


def _prediction(found: Supervised) -> list[str]:
    score = next((one for one in found.scores if one.name == found.best), None)
    if score is None:
        return [
            f"{of_supervised(found).verdict} A model of it would be worth no more than its mean; that trees are "
            "worse than the baseline is what learning noise costs."
        ]
    told = []
    least = max((one.high for one in found.importance[1:]), default=0.0)
    first = found.importance[0]
    clearly = "most, clearly" if first.low > least else "most, though not clearly before all others"
    rests = f" It rests on {first.column} {clearly}."
    surely = found.over_other_p <= SURE
    bend = (
        "Trees do better than the linear model beyond chance: relations bend, or columns work together."
        if found.best == "trees" and surely
        else "Trees are not surely better than the linear model: straight relations tell nearly as much."
        if found.best == "trees"
        else "Straight relations do as well as any."
    )
    told.append(
        f"{of_supervised(found).verdict} {bend}{rests} Importance tells what the model uses, not what causes what."
    )
    if found.by_rows is not None and found.by_rows - score.skill > LIKE:
        what = "places" if found.split == "place" else "times"
        told.append(
            f"A split row by row would promise {found.by_rows:.2f} instead of {score.skill:.2f}. The difference is "
            f"mostly what rows tell about their neighbours; who predicts for new {what} does not have it."
        )
    worst = found.segments[0] if found.segments else None
    if worst is not None and worst.loss > UNEVEN:
        sure = (
            "beyond chance" if worst.worse else "which so few independent clusters cannot show to be more than chance"
        )
        told.append(
            f"Errors are not even: in {worst.column} {worst.name} the {loss_of(found)} is {worst.loss:.1f} times the "
            f"usual, {sure}. A single figure for the whole table hides that."
        )
    if found.coverage and max(found.coverage) - min(found.coverage) > WIDE:
        told.append(
            f"Intervals that should hold {COVERED:.0%} hold {min(found.coverage):.0%} to {max(found.coverage):.0%} "
            "from fold to fold: the width that fits some rows does not fit all others."
        )
    return told


def _limits(study: Study) -> str:
    sampled = f" Every {study.frame.step}th row was looked at." if study.frame.step > 1 else ""
    near = {"time": "neighbouring days", "place": "neighbouring cells", "rows": "rows that belong together"}
    return (
        "Dependences and rows that stand apart are tested row by row, as if rows were independent of one another; "
        f"predictions and parts by clusters, of which {near[study.prediction[0].split]} are not quite independent "
        f"either: p-values are, if anything, too small.{sampled} Settings of the algorithms were not tuned to this "
        "table, and nothing here says what would follow if a column were changed by hand."
    )
