"""What was seen of the sales model, as reports, the API and pages tell it: words, each with how bad it is."""

from __future__ import annotations

from typing import Literal

import msgspec

from tidemark.markdown import moment, table
from tidemark.models.champion import Champion
from tidemark.runs import Run

Status = Literal["ok", "warn", "alert"]
BROKEN = "broken"
CALLS = (BROKEN, "features", "scores", "prices", "calibration", "alarms", "precision")
"""What a training may mend."""


class Worth(msgspec.Struct, frozen=True):
    """What a part of a model is worth beside the simplest thing that could do the same, in words; `better`: beyond
    chance, on sales that it had not seen."""

    part: str
    better: bool
    words: str


class Finding(msgspec.Struct, frozen=True):
    """One thing that is watched, in words."""

    name: str
    title: str
    status: Status
    words: str

    @property
    def calls_for_training(self) -> bool:
        """Whether a training may mend it."""
        return self.status == "alert" and self.name in CALLS


class Seen(msgspec.Struct, frozen=True):
    """What a run of the watch saw of the `sales` newest sales, sold from `first` to `last` (ISO 8601).

    `judged`: whether they are enough to say anything; else the first finding tells so. `model`, `fingerprint`: the
    version that serves, and its file's; empty where it cannot. `champion` null where it came with the code; `shadow`:
    the model that scores beside it. `worth`: what the model is worth beside its baselines. `training`: what was done.
    """

    model: str
    fingerprint: str
    champion: Champion | None
    shadow: Champion | None
    sales: int
    judged: bool
    first: str | None
    last: str | None
    status: Status
    findings: list[Finding]
    worth: tuple[Worth, ...]
    training: str


def headline(seen: Seen) -> str:
    """What was seen, in a sentence."""
    odd = [finding.words.rstrip(".") for finding in seen.findings if finding.status != "ok"]
    well = "all is well" if seen.judged else seen.findings[0].words.rstrip(".")
    return f"{seen.sales:,} sales looked at: {'; '.join(odd) or well}"


def rows(seen: Seen) -> list[dict[str, str]]:
    """The findings as a table."""
    return [{"what": one.title, "status": one.status, "seen": one.words} for one in seen.findings]


def figures(seen: Seen) -> dict[str, float]:
    """What lists and charts over time show."""
    return {
        "sales": float(seen.sales),
        "warnings": float(sum(one.status == "warn" for one in seen.findings)),
        "alerts": float(sum(one.status == "alert" for one in seen.findings)),
    }


def report(run: Run, seen: Seen) -> str:
    """Markdown."""
    said = [(one.title, one.status, one.words) for one in seen.findings]
    worth = [(one.part, one.words) for one in seen.worth]
    parts = [
        f"# Sales watch, run {run.id}",
        f"{moment(run.started_at)} UTC. **{run.headline}.** {seen.training[0].upper()}{seen.training[1:]}.",
        f"{seen.model} serves. The {seen.sales:,} newest sales that it scored were sold from {seen.first} to "
        f"{seen.last}; each is held against the sales that judged the model.",
        table(("what", "how it is", "seen"), said),
        "## What the model is worth",
        table(("part", "beside its baseline, on sales that it had not seen"), worth),
    ]
    return "\n\n".join(parts) + "\n"
