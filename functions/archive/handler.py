"""Ledger's stream to lake. An object's name is its content's hash: archiving a batch again changes nothing."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from tidemark import settings
from tidemark.adapters import aws
from tidemark.adapters.s3_lake import S3Lake
from tidemark.correlation import requests_of
from tidemark.store import MINUTES_PER_DAY

_lake = S3Lake(aws.s3(), settings.load(settings.ArchiveSettings).lake_bucket)
logger = Logger(service="archive")
metrics = Metrics(namespace="Tidemark", service="archive")


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> None:
    """Archives a batch whole; where that fails the stream gives it again, by halves."""
    by_day: dict[int, list[str]] = defaultdict(list)
    for record in event["Records"]:
        image = record["dynamodb"]["NewImage"]
        minute = int(image["sold_at"]["S"].partition("#")[0])
        by_day[minute // MINUTES_PER_DAY].append(image["doc"]["S"])
    for day, documents in by_day.items():
        _lake.put(day * MINUTES_PER_DAY, documents)
    metrics.add_metric(name="sales_archived", unit=MetricUnit.Count, value=len(event["Records"]))
    requests = requests_of(record["dynamodb"]["NewImage"] for record in event["Records"])
    logger.info("archived", extra={"sales": len(event["Records"]), "days": len(by_day), "requests": requests})
