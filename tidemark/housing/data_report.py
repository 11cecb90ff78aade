"""The report of a data run, in words: what came in, what was done to it, what it looks like, what is odd."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from tidemark.housing.monitoring import Freshness, Quality, Volume
from tidemark.markdown import correlation, dollars, figure, moment, percent, plain, table
from tidemark.models.shift import Drift
from tidemark.runs import Batch, Intake, Run


class Monitoring(msgspec.Struct, frozen=True):
    """Whether batches still come, whole, in the usual number, with the usual values. `quality`: None before the first;
    `volume`, `drift`: None before the first good one."""

    freshness: Freshness
    quality: Quality | None
    volume: Volume | None
    drift: Drift | None


def headline(rows: int, intake: Intake) -> str:
    """What came of a run, in a sentence."""
    taken = intake.taken
    refused = sum(batch.refused is not None for batch in taken)
    good = sum(batch.accepted for batch in taken)
    bad = sum(batch.quarantined for batch in taken if batch.refused is None)
    words = f"{rows:,} blocks known; {len(taken)} {'batch' if len(taken) == 1 else 'batches'} came"
    if taken:
        words += f" with {good:,} new blocks"
    if refused:
        words += f"; {refused} of them {'is' if refused == 1 else 'are'} in quarantine whole"
    if bad:
        words += f"; {bad:,} {'row' if bad == 1 else 'rows'}{' of the others' if refused else ''} in quarantine"
    if intake.stuck:
        words += f"; {len(intake.stuck)} cannot be taken just now, and {'waits' if len(intake.stuck) == 1 else 'wait'}"
    return words


def report(
    run: Run, intake: Intake, recent: Sequence[Batch], results: Mapping[str, Any], monitoring: Monitoring
) -> str:
    """Markdown. `recent`: the newest batches of all; `results`: what the steps gave."""
    parts = [
        f"# Housing data, run {run.id}",
        f"{moment(run.started_at)} UTC, {(run.ended_at - run.started_at) / 1000:.1f} s. **{run.headline}.**",
        _reused(run),
        "## What came in",
        _came(intake.taken),
        _stuck(intake.stuck),
        "## Is the stream well?",
        _monitored(monitoring),
    ]
    if results:
        parts += [
            "## What the data looks like",
            _summary(results["summary"]),
            _gaps(results),
            _relations(results["correlations"]),
            _importance(results["importance"]),
        ]
    parts += ["## What was done", _steps(run)]
    if recent:
        parts += ["## The newest batches", _came(recent)]
    parts += [
        "## Where this data comes from, and its limits",
        "A row is a census block group of California, 1990 (Pace and Barry 1997); prices are medians in dollars of that"
        " year. Prices above $500,000 all stand at $500,001, ages above 52 at 52, incomes above $150,000 at 15.0001:"
        " averages of what lies at a cap are too low. Charts and tables of each step are this run's files.",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _reused(run: Run) -> str:
    if run.reused_from is None:
        return ""
    return f"No new block has come since run {run.reused_from}: its results stand, and nothing was computed again."


def _came(batches: Sequence[Batch]) -> str:
    if not batches:
        return "Nothing new."
    rows = []
    for batch in batches:
        fate = "taken" if batch.refused is None else f"**quarantined whole:** {plain(batch.refused)}"
        if batch.refused is None and batch.reasons:
            fate += "; bad rows: " + "; ".join(f"{count} × {plain(reason)}" for reason, count in batch.reasons.items())
        bad = batch.quarantined if batch.refused is None else batch.rows
        rows.append(
            (
                *(moment(batch.arrived_at), plain(batch.name)),
                *map(figure_of, (batch.rows, batch.accepted, batch.known, bad)),
                fate,
            )
        )
    return table(
        ("arrived (UTC)", "file", "rows ", "new ", "known before ", "in quarantine ", "what became of it"), rows
    )


def _stuck(stuck: Mapping[str, str]) -> str:
    if not stuck:
        return ""
    rows = [(plain(key), plain(why)) for key, why in stuck.items()]
    return "Could not be taken, and waits for the next run:\n\n" + table(("file", "why"), rows)


def figure_of(count: int) -> str:
    """A count with thousands parted."""
    return f"{count:,}"


def _monitored(monitoring: Monitoring) -> str:
    found: list[tuple[str, Freshness | Quality | Volume | Drift | None]] = [
        ("freshness", monitoring.freshness),
        ("quality", monitoring.quality),
        ("volume", monitoring.volume),
        ("drift", monitoring.drift),
    ]
    return table(
        ("watched", "state", "what is seen"),
        [(name, one.status, one.words) if one else (name, "–", "no batch to judge yet") for name, one in found],
    )


def _summary(summary: Any) -> str:
    rows = [
        (
            one.column,
            figure_of(one.count),
            *(figure(v) for v in (one.mean, one.sd, one.min, one.median, one.max)),
            one.unit,
        )
        for one in summary.numbers
    ]
    shown = table(("column", "values ", "mean ", "sd ", "least ", "median ", "most ", "unit"), rows)
    category = summary.category
    return (
        f"{summary.rows:,} blocks.\n\n{shown}\n\n`{category.column}` has {category.distinct} categories; the most"
        f" frequent, {category.most_frequent}, {percent(category.most_frequent_share)} of blocks."
    )


def _gaps(results: Mapping[str, Any]) -> str:
    said = [
        f"{one.count:,} values of `{one.column}` ({percent(one.share)}) are missing"
        for one in results["missing"].columns
        if one.count
    ]
    said += [
        f"they are filled with {figure(one.value)} {one.unit} ({results['imputation'].method})"
        for one in results["imputation"].columns
        if one.imputed
    ]
    said += [
        f"{one.at_cap:,} values of `{one.column}` ({percent(one.at_cap_share)}) stand at the cap of {figure(one.cap)}"
        for one in results["outliers"].columns
        if one.at_cap
    ]
    return "; ".join(said) + "." if said else "Nothing is missing, and nothing stands at a cap."


def _relations(correlations: Any) -> str:
    with_price = [
        (pair.a if pair.b == "median_house_value" else pair.b, pair.spearman, pair.pearson, pair.mutual_information)
        for pair in correlations.pairs
        if "median_house_value" in (pair.a, pair.b) and pair.spearman and pair.pearson
    ]
    rows = [
        (name, correlation(pearson.value), correlation(rank.value), figure(shared.corrected) if shared else "–")
        for name, rank, pearson, shared in sorted(with_price, key=lambda one: -abs(one[1].value))
    ]
    return "How the price goes with the other columns:\n\n" + table(
        ("column", "Pearson ", "Spearman ", "mutual information, nats "), rows
    )


def _importance(importance: Any) -> str:
    if not importance.features:
        return "There are too few training rows to tell which columns matter."
    rows = [
        (one.column, dollars(one.mean), f"{dollars(one.least)} to {dollars(one.most)}") for one in importance.features
    ]
    return f"What shuffling a column costs a model ({importance.method}):\n\n" + table(
        ("column", "adds to the error ", f"over {importance.repeats} shuffles "), rows
    )


def _steps(run: Run) -> str:
    rows = [
        (step.title, f"{step.seconds:.2f}", f"reused from run {step.reused_from}" if step.reused_from else "done")
        for step in run.steps
    ]
    return table(("step", "seconds ", ""), rows)
