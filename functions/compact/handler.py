"""Old cells to history, once an hour. It ends before its time is up, and the next hour goes on."""

from __future__ import annotations

import time
from typing import Any

import msgspec
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from tidemark import settings
from tidemark.adapters import aws
from tidemark.adapters.dynamodb import DynamoCells
from tidemark.adapters.dynamodb_history import DynamoHistory
from tidemark.history.compaction import Compactor
from tidemark.writer import Clock

MARGIN_S = 10  # of the Lambda's time that a run leaves

_settings = settings.load(settings.CompactSettings)
_client = aws.dynamodb_reads()
_history = DynamoHistory(_client, _settings, aws.dynamodb_writes())
_compactor = Compactor(DynamoCells(_client, _settings), _history, _settings.store_zone)
logger = Logger(service="compact")
metrics = Metrics(namespace="Tidemark", service="compact")


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Moves what was not written for as long as the settings say."""
    clock = Clock(_now_ms, time.sleep, lambda: context.get_remaining_time_in_millis() / 1000 - MARGIN_S)
    found = _compactor.run(clock, _now_ms() - _settings.compact_after_minutes * 60_000)
    metrics.add_metric(name="cells_moved", unit=MetricUnit.Count, value=found.moved)
    metrics.add_metric(name="cells_full", unit=MetricUnit.Count, value=found.full)
    told: dict[str, Any] = msgspec.to_builtins(found)
    logger.info("moved", extra=told)
    return told
