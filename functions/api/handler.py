"""The API: FastAPI behind API Gateway."""

from __future__ import annotations

import time
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from mangum import Mangum

from functions.api.app import create_app
from tidemark import settings
from tidemark.adapters import aws
from tidemark.adapters.dynamodb import DynamoCells, DynamoLedger
from tidemark.adapters.dynamodb_feedback import DynamoFeedback

_settings = settings.load(settings.ApiSettings)
_client = aws.dynamodb_reads()
_app = Mangum(
    create_app(
        store=_settings.store(),
        ledger=DynamoLedger(_client, _settings),
        cells=DynamoCells(_client, _settings),
        feedback=DynamoFeedback(_client, _settings.feedback_table),
        now_ms=lambda: time.time_ns() // 1_000_000,
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
