"""The API: FastAPI behind API Gateway."""

from __future__ import annotations

import time
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from mangum import Mangum

from functions.api import models, operations, pipelines
from functions.api.app import create_app
from functions.api.results import Results
from functions.responses import known_by
from tidemark import settings
from tidemark.adapters import aws
from tidemark.adapters.dead_letters import redrive
from tidemark.adapters.dynamodb import DynamoCells, DynamoLedger
from tidemark.adapters.dynamodb_feedback import DynamoFeedback
from tidemark.adapters.dynamodb_history import DynamoHistory
from tidemark.adapters.dynamodb_runs import DynamoRuns
from tidemark.adapters.s3_objects import S3Objects
from tidemark.correlation import request_id
from tidemark.history.counters import Counters


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


_settings = settings.load(settings.ApiSettings)
_client = aws.dynamodb_reads()
_ledger, _cells = DynamoLedger(_client, _settings), DynamoCells(_client, _settings)
_runs, _objects = DynamoRuns(_client, _settings.runs_table), S3Objects(aws.s3(), _settings.lake_bucket)
_results = Results(_runs, _objects)
_app = Mangum(
    create_app(
        _settings.store(),
        _ledger,
        Counters(_cells, DynamoHistory(_client, _settings), _settings.store_zone),
        DynamoFeedback(_client, _settings.feedback_table),
        _now_ms,
        pipelines.routes(_results, _now_ms),
        models.routes(_runs, _objects, _results, _ledger),
        operations.routes(redrive(_settings, _ledger, _cells, sqs=aws.sqs(), lambdas=aws.lambdas())),
    ),
    lifespan="off",
)
logger = Logger(service="api")


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answers all but sales that are posted."""
    request = request_id(event, context.aws_request_id)
    answer: dict[str, Any] = _app(event, context)  # type: ignore[arg-type]  # two names for Lambda's own object
    logger.info(
        "answered", extra={"status": answer["statusCode"], "resource": event.get("resource"), "request": request}
    )
    return known_by(answer, request)
