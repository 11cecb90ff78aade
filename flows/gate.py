"""What follows from the gate's verdict: a challenger is kept and serves, or it is refused; recorded with the reason."""

from __future__ import annotations

import time
from collections.abc import Callable

from msgspec.structs import replace

from flows.work import Work
from tidemark.models.champion import Decision
from tidemark.models.promotion import Verdict
from tidemark.models.registry import Made, ModelRegistry
from tidemark.models.sales_model import fingerprint

Register = Callable[[str, bytes], str]
"""Puts a model's file, by its fingerprint, into MLflow's registry; returns the version there."""
Refused = Callable[[Decision, str], Decision]
"""What becomes of a model that may serve, but is not promoted: given the decision, and the version in the registry."""


def decide(
    work: Work,
    registry: ModelRegistry,
    made: Made,
    verdict: Verdict,
    register: Register,
    *,
    rows: int,
    fit: bool,
    refused: Refused = lambda decision, version: decision,
) -> Decision:
    """Let a challenger serve, or not. `rows` judged; `fit`: whether it may serve at all: else it is not kept."""
    champion = registry.champion()
    decision = Decision(
        at=time.time_ns() // 1_000_000,
        model=registry.model,
        run=work.id,
        challenger=fingerprint(made.content),
        champion=champion.fingerprint if champion else None,
        promoted=verdict.promoted,
        reason=verdict.reason,
        rows=rows,
        over_baseline=verdict.over_baseline,
        over_champion=verdict.over_champion,
    )
    work.go_on()
    if fit:
        kept = registry.keep(made)
        version = register(kept, made.content)
        if verdict.promoted and registry.crown(kept, decision, version=version, replacing=champion):
            return decision
        if verdict.promoted:
            decision = replace(decision, promoted=False, reason="refused: another model was promoted meanwhile")
        else:
            decision = refused(decision, version)
    work.parts.runs.add_decision(decision)
    return decision
