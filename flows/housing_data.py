"""The data flow: takes the batches that have come, looks at all good rows, watches the stream."""

from __future__ import annotations

import time
from typing import Any

import msgspec
from prefect import flow
from prefect.client.schemas.objects import State

from flows.parts import Parts
from flows.work import Skipped, Work, perform
from tidemark import __version__
from tidemark.errors import NotFound
from tidemark.housing import charts, data_report, monitoring
from tidemark.housing.data_report import Monitoring
from tidemark.housing.profile import STEPS, Study
from tidemark.runs import HOUSING_DATA, Batch, Intake, Run

NAME = HOUSING_DATA
MOST_AT_ONCE = 50  # batches a run; what is left, the next one takes


@flow(name=NAME, log_prints=False, persist_result=False)
async def housing_data() -> State[Any]:
    """Ingest, check, explore, watch: every two minutes."""
    return await perform(NAME, _run)


async def _run(work: Work) -> Run:
    intake: Intake = await work.do("ingest", "Ingest and check", _take, work)
    fingerprint = f"{work.parts.housing.fingerprint()}-{__version__}"
    recent = work.parts.runs.batches(limit=monitoring.RECENT_BATCHES + monitoring.REFERENCE_BATCHES)
    watched: Monitoring = await work.do(
        "monitoring", "Freshness, quality, volume, drift", _watch, work.parts, recent, len(intake.stuck)
    )
    before = work.same(fingerprint)
    if before is not None:
        return await _reuse(work, before, intake, recent, watched)
    results: dict[str, msgspec.Struct] = {}
    try:
        study = await work.do("read", "Read all good rows", _study, work.parts)
    except NotFound as error:
        if not intake.taken and not intake.stuck:
            raise Skipped(str(error)) from None
        return await _nothing_good(work, intake, recent, watched)
    for step in STEPS:
        results[step.name] = await work.do(step.name, step.title, step.run, study)
        work.save(f"steps/{step.name}.json", results[step.name])
        await work.show(step.name, step.title, table=rows_of(results[step.name]))
    with work.step("charts", "Charts and map"):
        drawn = charts.specs({**results, **({"drift": watched.drift} if watched.drift else {})})
        for name, spec in drawn.items():
            work.save(f"charts/{name}.vl.json", spec)
    rows = results["summary"].rows  # type: ignore[attr-defined]
    return await work.finish(
        "completed",
        data_report.headline(rows, intake),
        report=_came(rows, intake, watched) | {"charts": list(drawn)},
        text=lambda run: data_report.report(run, intake, recent, results, watched),
        fingerprint=fingerprint,
        figures=_figures(rows, intake, watched),
    )


def _take(work: Work) -> Intake:
    intake = work.parts.housing.take_waiting(work.id, most=MOST_AT_ONCE)
    for key, why in intake.stuck.items():
        work.say(f"{key}: cannot be taken just now, and waits. {why}")
    for batch in intake.taken:
        if batch.refused is not None:
            work.say(f"{batch.name}: quarantined whole. {batch.refused}")
        else:
            work.say(
                f"{batch.name}: {batch.accepted:,} new rows, {batch.quarantined:,} in quarantine, {batch.known:,} known"
            )
    return intake


def _watch(parts: Parts, recent: list[Batch], stuck: int) -> Monitoring:
    quality = monitoring.quality(recent) if recent else None
    whole = [batch for batch in recent if batch.refused is None]
    good = [batch for batch in whole if batch.accepted]
    newest = recent[0].arrived_at / 1000 if recent else None
    fresh = monitoring.freshness(newest, time.time(), parts.settings.flow_seconds, stuck)
    volume = monitoring.volume(whole[0].rows, [batch.rows for batch in reversed(whole[1:])]) if whole else None
    reference = good[1:][-monitoring.REFERENCE_BATCHES :]
    drift = None
    if reference:
        drift = monitoring.drift(map(parts.housing.sketch, reference), parts.housing.sketch(good[0]))
    return Monitoring(fresh, quality, volume, drift)


def _study(parts: Parts) -> Study:
    return Study(parts.housing.table())


async def _nothing_good(work: Work, intake: Intake, recent: list[Batch], watched: Monitoring) -> Run:
    return await work.finish(
        "skipped",
        data_report.headline(0, intake) + ": there is nothing to look at yet",
        report=_came(0, intake, watched),
        text=lambda run: data_report.report(run, intake, recent, {}, watched),
        figures=_figures(0, intake, watched),
    )


async def _reuse(work: Work, before: Run, intake: Intake, recent: list[Batch], watched: Monitoring) -> Run:
    origin = work.reuse(before)
    rows = int(before.figures.get("rows", 0))
    return await work.finish(
        "reused",
        data_report.headline(rows, intake) + f"; nothing new to look at, the results of run {origin} stand",
        report=_came(rows, intake, watched) | {"reused_from": origin},
        text=lambda run: data_report.report(run, intake, recent, {}, watched),
        fingerprint=before.fingerprint,
        reused_from=origin,
        figures=_figures(rows, intake, watched),
    )


def _came(rows: int, intake: Intake, watched: Monitoring) -> dict[str, Any]:
    return {"data": {"rows": rows}, "batches": intake.taken, "stuck": intake.stuck, "monitoring": watched}


def _figures(rows: int, intake: Intake, watched: Monitoring) -> dict[str, float]:
    taken = intake.taken
    drift = max((one.psi for one in watched.drift.columns), default=0.0) if watched.drift else 0.0
    return {
        "rows": rows,
        "batches": len(taken),
        "quarantined": sum(batch.quarantined for batch in taken if batch.refused is None),
        "refused": sum(batch.refused is not None for batch in taken),
        "freshness_minutes": round((watched.freshness.age_seconds or 0.0) / 60, 2),
        "drift": round(drift, 4),
    }


def rows_of(result: Any) -> list[dict[str, Any]]:
    """The rows of a step's result for a table: its first list of structs, nested ones as text."""
    found = msgspec.to_builtins(result)
    for value in found.values():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            return [{name: _flat(cell) for name, cell in row.items()} for row in value[:200]]
    return [{name: _flat(cell) for name, cell in found.items()}]


def _flat(cell: Any) -> Any:
    if isinstance(cell, float):
        return round(cell, 4)
    if isinstance(cell, dict):
        return ", ".join(f"{name} {_flat(one)}" for name, one in cell.items())
    if isinstance(cell, list):
        return f"{len(cell)} values" if len(cell) > 4 else ", ".join(str(_flat(one)) for one in cell)
    return cell
