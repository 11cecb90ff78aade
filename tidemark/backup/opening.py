"""Opening a deployment for backups, the local cloud's or one on AWS, and the place that they lie in."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from tidemark import settings
from tidemark.adapters.dynamodb import DynamoCells, DynamoLedger
from tidemark.adapters.dynamodb_history import DynamoHistory
from tidemark.adapters.dynamodb_items import DynamoItems
from tidemark.adapters.folder_place import FolderPlace
from tidemark.adapters.s3_lake import S3Lake
from tidemark.adapters.s3_objects import S3Objects, S3Place
from tidemark.backup.store import COPIED, DERIVED, Store
from tidemark.errors import Misuse, TidemarkError
from tidemark.local import stores
from tidemark.local.home import Home
from tidemark.ports import Place
from tidemark.privacy.personal import Pseudonyms
from tidemark.settings import HistorySettings, StoreSettings, TableSettings

S3 = "s3://"
Client = Callable[..., Any]


class Opened(NamedTuple):
    """A deployment: its stack's outputs, how its clients are made (service, attempts=…), and what it is called."""

    where: str
    outputs: Mapping[str, str]
    client: Client
    zone: str
    mirror: Path

    def store(self) -> Store:
        """What is in it."""
        found, dynamodb, s3 = self.outputs, self.client("dynamodb"), self.client("s3")
        tables = TableSettings(
            ledger_table=found["LedgerTable"],
            cells_table=found["CellsTable"],
            quarantine_table=found["QuarantineTable"],
        )
        history = HistorySettings(cells_table=found["CellsTable"], history_table=found["HistoryTable"])
        return Store(
            where=self.where,
            tables={name: DynamoItems(dynamodb, found[f"{name.capitalize()}Table"]) for name in (*COPIED, *DERIVED)},
            objects=S3Objects(s3, found["LakeBucket"]),
            ledger=DynamoLedger(dynamodb, tables),
            cells=DynamoCells(dynamodb, tables),
            # Whoever moves cells must know whether a transaction was sent once or again.
            history=DynamoHistory(dynamodb, history, self.client("dynamodb", attempts=1)),
            lake=S3Lake(s3, found["LakeBucket"]),
            zone=self.zone,
            mirror=self.mirror,
            known_as=self._known_as(),
        )

    def _known_as(self) -> str:
        if "PersonKey" not in self.outputs:  # deployed by a version that had no pseudonyms
            return ""
        held = self.client("secretsmanager").get_secret_value(SecretId=self.outputs["PersonKey"])
        return Pseudonyms(str(held["SecretString"])).of("")


def local(home: Home) -> Opened:
    """The local cloud. Raises TidemarkError where it does not run."""
    found = stores.running(home)

    def client(service: str, *, attempts: int = 3) -> Any:
        return stores.client(home, service, attempts=attempts)

    zone = settings.load(StoreSettings).store_zone
    return Opened(f"the local cloud in {home.path}", found, client, zone, home.lake_mirror)


def on_aws() -> Opened:
    """The deployment in the AWS account and region of the environment. Raises TidemarkError where there is none."""
    from tidemark.deployment import options, stacks
    from tidemark.deployment.account import Account

    account = Account()
    found = next((stack for stack in stacks.deployed(account) if stack.name == stacks.CORE), None)
    if found is None:
        raise TidemarkError(f"{stacks.CORE} is not deployed in account {account.id}, {account.where}")
    zone = options.kept(found.outputs).get(settings.variable("store_zone"), StoreSettings.store_zone)
    mirror = Path(tempfile.mkdtemp(prefix="tidemark-lake-"))
    return Opened(f"account {account.id}, {account.where}", found.outputs, account.client, zone, mirror)


def absolute(text: str) -> str:
    """A place as it is named from anywhere."""
    return text.rstrip("/") if text.startswith(S3) else str(Path(text).expanduser().absolute())


def place(text: str, client: Client, deployment: Opened | None = None) -> Place:
    """The place that is named: a folder, or `s3://bucket/prefix`.

    Raises Misuse where it is in the bucket of the deployment itself.
    """
    if not text.startswith(S3):
        return FolderPlace(Path(text).expanduser().absolute())
    bucket, _, prefix = text.removeprefix(S3).partition("/")
    if not bucket:
        raise Misuse(f"{text!r} names no bucket")
    if deployment and bucket == deployment.outputs["LakeBucket"]:
        raise Misuse(f"{bucket} is the deployment's own bucket: what destroys it would destroy its backups")
    prefix = prefix.strip("/")
    return S3Place(client("s3"), bucket, f"{prefix}/" if prefix else "")
