"""AWS clients, made one way: no hidden retries (the domain decides what may be repeated), short time-outs."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, cast

import botocore.session
from botocore.config import Config

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_s3 import S3Client
    from types_boto3_secretsmanager import SecretsManagerClient

_WRITES = Config(
    retries={"total_max_attempts": 1, "mode": "standard"},
    connect_timeout=1,
    read_timeout=5,
    parameter_validation=False,
    tcp_keepalive=True,
)
_READS = Config(retries={"total_max_attempts": 3, "mode": "standard"}, connect_timeout=1, read_timeout=10)
_CALLS = Config(retries={"total_max_attempts": 1, "mode": "standard"}, connect_timeout=1, read_timeout=30)


def dynamodb_writes() -> DynamoDBClient:
    """A client that tries once: after a lost answer only the commit protocol may go on."""
    return cast("DynamoDBClient", botocore.session.get_session().create_client("dynamodb", config=_WRITES))


def dynamodb_reads() -> DynamoDBClient:
    """A client for reading, which may be repeated."""
    return cast("DynamoDBClient", botocore.session.get_session().create_client("dynamodb", config=_READS))


def s3() -> S3Client:
    """S3; our puts are of absolute content under names of their own, so they may be repeated."""
    return cast("S3Client", botocore.session.get_session().create_client("s3", config=_READS))


def sqs() -> Any:
    """SQS, for looking at dead letters."""
    return botocore.session.get_session().create_client("sqs", config=_READS)


def lambdas() -> Any:
    """Lambda, for giving a consumer what it takes a while for; again is harmless."""
    return botocore.session.get_session().create_client("lambda", config=_CALLS)


@cache
def _secrets() -> SecretsManagerClient:
    return cast("SecretsManagerClient", botocore.session.get_session().create_client("secretsmanager", config=_READS))


def secret(name: str) -> str:
    """The text of a secret in Secrets Manager."""
    return _secrets().get_secret_value(SecretId=name)["SecretString"]
