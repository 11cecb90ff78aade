"""The local cloud's stack, for commands that read it directly: its outputs, its secret, its tables and bucket."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from tidemark.adapters.dynamodb import DynamoCells, DynamoLedger
from tidemark.adapters.dynamodb_history import DynamoHistory
from tidemark.adapters.dynamodb_runs import DynamoRuns
from tidemark.adapters.s3_lake import S3Lake
from tidemark.adapters.s3_objects import S3Objects
from tidemark.errors import TidemarkError
from tidemark.local.home import Home
from tidemark.local.services import REGION, aws_environment
from tidemark.settings import HistorySettings, TableSettings

STACK = "TidemarkCore"


def client(home: Home, service: str, *, attempts: int = 3) -> Any:
    """A client of the emulator for an AWS service."""
    import botocore.session  # half a second, that commands without it need not wait for
    from botocore.config import Config

    aws = aws_environment(home, home.port("ministack"))
    return botocore.session.get_session().create_client(
        service,
        region_name=REGION,
        endpoint_url=aws["AWS_ENDPOINT_URL"],
        aws_access_key_id=aws["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=aws["AWS_SECRET_ACCESS_KEY"],
        config=Config(retries={"total_max_attempts": attempts}, read_timeout=60),
    )


def outputs(home: Home) -> dict[str, str] | None:
    """The deployed stack's outputs; None where it is not there, or not whole."""
    try:
        stack = client(home, "cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]
    except (ClientError, BotoCoreError):
        return None
    if not stack["StackStatus"].endswith("_COMPLETE") or "ROLLBACK" in stack["StackStatus"]:
        return None
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


def token_secret(home: Home, stack: dict[str, str]) -> str:
    """The secret that signs tokens; `stack` is the stack's outputs."""
    name = stack["TokenSecret"]
    return str(client(home, "secretsmanager").get_secret_value(SecretId=name)["SecretString"])


def open_stores(home: Home) -> tuple[DynamoLedger, DynamoCells]:
    """Ledger and cells of the stack that runs. Raises TidemarkError where none does."""
    found = running(home)
    settings = TableSettings(
        ledger_table=found["LedgerTable"],
        cells_table=found["CellsTable"],
        quarantine_table=found["QuarantineTable"],
    )
    dynamodb = client(home, "dynamodb")
    return DynamoLedger(dynamodb, settings), DynamoCells(dynamodb, settings)


def open_history(home: Home) -> DynamoHistory:
    """The history of the stack that runs. Raises TidemarkError where none does."""
    found = running(home)
    settings = HistorySettings(cells_table=found["CellsTable"], history_table=found["HistoryTable"])
    # Whoever moves cells must know whether a transaction was sent once or again.
    return DynamoHistory(client(home, "dynamodb"), settings, client(home, "dynamodb", attempts=1))


def open_lake(home: Home) -> S3Lake:
    """The lake of the stack that runs. Raises TidemarkError where none does."""
    return S3Lake(client(home, "s3"), running(home)["LakeBucket"])


def open_pipelines(home: Home) -> tuple[DynamoRuns, S3Objects]:
    """The pipelines' index, and the bucket with their files. Raises TidemarkError where no stack runs."""
    found = running(home)
    return DynamoRuns(client(home, "dynamodb"), found["RunsTable"]), S3Objects(client(home, "s3"), found["LakeBucket"])


def running(home: Home) -> dict[str, str]:
    """The outputs of the stack that runs. Raises TidemarkError where none does."""
    home.state()
    found = outputs(home)
    if found is None:
        raise TidemarkError("the local cloud does not answer; `tidemark status` tells what runs")
    return found
