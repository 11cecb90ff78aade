"""Verdicts: of some sales, whether they were what an alarm took them for. They say how often alarms are right."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from tidemark import bodies
from tidemark.access import may_see
from tidemark.grants import Branches
from tidemark.ports import Ledger, Runs

MOST = 100
MAX_BODY_BYTES = 100_000


class Verdict(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`anomaly`: whether something was wrong with the sale."""

    invoice_id: Annotated[str, Meta(min_length=1, max_length=64)]
    anomaly: bool


class Verdicts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Up to 100; of a sale that is named twice the last one holds."""

    verdicts: Annotated[list[Verdict], Meta(min_length=1, max_length=MOST)]


class VerdictsKept(msgspec.Struct, frozen=True):
    """How many were kept, and the ids of which there is no sale."""

    kept: int
    unknown: list[str]


_verdicts = msgspec.json.Decoder(Verdicts)


def json_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a body."""
    schema: dict[str, Any] = msgspec.json.schema(Verdicts)
    parts = schema["$defs"]
    whole: dict[str, Any] = parts["Verdicts"]
    whole["properties"]["verdicts"]["items"] = parts["Verdict"]
    return whole


def decode(body: bytes) -> dict[str, bool]:
    """Of each sale in a request's body, whether it was an anomaly. Raises BadRequest or TooLarge."""
    found = bodies.decode(_verdicts, body, MAX_BODY_BYTES)
    return {verdict.invoice_id: verdict.anomaly for verdict in found.verdicts}


def keep(truth: dict[str, bool], ledger: Ledger, runs: Runs, branches: Branches = None) -> VerdictsKept:
    """Keep what is said of sales that there are, of some branches or of all."""
    held = {name: ledger.get(name) for name in truth}
    there = {name: truth[name] for name, sold in held.items() if sold and may_see(sold.entry.branch, branches)}
    runs.tell(there)
    return VerdictsKept(len(there), sorted(truth.keys() - there.keys()))
