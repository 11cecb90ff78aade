"""What came out, in the order of the methodology, without an opinion."""

from __future__ import annotations

from tidemark.analysis import charts
from tidemark.analysis.explain import Partial
from tidemark.analysis.frame import OTHER
from tidemark.analysis.report.document import Block, Figure, Grid, Heading, Paragraph
from tidemark.analysis.report.study import Study
from tidemark.analysis.supervised import COVERED, Predictions, Supervised
from tidemark.analysis.unsupervised import Places, Unsupervised
from tidemark.analysis.words import ALGORITHMS, figure
from tidemark.looks import minus

MOST_PAIRS, MOST_LEVELS, MOST_PARTS = 15, 8, 12


def results(study: Study) -> list[Block]:
    """The section."""
    return [
        Heading(1, "Results"),
        *_descriptions(study),
        *_dependences(study),
        *(_shape(*study.shape) if study.shape else []),
        *_prediction(*study.prediction),
    ]


def _descriptions(study: Study) -> list[Block]:
    numbers = [
        [
            one.column,
            f"{one.missing:,}",
            *(
                figure(value)
                for value in (one.mean, one.deviation, one.least, one.lower, one.median, one.upper, one.most)
            ),
            f"{one.at_most:.2%}" if one.at_most else "",
        ]
        for one in study.description.numbers
    ]
    blocks: list[Block] = [
        Heading(2, "Descriptive statistics"),
        Grid(
            "Numbers.",
            (
                "",
                "missing ",
                "mean ",
                "deviation ",
                "least ",
                "quarter ",
                "median ",
                "three quarters ",
                "most ",
                "at a cap ",
            ),
            numbers,
        ),
    ]
    if study.description.categories:
        rows = []
        for one in study.description.categories:
            levels = list(one.counts.items())
            said = ", ".join(f"{level} {count:,}" for level, count in levels[:MOST_LEVELS])
            more = f", {len(levels) - MOST_LEVELS} more" if len(levels) > MOST_LEVELS else ""
            rows.append(
                [
                    one.column,
                    f"{one.missing:,}",
                    f"{len([level for level in one.counts if level != OTHER])}",
                    said + more,
                ]
            )
        blocks.append(Grid("Categories.", ("", "missing ", "levels ", "rows by level"), rows))
    return blocks


def _dependences(study: Study) -> list[Block]:
    pairs = study.description.pairs
    real = [pair for pair in pairs if pair.real]
    blocks: list[Block] = [
        Heading(2, "Dependence"),
        Paragraph(f"Of {len(pairs):,} pairs, {len(real):,} depend on each other."),
    ]
    if real:
        rows = [
            [pair.first, pair.second, pair.measure, minus(f"{pair.value:.3f}"), _p(pair.p)]
            for pair in real[:MOST_PAIRS]
        ]
        caption = f"The {MOST_PAIRS} strongest dependences." if len(real) > MOST_PAIRS else "The dependences."
        blocks.append(Grid(caption, ("", "", "measure", "strength ", "p "), rows))
    return blocks


def _shape(found: Unsupervised, places: Places) -> list[Block]:
    components = [
        [
            str(place + 1),
            f"{one.share:.4f}",
            f"{one.control:.4f}",
            "yes" if one.real else "no",
            ", ".join(minus(f"{name} {weight:+.2f}") for name, weight in _largest(one.loadings)),
        ]
        for place, one in enumerate(found.components)
    ]
    groupings = [
        [
            str(one.k),
            *(minus(f"{value:.4f}") for value in (one.silhouette, one.control, one.control_most, one.stability)),
            "yes" if one.real else "no",
        ]
        for one in found.groupings
    ]
    blocks: list[Block] = [
        Heading(2, "Shape"),
        Grid("Components.", ("rank ", "share ", "control ", "real", "three largest loadings"), components),
        Figure("The components' shares (bars) and their controls (ticks).", charts.components(found)),
        Grid("Groups by k-means.", ("k ", "silhouette ", "control, mean ", "most ", "stability ", "real"), groupings),
        Figure("Silhouettes of the data, and of the shuffled tables on the mean (dashed).", charts.groupings(found)),
    ]
    if found.best:
        heads = ("", *(f"group {one.group} " for one in found.profiles))
        rows = [["share of the rows", *(f"{one.share:.2%}" for one in found.profiles)]]
        rows += [[one.column, *(figure(group.means[one.column]) for group in found.profiles)] for one in found.scaled]
        blocks += [Paragraph(f"k = {found.best} is taken."), Grid(f"The {found.best} groups: means.", heads, rows)]
    density, apart, plane = found.density, found.apart, found.projection
    blocks += [
        Paragraph(
            f"Dense groups: {density.groups} with {density.share:.2%} of the sample and a silhouette of "
            f"{density.silhouette:.4f}; in the shuffled table {density.control_groups} with "
            f"{density.control_share:.2%} and {density.control_silhouette:.4f}; stability {density.stability:.3f}. "
            f"{'Real' if density.real else 'Not real'}."
        ),
        Paragraph(
            f"Rows that stand apart: the threshold is {apart.threshold:.4f}, and {apart.share:.2%} of the rows are "
            f"above it (p {_p(apart.p)}). {'Real' if apart.real else 'Not real'}."
        ),
        Paragraph(
            f"The plane's trustworthiness is {plane.trust:.4f} over {plane.rows:,} rows; that of the first two "
            f"components {plane.components:.4f}, that of the shuffled table {plane.control:.4f}."
        ),
        Figure("t-SNE's plane.", charts.plane(found, places)),
    ]
    return blocks


