"""Cells' stream to live stream: tells what ingest could not. Absolute states, so telling twice is harmless."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.dynamo_db_stream_event import DynamoDBRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from tidemark import settings
from tidemark.adapters import redis_stream
from tidemark.adapters.cell_items import read_cell

_stream = redis_stream.connect(settings.load(settings.PublishSettings).stream_url())
_processor = BatchProcessor(event_type=EventType.DynamoDBStreams)
logger = Logger(service="publish")


def _publish(record: DynamoDBRecord) -> None:
    image = record.raw_event["dynamodb"].get("NewImage")
    if image and "moved" not in image:  # of a cell on its way into history everything has been told
        _stream.publish([read_cell(image)], [])


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Publishes each record's cell; reports those that could not be."""
    response = process_partial_response(event=event, record_handler=_publish, processor=_processor, context=context)
    logger.info("published", extra={"records": len(event["Records"]), "failed": len(response["batchItemFailures"])})
    return dict(response)
