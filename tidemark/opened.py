"""A deployment that is opened from outside its own Lambdas: the local cloud's, or one on AWS."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from tidemark import settings
from tidemark.adapters import dead_letters
from tidemark.adapters.dynamodb import DynamoCells, DynamoLedger
from tidemark.adapters.dynamodb_history import DynamoHistory
from tidemark.adapters.dynamodb_items import DynamoItems
from tidemark.adapters.dynamodb_runs import DynamoRuns
from tidemark.adapters.s3_lake import S3Lake
from tidemark.adapters.s3_objects import S3Objects
from tidemark.backup.store import COPIED, DERIVED, Store
from tidemark.dead_letters import Redrive
from tidemark.errors import TidemarkError
from tidemark.local import stores
from tidemark.local.home import Home
from tidemark.privacy.personal import Pseudonyms
from tidemark.settings import HistorySettings, RedriveSettings, StoreSettings, TableSettings

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
            # A version before this one had no pseudonyms.
            known_as=Pseudonyms(self.person_key()).of("") if "PersonKey" in self.outputs else "",
        )

    def runs(self) -> DynamoRuns:
        """The pipelines' index."""
        return DynamoRuns(self.client("dynamodb"), self.outputs["RunsTable"])

    def redrive(self) -> Redrive:
        """The dead letters."""
        found, store = self.outputs, self.store()
        ways = RedriveSettings(
            archive_failed_queue=found["ArchiveFailedQueue"],
            publish_failed_queue=found["PublishFailedQueue"],
            archive_function=found["ArchiveFunction"],
            publish_function=found["PublishFunction"],
        )
        sqs, lambdas = self.client("sqs"), self.client("lambda")
        return dead_letters.redrive(ways, store.ledger, store.cells, sqs=sqs, lambdas=lambdas)

    def person_key(self) -> str:
        """The key of the pseudonyms."""
        manager = self.client("secretsmanager")
        return str(manager.get_secret_value(SecretId=self.outputs["PersonKey"])["SecretString"])


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
