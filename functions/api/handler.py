"""The API: FastAPI behind API Gateway."""

from __future__ import annotations

import time
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from mangum import Mangum

from functions.api import models, pipelines
from functions.api.app import create_app
from functions.api.results import Results
from tidemark import settings
from tidemark.adapters import aws
from tidemark.adapters.dynamodb import DynamoCells, DynamoLedger
from tidemark.adapters.dynamodb_feedback import DynamoFeedback
from tidemark.adapters.dynamodb_history import DynamoHistory
from tidemark.adapters.dynamodb_runs import DynamoRuns
from tidemark.adapters.s3_objects import S3Objects
from tidemark.history.counters import Counters


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


_settings = settings.load(settings.ApiSettings)
_client = aws.dynamodb_reads()
_ledger = DynamoLedger(_client, _settings)
_runs, _objects = DynamoRuns(_client, _settings.runs_table), S3Objects(aws.s3(), _settings.lake_bucket)
_results = Results(_runs, _objects)
_app = Mangum(
    create_app(
        _settings.store(),
        _ledger,
        Counters(DynamoCells(_client, _settings), DynamoHistory(_client, _settings), _settings.store_zone),
        DynamoFeedback(_client, _settings.feedback_table),
        _now_ms,
        pipelines.routes(_results, _now_ms),
        models.routes(_runs, _objects, _results, _ledger),
    ),
    lifespan="off",
)
logger = Logger(service="api")


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answers all but sales that are posted."""
    answer: dict[str, Any] = _app(event, context)  # type: ignore[arg-type]  # two names for Lambda's own object
    logger.info("answered", extra={"status": answer["statusCode"], "resource": event.get("resource")})
    return answer