def _largest(loadings: dict[str, float]) -> list[tuple[str, float]]:
    return sorted(loadings.items(), key=lambda item: -abs(item[1]))[:3]


def _prediction(found: Supervised, predictions: Predictions) -> list[Block]:
    figures = list(found.baseline)
    rows = [["Baseline", "0", "", "", *(figure(found.baseline[name]) for name in figures)]]
    for one in found.scores:
        skill = f"{one.skill:.4f} ({one.low:.3f} to {one.high:.3f})"
        cells = [figure(one.figures[name]) for name in figures]
        rows.append([charts.NAMES[one.name], minus(skill), _p(one.p), "yes" if one.better else "no", *cells])
    folds = [[charts.NAMES[one.name], *(minus(f"{skill:.4f}") for skill in one.folds)] for one in found.scores]
    heads = ("", *(f"fold {place + 1} " for place in range(len(found.scores[0].folds))))
    blocks: list[Block] = [
        Heading(2, "Prediction"),
        Paragraph(f"{found.rows:,} rows are judged, in {found.clusters:,} clusters."),
        Grid(
            f"How well {found.target} is predicted.",
            ("", "skill ", "p ", "better", *(f"{name} " for name in figures)),
            rows,
        ),
        Grid("Skill by fold.", heads, folds),
    ]
    if found.best is None:
        return [*blocks, Paragraph("Neither algorithm is better than the baseline.")]
    blocks.append(Paragraph(_best(found)))
    if found.by_rows is not None:
        blocks.append(Paragraph(f"Were rows split one by one, its skill would be {found.by_rows:.4f}."))
    importance = [
        [one.column, minus(f"{one.value:.4f}"), minus(f"{one.low:.4f} to {one.high:.4f}")] for one in found.importance
    ]
    blocks += [
        Grid("Importance.", ("", "share of the baseline's loss ", "95 % "), importance),
        Figure("Importance, with 95 % intervals over the folds.", charts.importance(found)),
    ]
    for part in found.partial:
        blocks += _followed(found, part)
    return [*blocks, *_where(found), *_calibrated(found, predictions)]


def _best(found: Supervised) -> str:
    assert found.best is not None
    other = next(one.name for one in found.scores if one.name != found.best)
    return (
        f"The best is {ALGORITHMS[found.best]}; it saves {minus(f'{found.over_other:.4f}')} of the loss of "
        f"{ALGORITHMS[other]} (p {_p(found.over_other_p)})."
    )


def _followed(found: Supervised, part: Partial) -> list[Block]:
    places = part.names or [figure(place) for place in part.places]
    grid = [[place, figure(mean)] for place, mean in zip(places, part.means, strict=True)]
    shown = grid if part.names else [*grid[:-1:4], grid[-1]]
    caption = f"Partial dependence on {part.column}"
    return [
        Figure(f"{caption}.", charts.partial(found, part)),
        Grid(
            f"{caption}, every fourth place and the last." if shown != grid else f"{caption}.",
            (part.column, "mean predicted "),
            shown,
        ),
    ]


def _where(found: Supervised) -> list[Block]:
    larger = sum(one.loss > 1 for one in found.segments)
    shown = sum(one.worse for one in found.segments)
    rows = [
        [one.column, one.name, f"{one.rows:,}", f"{one.loss:.3f}", _p(one.p), "yes" if one.worse else "no"]
        for one in found.segments[:MOST_PARTS]
    ]
    heads = ("", "", "rows ", "loss over that of all ", "p ", "worse beyond chance")
    count = len(found.segments)
    said = f"Of {count:,} parts of the table, {larger:,} have a larger loss than all rows, {shown:,} beyond chance."
    return [Paragraph(said), Grid("The parts with the largest losses; edges are rounded.", heads, rows)]


def _calibrated(found: Supervised, predictions: Predictions) -> list[Block]:
    rows = [
        [str(place + 1), f"{one.rows:,}", figure(one.predicted), figure(one.true)]
        for place, one in enumerate(found.calibration)
    ]
    blocks: list[Block] = [
        Grid("Calibration, in tenths by what was predicted.", ("tenth ", "rows ", "predicted ", "true "), rows),
        Figure("Calibration; on the dashed line both are the same.", charts.calibration(found)),
        Figure(
            "Residuals by what was predicted, without the half per cent at either end.",
            charts.residuals(found, predictions),
        ),
    ]
    if found.coverage:
        shares = ", ".join(f"{share:.2%}" for share in found.coverage)
        blocks.append(Paragraph(f"The intervals that are to hold {COVERED:.0%} hold, by fold: {shares}."))
    return blocks


def _p(p: float) -> str:
    return "< 10⁻¹⁰" if p < 1e-10 else f"{p:.2g}"
