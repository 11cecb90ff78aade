"""Who bought, no longer than the policy allows: once a day. It is called each hour, and goes on where it stopped."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any

import msgspec
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from tidemark import settings
from tidemark.adapters import aws
from tidemark.adapters.dynamodb import DynamoLedger
from tidemark.adapters.dynamodb_runs import DynamoRuns
from tidemark.adapters.s3_lake import S3Lake
from tidemark.adapters.s3_objects import S3Objects
from tidemark.backup.notes import held_by_backups
from tidemark.errors import Unavailable
from tidemark.privacy.receipt import Held, tables_hold
from tidemark.privacy.retention import Parts, allowed_since, is_due, retain
from tidemark.privacy.turn import turn

MARGIN_S = 60  # of the Lambda's time that a run leaves: more than the sales take that are written at once

_settings = settings.load(settings.RetainSettings)
_dynamodb, _s3 = aws.dynamodb_reads(), aws.s3()  # all that is written may be written again
_objects = S3Objects(_s3, _settings.lake_bucket)
_runs = DynamoRuns(_dynamodb, _settings.runs_table)
logger = Logger(service="retain")
metrics = Metrics(namespace="Tidemark", service="retain")


def _held(at: datetime) -> list[Held]:
    tables = [_settings.ledger_table, _settings.quarantine_table]
    return tables_hold(_dynamodb, tables, at) + held_by_backups(_objects)


_parts = Parts(
    DynamoLedger(_dynamodb, _settings),
    S3Lake(_s3, _settings.lake_bucket),
    _objects,
    _runs,
    _held,
)


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Erases what is due, where there is a policy, a round is due, and nobody else erases."""
    now = time.time_ns() // 1_000_000
    if not _settings.person_days or not is_due(_runs, now):
        logger.info("nothing is due")
        return {"due": False}

    def remaining() -> float:
        return context.get_remaining_time_in_millis() / 1000 - MARGIN_S

    try:
        with turn(_runs, context.aws_request_id, now=now, until=now + context.get_remaining_time_in_millis()):
            found = retain(_parts, allowed_since(_settings.person_days, now), remaining, now=time.time)
    except Unavailable as error:  # the next hour asks again
        logger.warning("not now", extra={"reason": str(error)})
        return {"due": True, "reason": str(error)}
    metrics.add_metric(name="sales_erased", unit=MetricUnit.Count, value=found.erased.sales)
    metrics.add_metric(name="runs_unfinished", unit=MetricUnit.Count, value=0 if found.done else 1)
    told: dict[str, Any] = {"due": True, **msgspec.to_builtins(found)}
    logger.info("erased", extra=told)
    return told
