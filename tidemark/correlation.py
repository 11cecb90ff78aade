"""The one identifier that a request keeps from the POST to the page: in its answer, in each log line, in the frame.

A caller may bring its own, as `X-Request-Id` or in a `traceparent` (W3C Trace Context, level 2); what is not well
formed is passed over, so that no name, address or line break comes into a log this way.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

HEADER = "X-Request-Id"
_GIVEN = re.compile(r"[0-9A-Za-z][0-9A-Za-z_.-]{7,63}")
_TRACE = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?")


def request_id(event: Mapping[str, Any], fallback: str) -> str:
    """Of a call through API Gateway: what the caller brought, else API Gateway's own, else `fallback`."""
    headers = {name.lower(): str(value) for name, value in (event.get("headers") or {}).items()}
    if _GIVEN.fullmatch(given := headers.get("x-request-id", "")):
        return given
    if trace := _TRACE.fullmatch(headers.get("traceparent", "")):
        return trace[1]
    own = str((event.get("requestContext") or {}).get("requestId") or fallback)
    return own if _GIVEN.fullmatch(own) else fallback


def requests_of(images: Iterable[Mapping[str, Any]]) -> list[str]:
    """By which requests these items of ledger or cells were written, each once, in the order of the stream."""
    found = (image.get("request", {}).get("S", "") for image in images)
    return [request for request in dict.fromkeys(found) if request]
