"""The report of an ML run, in words: who decides with it, which model won, by how much, how sure, where it is wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tidemark.housing.dataset import Dataset
from tidemark.housing.evaluation import Evaluation, Interval
from tidemark.housing.features import OCEAN
from tidemark.housing.training import BASELINES, MAKERS, Advantage, Judgement, Region
from tidemark.markdown import dollars, figure, moment, percent, table
from tidemark.models.champion import Champion, Decision, Gain
from tidemark.runs import Run

# Ridge regression on the census figures reaches .61: below that, the model adds nothing to a straight line.
LOWEST_R2 = 0.6
# In dollars: what a planner's estimate may be off by before a scheme's sums no longer hold.
HARMFUL_ERROR = 50_000
WORST = 8  # regions that the report names

_SEES = {
    "mean": "nothing: the mean price",
    "ridge": "the census figures as they are, standardised; missing bedrooms are their median; dollars",
    "random forest": "the figures, what they are a household and a room, distances to the coast and to cities; missing"
    " bedrooms are the usual ones for the rooms; the logarithm of the price",
    "lightgbm": "the same, and what comparable blocks around cost; each row twice, once without those around",
}
_SHORT = {"lightgbm": "", "random forest": "forest_", "ridge": "ridge_", "mean": "mean_"}


@dataclass(frozen=True)
class Results:
    """All that an ML run found."""

    judgements: Mapping[str, Judgement]
    winner: str
    advantages: Sequence[Advantage]
    regions: Sequence[Region]
    decision: Decision
    champion: Champion | None

    @property
    def best(self) -> Judgement:
        """The winner's."""
        return self.judgements[self.winner]


def flat(judgement: Judgement) -> dict[str, float]:
    """An algorithm's figures by name: those on rows held out as they are, those on regions with `spatial_` before."""
    found: dict[str, float] = {}
    for prefix, one in (("", judgement.random), ("spatial_", judgement.spatial)):
        whole, bands = one.everything, one.bands
        found |= {
            f"{prefix}rmse": whole.rmse,
            f"{prefix}mae": whole.mae,
            f"{prefix}r2": whole.r2,
            f"{prefix}mape": whole.mape,
            f"{prefix}rmse_uncapped": one.uncapped.rmse,
            f"{prefix}r2_uncapped": one.uncapped.r2,
            f"{prefix}coverage": one.coverage,
            f"{prefix}accuracy": bands.accuracy,
            f"{prefix}precision": bands.precision,
            f"{prefix}recall": bands.recall,
            f"{prefix}f1": bands.f1,
            **({f"{prefix}roc_auc": bands.roc_auc} if bands.roc_auc is not None else {}),
        }
    return found


def figures(rows: int, winner: str, judgements: Mapping[str, Judgement]) -> dict[str, float]:
    """What lists and charts over time show: the winner's figures, and the others' errors beside."""
    found: dict[str, float] = {"rows": rows, **flat(judgements[winner])}
    for name, judgement in judgements.items():
        if name != winner:
            prefix = _SHORT[name] or "lightgbm_"
            found |= {
                f"{prefix}rmse": judgement.random.everything.rmse,
                f"{prefix}r2": judgement.random.everything.r2,
                f"{prefix}spatial_rmse": judgement.spatial.everything.rmse,
                f"{prefix}spatial_r2": judgement.spatial.everything.r2,
            }
    return {name: round(value, 6) for name, value in found.items()}


def headline(results: Results) -> str:
    """What came of a run, in a sentence."""
    seen, unseen = results.best.random.everything, results.best.spatial.everything
    return (
        f"{results.winner} won with an RMSE of {dollars(seen.rmse)} (R² {figure(seen.r2, 3)}) on {seen.rows:,} blocks"
        f" held out, R² {figure(unseen.r2, 3)} in regions it had not seen; {results.decision.reason}"
    )


def metric_rows(judgements: Mapping[str, Judgement]) -> list[dict[str, Any]]:
    """Every figure of every algorithm, a row each."""
    return [
        {"algorithm": name, **{key: round(value, 4) for key, value in flat(judgement).items()}}
        for name, judgement in judgements.items()
    ]


