"""The sales models' flow: they learn from the newest sales, and serve within a minute where the gate lets them.

One scores each sale; one forecasts demand, where there are enough trading days to learn that.
"""

from __future__ import annotations

import hashlib
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace
from prefect import flow
from prefect.client.schemas.objects import State

from flows import demand, gate, sales_gate, trainer
from flows.tracking import OF_SALES, Tracking
from flows.trainer import Outcome
from flows.work import Skipped, Work, perform
from tidemark import features
from tidemark.data import ROOT
from tidemark.errors import TidemarkError
from tidemark.ledger import Entry
from tidemark.models import conformal, demand_model, promotion
from tidemark.models import demand as served_features
from tidemark.models.champion import Decision
from tidemark.models.keys import SALES, SHADOW
from tidemark.models.registry import ALGORITHM
from tidemark.runs import SALES_MODEL, Run

NAME = SALES_MODEL
MOST, FEWEST = 24_000, 500


@flow(name=NAME, log_prints=False, persist_result=False)
async def sales_model() -> State[Any]:
    """Learn from the newest sales, judge, promote or refuse: every day, and when the watch asks for it."""
    return await perform(NAME, _run)


async def _run(work: Work) -> Run:
    parts = work.parts
    python = trainer.python(parts.settings.train_python)
    if python is None:
        raise Skipped(trainer.MISSING)
    entries: list[Entry] = await work.do("read", "Read the newest sales", parts.newest.read, MOST)
    sales = [entry for entry in entries if entry.kind == "sale" and not entry.flags]
    wrong = parts.runs.told(entry.invoice_id for entry in sales if entry.anomaly)
    lines = [trainer.line(entry) for entry in sales if not wrong.get(entry.invoice_id)]
    if len(lines) < FEWEST:
        raise Skipped(f"{len(lines)} sales are too few to learn from: {FEWEST} are needed")
    content = b"\n".join(lines)
    fingerprint = f"{hashlib.sha256(content).hexdigest()[:16]}-{_code()}"
    before = work.same(fingerprint)
    if before is not None:
        return await _reuse(work, before, len(lines))
    work.say(f"{len(lines):,} sales without those that a rule hit or somebody called wrong")
    tracking = Tracking(OF_SALES)
    with tempfile.TemporaryDirectory() as folder:
        with work.step("train", "Learn to score, and judge on the newest fifth"):
            outcome = await trainer.train(
                trainer.SALES, python, content, _serving(work), Path(folder) / "sales", work.log.info
            )
        with work.step("gate", "Promotion gate"):
            tracked = _track(work, tracking, outcome)
            decision = _gate(work, outcome, partial(tracking.register, tracked))
            work.say(decision.reason)
        forecasting = await demand.learn(work, python, demand.moment(entries), Path(folder) / "demand")
    with work.step("retention", "The registry's aliases, and retention"):
        tracking.follow(parts.runs.champion(SALES), parts.runs.champion(SHADOW))
        tracking.retain(parts.settings.experiments_kept)
    await work.show("decision", "The gate's decision", text=f"**{decision.reason}**")
    return await work.finish(
        "completed",
        f"learnt from {len(lines):,} sales; {decision.reason}",
        report={
            "data": {"rows": len(lines), "judged": len(outcome.losses["anomaly/ours"])},
            "result": msgspec.json.decode(outcome.made.result),
            "decision": decision,
            "champion": parts.runs.champion(SALES),
            "demand": forecasting,
        },
        text=lambda run: _report(run, decision, outcome.made.card, forecasting.words),
        fingerprint=fingerprint,
        figures={
            "rows": float(len(lines)),
            "promoted": float(decision.promoted),
            **trainer.figures(outcome.losses),
            **forecasting.figures,
        },
    )


def _serving(work: Work) -> bytes | None:
    """The model that serves, to be judged on the same sales; None where its file is gone or broken."""
    try:
        return work.parts.sales.serving().kept.content
    except TidemarkError as error:
        work.say(f"the champion cannot be compared: {error}")
        return None


def _track(work: Work, tracking: Tracking, outcome: Outcome) -> str:
    losses = trainer.figures(outcome.losses)
    tracked = tracking.log(work.id, f"{ALGORITHM} {SALES}", outcome.result.tags, losses, work.started_at)
    tracking.attach(tracked, "CARD.md", outcome.made.card)
    return tracked


def _gate(work: Work, outcome: Outcome, register: gate.Register) -> Decision:
    """Let the challenger serve, or score beside the champion, or neither.

    One that is better than the baseline, but not than the champion beyond chance, goes on to be watched: it scores in
    the shadow.
    """
    fault = sales_gate.unfit(outcome.made.content, outcome.result.parity, work.parts.store)
    verdict = sales_gate.judge(outcome.losses, fault)

    def beside(decision: Decision, version: str) -> Decision:
        if verdict.over_baseline.low <= 0:
            return decision
        work.parts.sales.shadow(decision.challenger, run=work.id, at=decision.at, version=version)
        return replace(decision, reason=f"{decision.reason}; it scores in the champion's shadow")

    rows = len(outcome.losses["anomaly/ours"])
    return gate.decide(
        work, work.parts.sales, outcome.made, verdict, register, rows=rows, fit=fault is None, refused=beside
    )


async def _reuse(work: Work, before: Run, rows: int) -> Run:
    origin = work.reuse(before)
    return await work.finish(
        "reused",
        f"no new sale since run {origin}: what it learnt stands",
        report={"data": {"rows": rows}, "reused_from": origin},
        text=lambda run: f"# Sales models, run {run.id}\n\nNo new sale since run {origin}: what it learnt stands.\n",
        fingerprint=before.fingerprint,
        reused_from=origin,
        figures=before.figures,
    )


def _report(run: Run, decision: Decision, card: str, forecasting: str) -> str:
    """The decisions, and the card below them."""
    reason = f"{decision.reason[0].upper()}{decision.reason[1:]}"
    below = card.replace("\n## ", "\n### ").replace("# ", "## ", 1)
    return f"# Sales models, run {run.id}\n\n**{reason}.** Demand: {forecasting}.\n\n{below}"


def _code() -> str:
    """The same while the code that trains is the same."""
    hasher = hashlib.sha256()
    judging = (sales_gate, gate, demand, promotion, features, served_features, demand_model, conformal)
    for path in (*sorted((ROOT / "training").glob("*.py")), *(Path(str(one.__file__)) for one in judging)):
        hasher.update(path.read_bytes())
    return hasher.hexdigest()[:8]
