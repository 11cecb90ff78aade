"""Tables, bucket and streams of one schedule, on the emulator of the local cloud that the tests share."""

from __future__ import annotations

import secrets
from typing import Any, NamedTuple

import botocore.session
from botocore.loaders import create_loader

from tests.cloud import Cloud
from tests.contract.tables import clone_table
from tests.faults.poller import Record
from tidemark.local import stores
from tidemark.local.services import REGION, aws_environment

TABLES = {
    "ledger_table": "LedgerTable",
    "cells_table": "CellsTable",
    "history_table": "HistoryTable",
    "quarantine_table": "QuarantineTable",
    "runs_table": "RunsTable",
}
FOLLOWED = ("ledger_table", "cells_table")


class Places(NamedTuple):
    """Where a schedule's parts keep what they keep: settings by name, and the streams' ARNs by table."""

    settings: dict[str, str]
    streams: dict[str, str]


class Backend:
    """What the schedules run on."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._models = create_loader()
        self._stack = stores.running(cloud.home)
        self._dynamodb = stores.client(cloud.home, "dynamodb")
        self._s3 = stores.client(cloud.home, "s3")
        self._streams = stores.client(cloud.home, "dynamodbstreams")
        self.environment = aws_environment(cloud.home, cloud.home.port("ministack"))
        self.redis_port = cloud.home.port("redis")

    def session(self) -> botocore.session.Session:
        """A session whose clients talk to the emulator."""
        session = botocore.session.get_session()
        session.set_config_variable("region", REGION)
        session.register_component("data_loader", self._models)  # which is read once for all
        return session

    def restart(self) -> None:
        """The emulator ends, and is begun again with what it kept."""
        self._cloud.restart_emulator()

    def make(self) -> Places:
        """New and empty."""
        number = secrets.token_hex(4)
        settings = {
            name: clone_table(self._dynamodb, self._stack[output], f"faults-{number}-{name}", stream=name in FOLLOWED)
            for name, output in TABLES.items()
        }
        bucket = f"faults-{number}-lake"
        self._s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
        streams = {
            name: self._dynamodb.describe_table(TableName=settings[name])["Table"]["LatestStreamArn"]
            for name in FOLLOWED
        }
        return Places({**settings, "lake_bucket": bucket}, streams)

    def remove(self, places: Places) -> None:
        """What was made goes."""
        for name in TABLES:
            self._dynamodb.delete_table(TableName=places.settings[name])
        bucket = places.settings["lake_bucket"]
        for found in self._s3.list_objects_v2(Bucket=bucket).get("Contents", []):
            self._s3.delete_object(Bucket=bucket, Key=found["Key"])
        self._s3.delete_bucket(Bucket=bucket)


class Stream:
    """A table's stream, read from its beginning on; after the emulator's restart again from there."""

    def __init__(self, backend: Backend, arn: str) -> None:
        self._client = backend._streams
        self._arn = arn
        self.begin()

    def begin(self) -> None:
        """Go back to its beginning."""
        (shard,) = self._client.describe_stream(StreamArn=self._arn)["StreamDescription"]["Shards"]
        self._iterator = self._client.get_shard_iterator(
            StreamArn=self._arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]

    def read(self) -> list[Record]:
        """What came since the last time."""
        found: list[Record] = []
        while True:
            page: dict[str, Any] = self._client.get_records(ShardIterator=self._iterator)
            self._iterator = page["NextShardIterator"]
            found += page["Records"]
            if not page["Records"]:
                return found