def report(run: Run, dataset: Dataset, results: Results) -> str:
    """Markdown."""
    return (
        "\n\n".join(
            [
                f"# Housing prices, run {run.id}",
                f"{moment(run.started_at)} UTC, {(run.ended_at - run.started_at) / 1000:.1f} s. **{run.headline}.**",
                "## Who decides what with it",
                _use(results),
                "## What came in",
                f"{len(dataset):,} census blocks of California (1990) with their median house value:"
                f" {len(dataset.training):,} to learn from, {len(dataset.test):,} held out (30 %, drawn when their"
                " batch came, seed 42). The rows held out chose nothing: not the algorithm, not a setting, not an"
                " interval's width, not who serves. They are all good rows that ever came; which files brought them,"
                " and what of those is in quarantine, the newest report of `housing-data` tells.",
                "## Which model won, by how much, how sure",
                _beside(results, "random"),
                "The same in regions that the model had not seen: 60 regions in five groups, each group predicted by"
                " models that learnt from the other four (`tidemark/housing/spatial_folds.csv`). The algorithms'"
                " settings were chosen on training rows with the help of these groups (`docs/housing-settings.md`):"
                " what follows is a little too good for it.",
                _beside(results, "spatial"),
                _advantages(results),
                "## How sure is a single price?",
                _sure(results),
                "## Price bands",
                _bands(results),
                "## Where it is wrong",
                _wrong(results),
                "## Who serves",
                _decision(results),
                "## What was done",
                _learnt(results),
                _steps(run),
                "## Limits",
                "Prices are medians of 1990 and of blocks, not of houses. Those above $500,000 all stand at $500,001,"
                " so that no model says more. The spread of errors was learnt on blocks among known neighbours:"
                f" elsewhere an interval covers less, as shown above. ISLAND has {_islands(dataset)}: nothing said of"
                " it means anything.",
            ]
        )
        + "\n"
    )


def reused(run: Run, origin: str, story: str) -> str:
    """The report of a run that found nothing new: what stands, and the report that it comes from."""
    return (
        f"# Housing prices, run {run.id}\n\n{moment(run.started_at)} UTC. **No new block has come since run {origin}:"
        f" its models and figures stand, and nothing was trained again.** Its report follows.\n\n---\n\n{story}"
    )


def _use(results: Results) -> str:
    r2 = results.best.spatial.everything.r2
    allowed = (
        f"This run has {figure(r2, 3)}: it may be used so."
        if r2 >= LOWEST_R2
        else f"**This run has {figure(r2, 3)}: it must not be used.**"
    )
    typical, elsewhere = results.best.random.everything.rmse, results.best.spatial.everything.rmse
    where = (
        "there and elsewhere"
        if max(typical, elsewhere) <= HARMFUL_ERROR
        else "there, and not in regions that it has not seen"
        if typical <= HARMFUL_ERROR
        else "nowhere"
    )
    return (
        "A county's planners and a lender's portfolio analysts ask what a block's median house is worth where no sale"
        " tells: to compare districts, to see which figures of a register look wrong, to choose where to send an"
        " assessor. They decide on districts, never on one household, and no loan or tax follows from it without an"
        " assessor.\n\n"
        "An error costs an assessor's visit where the model is too careful, and a wrongly ranked district where it is"
        f" not; beyond {dollars(HARMFUL_ERROR)} a ranking of neighbouring districts turns over. Among known blocks the"
        f" model's typical error is {dollars(typical)}, in regions that it has not seen {dollars(elsewhere)}: it may"
        f" rank neighbouring districts {where}. Where the R² in regions not seen lies below {LOWEST_R2:.2f}, the model"
        f" says too little beyond a block's income, and must not be used at all. {allowed}"
    )


def _beside(results: Results, which: str) -> str:
    rows = []
    for name, judgement in results.judgements.items():
        one: Evaluation = getattr(judgement, which)
        mark = "**" if name == results.winner else ""
        whole = one.everything
        rows.append(
            (
                f"{mark}{name}{mark}{' (baseline)' if name in BASELINES else ''}",
                f"{mark}{dollars(whole.rmse)}{mark}",
                f"{dollars(one.rmse.low)} to {dollars(one.rmse.high)}",
                dollars(whole.mae),
                figure(whole.r2, 3),
                percent(whole.mape),
                f"{dollars(one.uncapped.rmse)}, {figure(one.uncapped.r2, 3)}",
            )
        )
    head = ("algorithm", "RMSE ", "95 % interval ", "MAE ", "R² ", "MAPE ", "RMSE and R² without capped prices ")
    return table(head, rows)


