"""What the flows work with: the one place where their parts are put together."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

import botocore.session
from botocore.config import Config

from tidemark import settings
from tidemark.adapters.dynamodb_runs import DynamoRuns
from tidemark.adapters.s3_objects import S3Objects
from tidemark.housing.store import HousingStore
from tidemark.ports import Objects, Runs

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_s3 import S3Client

# A flow may wait for a store that is started anew; nothing that it does twice does harm.
_PATIENT = Config(retries={"total_max_attempts": 6, "mode": "standard"}, connect_timeout=5, read_timeout=60)


@dataclass(frozen=True)
class Parts:
    """The outside."""

    settings: settings.FlowSettings
    objects: Objects
    runs: Runs
    housing: HousingStore


def connect() -> Parts:
    """The parts that the environment names. Raises SettingsError where it does not."""
    found = settings.load(settings.FlowSettings)
    session = botocore.session.get_session()
    objects = S3Objects(cast("S3Client", session.create_client("s3", config=_PATIENT)), found.lake_bucket)
    runs = DynamoRuns(cast("DynamoDBClient", session.create_client("dynamodb", config=_PATIENT)), found.runs_table)
    folder = Path(found.flow_folder or Path(tempfile.gettempdir()) / f"tidemark-{found.lake_bucket}")
    return Parts(found, objects, runs, HousingStore(objects, runs, folder / "housing"))
