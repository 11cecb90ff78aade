"""POST /v1/housing/predict."""

from __future__ import annotations

import time
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.responses import Response, body_of, known_by, refuse, respond
from tidemark import access, settings
from tidemark.adapters import aws
from tidemark.adapters.dynamodb_runs import DynamoRuns
from tidemark.adapters.s3_objects import S3Objects
from tidemark.correlation import request_id
from tidemark.errors import TidemarkError
from tidemark.housing.requests import decode
from tidemark.housing.serving import Serving

logger = Logger(service="predict")
metrics = Metrics(namespace="Tidemark", service="predict")

_settings = settings.load(settings.PredictSettings)
_serving = Serving(
    runs=DynamoRuns(aws.dynamodb_reads(), _settings.runs_table),
    objects=S3Objects(aws.s3(), _settings.lake_bucket),
    seconds=time.monotonic,
    report=lambda words: logger.error("the champion cannot be asked for", extra={"reason": words}),
)


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> Response:
    """Prices 1 to 500 blocks."""
    request = request_id(event, context.aws_request_id)
    logger.append_keys(request=request)
    try:
        access.caller_of(event, time.time())
        asked = decode(body_of(event))
        answer = _serving.answer(asked)
    except TidemarkError as error:
        metrics.add_metric(name="predictions_refused", unit=MetricUnit.Count, value=1)
        logger.warning("refused", extra={"error": type(error).__name__})
        return known_by(refuse(error), request)
    lonely = sum(prediction.warning is not None for prediction in answer.predictions)
    metrics.add_metric(name="blocks_priced", unit=MetricUnit.Count, value=len(asked.blocks))
    metrics.add_metric(name="blocks_warned_of", unit=MetricUnit.Count, value=lonely)
    logger.info("priced", extra={"blocks": len(asked.blocks), "model": answer.model.fingerprint})
    return known_by(respond(answer), request)
