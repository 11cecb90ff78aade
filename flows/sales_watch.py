"""The watch of the sales model: newest sales held against what it learnt from; where it is off, a training."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace
from prefect import flow, get_client
from prefect.client.schemas.objects import State
from prefect.exceptions import ObjectNotFound

from flows import demand, sales_gate
from flows.tracking import OF_SALES, Tracking
from flows.work import Skipped, Work, perform
from tidemark.adapters.litert_model import LiteRtScorer
from tidemark.errors import TidemarkError
from tidemark.ledger import Entry
from tidemark.models import sales_findings, sales_model
from tidemark.models.keys import SALES, SHADOW
from tidemark.models.sales_findings import BROKEN, Finding, Seen
from tidemark.models.sales_model import SalesModel
from tidemark.models.sales_watch import NEWEST, Watch, Watched, watch
from tidemark.runs import SALES_MODEL, SALES_WATCH, Run

NAME = SALES_WATCH


@flow(name=NAME, log_prints=False, persist_result=False)
async def sales_watch() -> State[Any]:
    """Watch the sales model: drift, calibration, alarms, speed. Every two minutes."""
    return await perform(NAME, _run)


async def _run(work: Work) -> Run:
    parts = work.parts
    newest: list[Entry] = await work.do("read", "Read the newest sales", parts.newest.read, NEWEST)
    if not newest:
        raise Skipped("no sale has come yet")
    with work.step("watch", "Hold them against what the model learnt from"):
        seen, watched = _look(work, newest)
    with work.step("forecast", "Forecast the next hours"):
        outlook = demand.outlook(work, demand.moment(newest))
        if outlook.why:
            work.say(f"nothing is forecast: {outlook.why}")
    with work.step("registry", "The registry's aliases"):
        Tracking(OF_SALES).follow(seen.champion, seen.shadow)
    seen = replace(seen, training=await _ask(work, seen))
    await work.show("findings", "What is seen of the newest sales", table=sales_findings.rows(seen))
    drift, prices = (watched.drift, watched.prices) if watched else (None, None)
    return await work.finish(
        "completed",
        sales_findings.headline(seen),
        report={"seen": seen, "drift": drift, "prices": prices, "outlook": outlook},
        text=lambda run: sales_findings.report(run, seen),
        figures=sales_findings.figures(seen),
    )


def _look(work: Work, newest: Sequence[Entry]) -> tuple[Seen, Watch | None]:
    """What is seen; no more than that where the model that is meant to serve cannot."""
    parts = work.parts
    champion, shadow = parts.runs.champion(SALES), parts.runs.champion(SHADOW)
    try:
        serving = parts.sales.serving()
        scorer = LiteRtScorer(serving.model, parts.store)
    except TidemarkError as error:
        words = f"The model that is meant to serve cannot: {error}. Whoever served before goes on."
        broken = Finding(BROKEN, "Champion", "alert", words)
        return Seen("", "", champion, shadow, 0, False, None, None, "alert", [broken], (), ""), None
    if champion is None:
        parts.sales.publish_card(serving)
    since = champion.at if champion else 0
    watched = Watched(serving.model, since, _shadow(work), sales_gate.microseconds(scorer))
    truth = parts.runs.told(entry.invoice_id for entry in newest if entry.anomaly)
    found = watch(newest, watched, parts.store, truth)
    seen = Seen(
        model=serving.model.version,
        fingerprint=sales_model.fingerprint(serving.kept.content),
        champion=champion,
        shadow=shadow,
        sales=found.sales,
        judged=found.judged,
        first=found.first,
        last=found.last,
        status=found.status,
        findings=found.findings,
        worth=serving.kept.worth,
        training="",
    )
    return seen, found


def _shadow(work: Work) -> SalesModel | None:
    runs = work.parts.runs
    found = runs.champion(SHADOW)
    try:
        return None if found is None else sales_model.promoted(runs.model(found.fingerprint), found)
    except TidemarkError as error:
        work.say(f"the shadow cannot be watched: {error}")
        return None


async def _ask(work: Work, seen: Seen) -> str:
    """Ask for a training where what is seen calls for one; what was done, in words."""
    broken = [finding.title.lower() for finding in seen.findings if finding.calls_for_training]
    if not broken:
        return "nothing calls for a training"
    runs, now = work.parts.runs, time.time_ns() // 1_000_000
    calls = f"{', '.join(broken)} {'calls' if len(broken) == 1 else 'call'} for a training"
    if runs.state(SALES_MODEL, now=now).at_work is not None:
        return f"{calls}: one is at work"
    rest_s = work.parts.settings.retrain_after
    last = next(iter(runs.page(SALES_MODEL, limit=1).runs), None)
    if last is not None and now - last.ended_at < rest_s * 1_000:
        return f"{calls}: the last one ended less than {rest_s // 60} minutes ago"
    try:
        async with get_client() as client:
            deployment = await client.read_deployment_by_name(f"{SALES_MODEL}/{SALES_MODEL}")
            await client.create_flow_run_from_deployment(deployment.id)
    except ObjectNotFound:
        return f"{calls}: Prefect does not know {SALES_MODEL}"
    return f"{calls}: one was asked for"
