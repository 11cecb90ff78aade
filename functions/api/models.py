"""The routes of the models of the sales: who scores and how well, what is forecast, and what turned out of alarms."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from functions.api import models_examples as examples
from functions.api.answers import MARKDOWN, MarkdownResponse, MsgspecResponse, answers, refused
from functions.api.callers import Asking
from functions.api.results import Results
from tidemark import verdicts
from tidemark.errors import NotFound
from tidemark.models.champion import Champion, Decision
from tidemark.models.forecasts import Outlook
from tidemark.models.keys import DEMAND, SALES, SHADOW, card_key
from tidemark.models.sales_findings import Seen
from tidemark.ports import Ledger, Objects, Runs
from tidemark.runs import SALES_WATCH
from tidemark.verdicts import VerdictsKept

LIMIT = 50


class SalesModel(msgspec.Struct, frozen=True):
    """Who scores the sales; `champion` is null while the model that came with the code does, `shadow` while none scores
    beside it. `seen`: what the newest watch saw, at `at` (ms since 1970); null before the first. `decisions`: what the
    gate said of the newest challengers, newest first."""

    champion: Champion | None
    shadow: Champion | None
    at: int | None
    seen: Seen | None
    decisions: list[Decision]


class Forecasting(msgspec.Struct, frozen=True):
    """What was forecast `at` (ms since 1970); `outlook` null before the first watch. `decisions`: what the gate said of
    the newest models of demand, newest first."""

    at: int | None
    outlook: Outlook | None
    decisions: list[Decision]


class _Report(msgspec.Struct, frozen=True):
    seen: Seen
    outlook: Outlook | None = None


async def _body(request: Request) -> bytes:
    return await request.body()


def routes(runs: Runs, objects: Objects, results: Results, ledger: Ledger) -> APIRouter:
    """The routes."""
    router = APIRouter(default_response_class=MsgspecResponse)

    @router.get(
        "/v1/models/sales",
        summary="Who scores the sales, and how well",
        responses=answers("The sales model", SalesModel, example=examples.SALES_MODEL),
    )
    def get_model(limit: Annotated[int, Query(ge=1, le=LIMIT)] = 10) -> Response:
        """Champion and shadow, what the watch sees of them, what the model is worth, and the gate's decisions."""
        found = results.newest_report(SALES_WATCH, _Report)
        at, seen = (found[0].ended_at, found[1].seen) if found else (None, None)
        champion, shadow = runs.champion(SALES), runs.champion(SHADOW)
        return MsgspecResponse(SalesModel(champion, shadow, at, seen, runs.decisions(SALES, limit=limit)))

    card: dict[int | str, Any] = {
        **answers("The card", example=examples.CARD, media=MARKDOWN),
        404: refused("There is none yet"),
    }

    @router.get("/v1/models/sales/card", summary="The model's card", responses=card, response_class=MarkdownResponse)
    def get_card() -> Response:
        """Data, split, metrics with intervals, baselines, limits, of the model that the newest watch saw serving."""
        found = results.newest_report(SALES_WATCH, _Report)
        if found is None or not found[1].seen.fingerprint:
            raise NotFound("no watch of the sales model has run yet")
        return MarkdownResponse(objects.get(card_key(SALES, found[1].seen.fingerprint)))

    @router.get(
        "/v1/forecast",
        summary="Items that the next hours will sell",
        responses=answers("The forecast", Forecasting, example=examples.FORECAST),
    )
    def get_forecast(limit: Annotated[int, Query(ge=1, le=LIMIT)] = 10) -> Response:
        """Of each branch's product line and of all (`all`), up to six open hours ahead with 80 % intervals; and what
        had been forecast of today's hours that are over, beside what was sold."""
        found = results.newest_report(SALES_WATCH, _Report)
        at, outlook = (found[0].ended_at, found[1].outlook) if found else (None, None)
        return MsgspecResponse(Forecasting(at, outlook, runs.decisions(DEMAND, limit=limit)))

    @router.get("/v1/forecast/card", summary="The forecast's card", responses=card, response_class=MarkdownResponse)
    def get_forecast_card() -> Response:
        """Data, split, metrics with intervals, baselines, limits, of the model that forecasts."""
        champion = runs.champion(DEMAND)
        if champion is None:
            raise NotFound("no model of demand has passed the gate yet")
        return MarkdownResponse(objects.get(card_key(DEMAND, champion.fingerprint)))

    @router.post(
        "/v1/verdicts",
        summary="Say whether alarms were right",
        openapi_extra={
            "requestBody": {"required": True, "content": {"application/json": {"schema": verdicts.json_schema()}}}
        },
        responses={
            **answers("Kept", VerdictsKept, example=examples.KEPT),
            400: refused("What is wrong, and where; nothing is kept"),
            413: refused("The body is longer than any such list"),
            503: refused("Not now; send it again"),
        },
    )
    def post_verdicts(caller: Asking, body: Annotated[bytes, Depends(_body)]) -> Response:
        """Of up to 100 sales, whether something was wrong with them; the newest verdict of a sale holds."""
        return MsgspecResponse(verdicts.keep(verdicts.decode(body), ledger, runs, caller.branches))

    return router