def _advantages(results: Results) -> str:
    rows = [
        (one.than, *(_gain(gain) for gain in (one.random, one.spatial, one.spatial_regions)))
        for one in results.advantages
    ]
    return (
        f"By how much {results.winner} has the smaller RMSE, with 95 % intervals of paired bootstrap resamples:\n\n"
        + table(("than", "blocks held out ", "regions not seen ", "the same, whole regions resampled "), rows)
        + "\n\nAn interval that lies above zero is more than chance. The last column is the strictest: blocks of one"
        " region are alike, so that regions are drawn, not blocks."
    )


def _gain(gain: Interval | Gain) -> str:
    return f"{dollars(gain.value)} ({dollars(gain.low)} to {dollars(gain.high)})"


def _sure(results: Results) -> str:
    best = results.best
    return (
        f"A price comes with an interval that is meant to hold it in 90 % of cases. On blocks held out it did in"
        f" **{percent(best.random.coverage)}** (median width {dollars(best.random.width)}); in regions not seen in"
        f" **{percent(best.spatial.coverage)}** (median width {dollars(best.spatial.width)})."
        f" {_covers(best.spatial.coverage)} How far off prices usually are was learnt on all training rows, those of"
        " the regions that are judged among them, so that the last figure is a little too good."
    )


def _covers(share: float) -> str:
    if share < 0.88:
        return "There the interval is too narrow: add to it."
    return "That is as it should be." if share <= 0.92 else "There the interval is wider than it need be."


def _bands(results: Results) -> str:
    rows = []
    for name, judgement in results.judgements.items():
        for where, one in (("blocks held out", judgement.random.bands), ("regions not seen", judgement.spatial.bands)):
            rows.append(
                (
                    name,
                    where,
                    *(f"{value:.3f}" for value in (one.accuracy, one.precision, one.recall, one.f1)),
                    "–" if one.roc_auc is None else f"{one.roc_auc:.3f}",
                )
            )
    return "Four bands, cut at the quartiles of the training prices; means over the bands.\n\n" + table(
        ("algorithm", "judged on", "accuracy ", "precision ", "recall ", "F1 ", "ROC-AUC "), rows
    )


def _wrong(results: Results) -> str:
    worst = sorted(results.regions, key=lambda region: -region.mae)[:WORST]
    rows = [
        (
            f"{region.latitude:.2f}° N, {-region.longitude:.2f}° W",
            f"{region.rows:,}",
            dollars(region.median_price),
            dollars(region.mae),
            f"{dollars(abs(region.bias))} too {'much' if region.bias > 0 else 'little'}",
        )
        for region in worst
    ]
    return (
        f"The regions with the largest errors, each predicted by a model that had never seen it"
        f" (all {len(results.regions)}: the chart `errors-by-region`):\n\n"
        + table(("around", "blocks ", "median price ", "mean error ", "on average it says "), rows)
    )


def _decision(results: Results) -> str:
    decision, champion = results.decision, results.champion
    serves = (
        f"{champion.algorithm} `{champion.fingerprint}` of run {champion.run} (version {champion.version})"
        if champion
        else "nobody"
    )
    judged = f"Judged on {decision.rows:,} training rows, each by parts that had not seen it."
    said = [f"**{decision.reason[0].upper()}{decision.reason[1:]}.** {judged} Serving now: {serves}."]
    if decision.over_baseline is not None:
        said.append(f"Gain over the better baseline: {_gain(decision.over_baseline)}.")
    if decision.over_champion is not None:
        said.append(f"Gain over the champion until then: {_gain(decision.over_champion)}.")
    return " ".join(said)


def _islands(dataset: Dataset) -> str:
    count = int((dataset.blocks.ocean_proximity == OCEAN.index("ISLAND")).sum())
    return "1 block" if count == 1 else f"{count} blocks"


def _learnt(results: Results) -> str:
    rows = [
        (name, _SEES[name], ", ".join(f"{key} {value}" for key, value in MAKERS[name]().settings.items()) or "–")
        for name in results.judgements
    ]
    return "Everything is fitted on training rows alone.\n\n" + table(("algorithm", "what it sees", "settings"), rows)


def _steps(run: Run) -> str:
    return table(("step", "seconds "), [(step.title, f"{step.seconds:.2f}") for step in run.steps])
