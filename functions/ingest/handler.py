"""POST /v1/sales."""

from __future__ import annotations

import time
from http import HTTPStatus
from pathlib import Path
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.responses import Response, body_of, known_by, refuse, respond
from tidemark import access, money, settings
from tidemark.adapters import aws, redis_limits, redis_stream
from tidemark.adapters.dynamodb import DynamoLedger
from tidemark.adapters.dynamodb_runs import DynamoRuns
from tidemark.adapters.litert_model import LiteRtScorer
from tidemark.correlation import request_id
from tidemark.errors import TidemarkError
from tidemark.ingest import Ingest
from tidemark.limits import SMALLEST
from tidemark.models import sales_model
from tidemark.models.sales_scorer import ChampionScorer
from tidemark.privacy.personal import Pseudonyms
from tidemark.scoring import RulesOnly, Scorer
from tidemark.store import Store
from tidemark.writer import Clock

ANSWER_S = 2.0  # kept back from the time-out for answering

MODEL = Path(__file__).resolve().parents[2] / "models" / "sales" / "sales.model"

logger = Logger(service="ingest")
metrics = Metrics(namespace="Tidemark", service="ingest")


def _bundled(store: Store) -> Scorer:
    """The model of this bundle; where it does not fit the store, the rules go on alone."""
    try:
        return LiteRtScorer(sales_model.loads(MODEL.read_bytes()), store)
    except (OSError, TidemarkError) as error:
        logger.error("no model", extra={"reason": str(error)})  # noqa: TRY400  # the reason is the news, not the place
        return RulesOnly()


def _scorer(store: Store, runs: DynamoRuns) -> Scorer:
    """The champion, and a shadow beside it."""
    return ChampionScorer(
        _bundled(store),
        runs,
        lambda champion: LiteRtScorer(sales_model.promoted(runs.model(champion.fingerprint), champion), store),
        time.monotonic,
        lambda words: logger.error("a model cannot serve", extra={"reason": words}),
    )


_settings = settings.load(settings.IngestSettings)
_client = aws.dynamodb_writes()  # one for both: making a client is dear, and who serves is asked again anyway
_limits = redis_limits.connect(_settings.stream_url(), _settings.client_kilobytes * 1_000, _settings.client_requests)
_ingest = Ingest(
    store=_settings.store(),
    scorer=_scorer(_settings.store(), DynamoRuns(_client, _settings.runs_table)),
    ledger=DynamoLedger(_client, _settings),
    stream=(_stream := redis_stream.connect(_settings.stream_url())),
    pseudonyms=Pseudonyms(_settings.person_key),
)


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> Response:
    """Takes 1 to 500 sales."""
    request, began = request_id(event, context.aws_request_id), time.monotonic()
    logger.append_keys(request=request)
    response, told = _take(event, context, request)
    took_ms = round((time.monotonic() - began) * 1000, 1)
    metrics.add_metric(name="post_ms", unit=MetricUnit.Milliseconds, value=took_ms)
    logger.info("answered", extra={"status": response["statusCode"], "ms": took_ms})
    if told:  # else the live stream is away: it would be waited for once more
        _stream.tally(posts=1, failed=int(response["statusCode"] >= HTTPStatus.INTERNAL_SERVER_ERROR), **told)
    return known_by(response, request)


def _take(event: dict[str, Any], context: LambdaContext, request: str) -> tuple[Response, dict[str, int]]:
    """The answer, and what to add to the day's tally: nothing where the live stream is away."""
    clock = Clock(
        now_ms=lambda: time.time_ns() // 1_000_000,
        sleep=time.sleep,
        remaining=lambda: context.get_remaining_time_in_millis() / 1000 - ANSWER_S,
    )
    try:
        caller = access.caller_of(event, time.time())
        client, body = caller.name or "", body_of(event)
        _limits.take(client, max(len(body), SMALLEST), context.aws_request_id)
        try:
            posted = _ingest.post(body, clock, caller.branches, request=request)
        finally:
            _limits.done(client, context.aws_request_id)
    except TidemarkError as error:
        metrics.add_metric(name="posts_refused", unit=MetricUnit.Count, value=1)
        logger.warning("refused", extra={"error": type(error).__name__})
        return refuse(error), {"sales": 0}
    counts = {"accepted": 0, "duplicate": 0, "conflict": 0, "rejected": 0}
    for result in posted.answer.results:
        counts[result.status] += 1
    for status, count in counts.items():
        metrics.add_metric(name=f"sales_{status}", unit=MetricUnit.Count, value=count)
    metrics.add_metric(name="takings", unit=MetricUnit.NoUnit, value=posted.takings / money.SCALE)
    metrics.add_metric(name="anomalies", unit=MetricUnit.Count, value=posted.anomalies)
    metrics.add_metric(name="unpublished_posts", unit=MetricUnit.Count, value=int(not posted.published))
    logger.info("taken", extra={**counts, "published": posted.published})
    return respond(posted.answer, HTTPStatus.OK), {"sales": counts["accepted"]} if posted.published else {}
