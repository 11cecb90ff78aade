"""What a Lambda behind API Gateway answers: the one place where errors become HTTP."""

from __future__ import annotations

import base64
import math
from http import HTTPStatus
from typing import Any

import msgspec

from tidemark import errors, limits
from tidemark.correlation import HEADER

Response = dict[str, Any]

STATUS: dict[type[errors.TidemarkError], HTTPStatus] = {
    errors.BadRequest: HTTPStatus.BAD_REQUEST,
    errors.Unauthorized: HTTPStatus.UNAUTHORIZED,
    errors.Forbidden: HTTPStatus.FORBIDDEN,
    errors.NotFound: HTTPStatus.NOT_FOUND,
    errors.TooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    errors.Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    limits.TooMany: HTTPStatus.TOO_MANY_REQUESTS,
}
RETRY_AFTER_S = 1


def respond(content: object, status: HTTPStatus = HTTPStatus.OK, headers: dict[str, str] | None = None) -> Response:
    """JSON of `content`, in the form that API Gateway's Lambda proxy takes."""
    return {
        "statusCode": int(status),
        "headers": {"Content-Type": "application/json", "Cache-Control": "no-store", **(headers or {})},
        "body": msgspec.json.encode(content).decode(),
    }


def refuse(error: errors.TidemarkError) -> Response:
    """What an error of the domain looks like to the caller: `{"error": "what, and where"}`."""
    status = STATUS.get(type(error), HTTPStatus.INTERNAL_SERVER_ERROR)
    return respond({"error": str(error)}, status, _retry(error, status))


def _retry(error: errors.TidemarkError, status: HTTPStatus) -> dict[str, str] | None:
    """When the same may be sent again."""
    if isinstance(error, limits.TooMany):
        return {"Retry-After": str(math.ceil(error.retry_after))}
    return {"Retry-After": str(RETRY_AFTER_S)} if status is HTTPStatus.SERVICE_UNAVAILABLE else None


def known_by(response: Response, request: str) -> Response:
    """The same answer, which says what the request is known by in every log."""
    return {**response, "headers": {**(response.get("headers") or {}), HEADER: request}}


def body_of(event: dict[str, Any]) -> bytes:
    """The request's body. Raises BadRequest where it cannot be bytes at all."""
    body = event.get("body") or ""
    try:
        return base64.b64decode(body, validate=True) if event.get("isBase64Encoded") else body.encode()
    except (ValueError, UnicodeEncodeError):
        raise errors.BadRequest("the body is not UTF-8") from None
