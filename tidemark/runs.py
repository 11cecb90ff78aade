"""Runs of the pipelines: what each did, in one record that lists can show; the whole of it is the run's report."""

from __future__ import annotations

import re
from typing import Literal, get_args

import msgspec

from tidemark.errors import BadRequest

# Where batches of blocks arrive in the bucket, and where they are when they have been dealt with.
INCOMING, TAKEN = "housing/incoming/", "housing/taken/"
HOUSING_DATA, HOUSING_ML = HOUSING = ("housing-data", "housing-ml")
SALES_WATCH, SALES_MODEL = SALES = ("sales-watch", "sales-model")
FLOWS = (*HOUSING, *SALES)
EXPERIMENTS = {HOUSING_ML: "housing", SALES_MODEL: "sales"}  # what trains, and where MLflow has it
PRICE_MODEL = "housing"  # what is modelled, as champions and decisions name it
Status = Literal["completed", "reused", "skipped", "failed"]
STATUSES: tuple[Status, ...] = get_args(Status)
WITH_RESULTS: tuple[Status, ...] = ("completed", "reused")
_CURSOR = re.compile(r"[0-9]{13}-[0-9a-f-]{1,64}", re.ASCII)


class Step(msgspec.Struct, frozen=True):
    """One step of a run. `seconds` it took; `reused_from`: the run whose result stands, where it was not done again."""

    name: str
    title: str
    seconds: float
    reused_from: str | None = None


class Run(msgspec.Struct, frozen=True):
    """A run in short.

    `id` is in the order of time. `flow_run`: its id in Prefect. `started_at`, `ended_at`: milliseconds since 1970.
    `headline`: what came of it, in a sentence. `fingerprint`: the same for the same data; `reused_from`: the run whose
    results this one took over, since nothing had changed. `figures`: what lists and charts over time show.
    """

    id: str
    flow: str
    flow_run: str
    status: Status
    started_at: int
    ended_at: int
    headline: str
    fingerprint: str | None = None
    reused_from: str | None = None
    figures: dict[str, float] = {}
    steps: list[Step] = []

    @property
    def folder(self) -> str:
        """Where its files are in the bucket; for a reused result those of the run that it came from."""
        return folder_of(self.flow, self.reused_from or self.id)


class Batch(msgspec.Struct, frozen=True):
    """What became of a batch of rows.

    `arrived_at`: milliseconds since 1970. `refused`: why the whole of it is in quarantine, None where it is not;
    `quarantined`: its bad rows; `known`: rows that an earlier batch has brought already.
    """

    id: str
    name: str
    sha256: str
    arrived_at: int
    run: str
    rows: int
    accepted: int
    quarantined: int
    known: int
    refused: str | None = None
    reasons: dict[str, int] = {}


class Intake(msgspec.Struct, frozen=True):
    """What a run found waiting: the batches that it took, and of those that it could not take the keys and why not."""

    taken: list[Batch]
    stuck: dict[str, str]


class FlowState(msgspec.Struct, frozen=True):
    """How a flow stands: it runs every `seconds`, None where no worker has said so yet; `at_work`: the run that works
    now, None where none does."""

    seconds: int | None
    at_work: str | None


class RunPage(msgspec.Struct, frozen=True):
    """Some runs, newest first, and where to go on from, None at the end."""

    runs: list[Run]
    cursor: str | None


def folder_of(flow: str, run: str) -> str:
    """Where a run's own files are in the bucket."""
    return f"flows/{flow}/{run}/"


def run_id(started_at: int, flow_run: str) -> str:
    """An id in the order of time, from Prefect's id of the run: the same for the same run."""
    return f"{started_at:013d}-{flow_run.replace('-', '')[:12]}"


def began(run: str) -> int:
    """When the run with an id began, milliseconds since 1970."""
    return int(run.partition("-")[0])


def read_cursor(cursor: str) -> str:
    """The id after which a page goes on. Raises BadRequest where it is none."""
    if not _CURSOR.fullmatch(cursor):
        raise BadRequest("cursor: not one that an earlier page gave")
    return cursor
