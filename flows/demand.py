"""Demand in the sales flows: its model is trained beside the one that scores, and the watch tells what it forecasts."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import msgspec

from flows import gate, trainer
from flows.tracking import OF_DEMAND, Tracking
from flows.work import Work
from tidemark.adapters.litert_demand import LiteRtDemand
from tidemark.errors import TidemarkError
from tidemark.ledger import Entry
from tidemark.models import demand, demand_model, promotion
from tidemark.models.champion import Decision
from tidemark.models.demand_model import PARITY
from tidemark.models.forecasts import Outlook
from tidemark.models.promotion import Measure
from tidemark.models.registry import ALGORITHM
from tidemark.store import MINUTES_PER_DAY, local_minute

ERROR = Measure(digits=2)
LATEST = 21


class Learnt(msgspec.Struct, frozen=True):
    """What came of learning demand, in words; the gate's decision, None where nothing could be learnt."""

    words: str
    decision: Decision | None = None
    figures: dict[str, float] = {}


async def learn(work: Work, python: Path, minute: int, folder: Path) -> Learnt:
    """Learn from the trading days before that of the UTC minute `minute`, and let the gate decide."""
    registry, tracking = work.parts.demand, Tracking(OF_DEMAND)
    try:
        with work.step("hours", "Count the items of each hour"):
            found = work.parts.hours.until(minute)
            whole = demand.traded(found._replace(days=found.days[:-1], counts=found.counts[:-1]))
        demand.must_reach(whole.days, demand.FEWEST)
        with work.step("train-demand", "Learn to forecast, and judge on the newest fifth of the days"):
            outcome = await trainer.train(
                trainer.DEMAND, python, demand.dumps(whole), _serving(work), folder, work.log.info
            )
    except TidemarkError as error:
        work.say(f"demand is not learnt: {error}")
        return Learnt(f"not learnt: {error}")
    with work.step("gate-demand", "Promotion gate of demand"):
        losses = outcome.losses
        tracked = tracking.log(
            work.id, f"{ALGORITHM} {registry.model}", outcome.result.tags, trainer.figures(losses), work.started_at
        )
        tracking.attach(tracked, "CARD.md", outcome.made.card)
        fault = _unfit(outcome.made.content, outcome.result.parity)
        verdict = promotion.judge(
            losses["demand/ours"], losses["demand/baseline"], losses.get("demand/champion"), ERROR
        )
        if fault is not None:
            verdict = msgspec.structs.replace(verdict, promoted=False, reason=f"refused: {fault}")
        decision = gate.decide(
            work,
            registry,
            outcome.made,
            verdict,
            partial(tracking.register, tracked),
            rows=len(losses["demand/ours"]),
            fit=fault is None,
        )
        tracking.follow(registry.champion(), None)
        work.say(f"demand: {decision.reason}")
    return Learnt(decision.reason, decision, trainer.figures(losses))


def _serving(work: Work) -> bytes | None:
    champion = work.parts.demand.champion()
    try:
        return None if champion is None else work.parts.demand.kept(champion.fingerprint).content
    except TidemarkError as error:
        work.say(f"the champion cannot be compared: {error}")
        return None


def _unfit(content: bytes, parity: float) -> str | None:
    """Why a model may not forecast; None where it may."""
    if not parity <= PARITY:  # so that no number is refused too
        return f"the TFLite file differs from the Keras model by {parity:.1e}, more than {PARITY:.0e}"
    try:
        LiteRtDemand(demand_model.loads(content))
    except TidemarkError as error:
        return str(error)
    return None


def moment(entries: Sequence[Entry]) -> int:
    """The UTC minute at which the sales that came last were sold: their median, since a till's clock may be wrong."""
    last = sorted(entries, key=lambda entry: (entry.received_at, entry.sold_at))[-LATEST:]
    return sorted(entry.minute for entry in last)[len(last) // 2]


def outlook(work: Work, minute: int) -> Outlook:
    """What is forecast at the UTC minute `minute`."""
    parts, champion = work.parts, work.parts.demand.champion()
    if champion is None:
        return Outlook(None, "no model of demand has passed the gate yet", None, ())
    at = local_minute(parts.store.zone, minute) % MINUTES_PER_DAY // 60
    try:
        kept = parts.demand.kept(champion.fingerprint)
        model = LiteRtDemand(demand_model.loads(kept.content))
        return Outlook(model.forecast(parts.hours.until(minute), at), None, champion, kept.worth)
    except TidemarkError as error:
        return Outlook(None, str(error), champion, ())
