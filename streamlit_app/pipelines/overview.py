"""All that the Pipelines page shows at a glance, read anew only where a run has been added."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from streamlit_app.ui.api import Api, Flow, Models, Point, Summary
from tidemark.errors import NotFound
from tidemark.models.champion import Champion
from tidemark.runs import HOUSING_ML, Batch, Run, Status

SHOWN_RUNS = 30
SHOWN_BATCHES = 8
SHOWN_DECISIONS = 4
TRAININGS = 50
# A run may be added behind newer ones: it began before them and took longer.
LOOKED_AT = 5


class Overview(msgspec.Struct, frozen=True):
    """`runs`: of each flow, newest first. `serving`: the figures of the champion's training, empty where it has none.
    `mark`: the same while nothing was added. `at`: when it was read, ms."""

    flows: list[Flow]
    runs: dict[str, list[Run]]
    summary: Summary | None
    batches: list[Batch]
    metrics: list[Point]
    models: Models
    serving: dict[str, float]
    mark: list[str]
    at: int


def read(api: Api, before: Overview | None, now: int) -> Overview:
    """How things stand at `now`; three requests where nothing was added since `before`. Raises what the API raises."""
    flows = api.flows()
    newest = {flow.name: api.runs(flow.name, limit=LOOKED_AT).runs for flow in flows}
    mark = [run.id for runs in newest.values() for run in runs]
    if before and before.mark == mark:
        return msgspec.structs.replace(before, flows=flows, at=now)
    runs = {
        name: api.runs(name, limit=SHOWN_RUNS).runs if len(found) == LOOKED_AT else found
        for name, found in newest.items()
    }
    metrics, models = api.metrics(TRAININGS), api.models(SHOWN_DECISIONS)
    return Overview(
        flows=flows,
        runs=runs,
        summary=api.summary(),
        batches=api.batches(SHOWN_BATCHES),
        metrics=metrics,
        models=models,
        serving=_serving(api, models.champion, metrics),
        mark=mark,
        at=now,
    )


def _serving(api: Api, champion: Champion | None, metrics: Sequence[Point]) -> dict[str, float]:
    """It may have been trained long before the trainings that are shown."""
    if champion is None:
        return {}
    shown = next((point.figures for point in metrics if point.run == champion.run), None)
    try:
        return shown if shown is not None else api.run(HOUSING_ML, champion.run).run.figures
    except NotFound:
        return {}


class Listed(msgspec.Struct, frozen=True):
    """Some runs of one or more flows, newest first; `older`: where to go on, None at the end."""

    runs: list[Run]
    older: str | None


def listed(api: Api, flows: Sequence[str], status: Status | None, before: str | None, limit: int) -> Listed:
    """The newest runs of some flows that began before the run `before`. Raises what the API raises."""
    pages = [api.runs(flow, limit=limit, cursor=before, status=status) for flow in flows]
    found = sorted((run for page in pages for run in page.runs), key=lambda run: run.id, reverse=True)
    more = len(found) > limit or any(page.cursor for page in pages)
    return Listed(found[:limit], found[limit - 1].id if more else None)
