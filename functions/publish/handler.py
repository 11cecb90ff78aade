"""Cells' stream to live stream: tells what ingest could not. Absolute states, so telling twice is harmless."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.dynamo_db_stream_event import DynamoDBRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from tidemark import settings
from tidemark.adapters import redis_stream
from tidemark.adapters.cell_items import read_cell
from tidemark.correlation import requests_of

_stream = redis_stream.connect(settings.load(settings.PublishSettings).stream_url())
_processor = BatchProcessor(event_type=EventType.DynamoDBStreams)
logger = Logger(service="publish")
metrics = Metrics(namespace="Tidemark", service="publish")


def _publish(record: DynamoDBRecord) -> None:
    image = record.raw_event["dynamodb"].get("NewImage")
    if image and "moved" not in image:  # of a cell on its way into history everything has been told
        _stream.publish([read_cell(image)], [], request=image.get("request", {}).get("S", ""))


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Publishes each record's cell; reports those that could not be."""
    response = process_partial_response(event=event, record_handler=_publish, processor=_processor, context=context)
    records, failed = len(event["Records"]), len(response["batchItemFailures"])
    metrics.add_metric(name="cells_published", unit=MetricUnit.Count, value=records - failed)
    metrics.add_metric(name="cells_unpublished", unit=MetricUnit.Count, value=failed)
    requests = requests_of(record["dynamodb"].get("NewImage") or {} for record in event["Records"])
    logger.info("published", extra={"records": records, "failed": failed, "requests": requests})
    return dict(response)
