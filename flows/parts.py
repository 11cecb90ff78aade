"""What the flows work with: the one place where their parts are put together."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

import botocore.session
from botocore.config import Config

from tidemark import settings
from tidemark.adapters.dynamodb import DynamoCells
from tidemark.adapters.dynamodb_history import DynamoHistory
from tidemark.adapters.dynamodb_runs import DynamoRuns
from tidemark.adapters.s3_newest import NewestSales
from tidemark.adapters.s3_objects import S3Objects
from tidemark.history.counters import Counters
from tidemark.housing.store import HousingStore
from tidemark.models.hours import HourlyItems
from tidemark.models.keys import DEMAND
from tidemark.models.registry import ModelRegistry
from tidemark.models.sales_registry import SalesRegistry
from tidemark.ports import Objects, Runs
from tidemark.store import Store

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_s3 import S3Client

# A flow may wait for a store that is started anew; nothing that it does twice does harm.
_PATIENT = Config(retries={"total_max_attempts": 6, "mode": "standard"}, connect_timeout=5, read_timeout=60)
# A heartbeat that waits is none.
_PROMPT = Config(retries={"total_max_attempts": 2, "mode": "standard"}, connect_timeout=3, read_timeout=4)


@dataclass(frozen=True)
class Parts:
    """The outside. `heartbeat`: the same index as `runs`, for saying in time that a run is at work."""

    settings: settings.FlowSettings
    objects: Objects
    runs: Runs
    heartbeat: Runs
    housing: HousingStore
    store: Store
    newest: NewestSales
    sales: SalesRegistry
    hours: HourlyItems
    demand: ModelRegistry


def connect() -> Parts:
    """The parts that the environment names. Raises SettingsError where it does not."""
    found = settings.load(settings.FlowSettings)
    session = botocore.session.get_session()
    s3 = cast("S3Client", session.create_client("s3", config=_PATIENT))
    objects = S3Objects(s3, found.lake_bucket)
    patient, prompt = (
        cast("DynamoDBClient", session.create_client("dynamodb", config=config)) for config in (_PATIENT, _PROMPT)
    )
    runs, heartbeat = (DynamoRuns(client, found.runs_table) for client in (patient, prompt))
    counters = Counters(DynamoCells(patient, found), DynamoHistory(patient, found), found.store_zone)
    folder = Path(found.flow_folder or Path(tempfile.gettempdir()) / f"tidemark-{found.lake_bucket}")
    return Parts(
        found,
        objects,
        runs,
        heartbeat,
        housing=HousingStore(objects, runs, folder / "housing"),
        store=found.store(),
        newest=NewestSales(s3, found.lake_bucket),
        sales=SalesRegistry(runs, objects),
        hours=HourlyItems(counters, objects, found.store()),
        demand=ModelRegistry(DEMAND, runs, objects, without="nobody forecasts"),
    )
