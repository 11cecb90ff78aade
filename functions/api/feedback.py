"""The routes of feedback: said by whoever may read, read by admins."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from functions.api import sales_examples as examples
from functions.api.answers import MsgspecResponse, answers, refused
from tidemark import errors
from tidemark import feedback as messages
from tidemark.ports import Feedback, FeedbackPage

REMARKS = 100


class Caller(msgspec.Struct, frozen=True):
    """Who asks, as the authorizer says."""

    name: str | None = None
    scope: str | None = None


class Kept(msgspec.Struct, frozen=True):
    """A remark that was kept."""

    id: str


def caller_of(request: Request) -> Caller:
    """Who asks."""
    told = request.scope.get("aws.event", {}).get("requestContext", {}).get("authorizer") or {}
    return Caller(told.get("principalId"), told.get("scope"))


async def _body(request: Request) -> bytes:
    return await request.body()


def routes(feedback: Feedback, now_ms: Callable[[], int]) -> APIRouter:
    """The routes over what is kept."""
    router = APIRouter(default_response_class=MsgspecResponse)

    @router.post(
        "/v1/feedback",
        status_code=HTTPStatus.CREATED,
        openapi_extra={
            "requestBody": {"required": True, "content": {"application/json": {"schema": messages.json_schema()}}}
        },
        responses={
            201: answers("Kept", Kept, example=examples.KEPT)[200],
            400: refused("What is wrong, and where; nothing is kept"),
            413: refused("The body is longer than any message"),
            503: refused("Not now; send it again"),
        },
    )
    def post_feedback(
        body: Annotated[bytes, Depends(_body)], caller: Annotated[Caller, Depends(caller_of)]
    ) -> Response:
        """Say something of a page."""
        message = messages.decode(body)
        remark = messages.receive(message, now_ms=now_ms(), sender=caller.name, scope=caller.scope)
        feedback.add(remark)
        return MsgspecResponse(Kept(remark.id), status_code=HTTPStatus.CREATED)

    @router.get(
        "/v1/feedback",
        responses={
            **answers("Some remarks", FeedbackPage, example=examples.REMARKS),
            403: refused("Only an admin token may read feedback"),
        },
    )
    def get_feedback(
        caller: Annotated[Caller, Depends(caller_of)],
        limit: Annotated[int, Query(ge=1, le=REMARKS)] = 50,
        cursor: str | None = None,
    ) -> Response:
        """Feedback, newest first, for an admin; go on with `cursor` until it is null."""
        if caller.scope != "admin":
            raise errors.Forbidden(f"this token may {caller.scope or 'do nothing here'}; admin is needed")
        return MsgspecResponse(feedback.page(limit=limit, cursor=cursor))

    return router
