"""What a request is known by."""

from __future__ import annotations

from typing import Any

import pytest

from tidemark.correlation import request_id, requests_of

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
OWN = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"


@pytest.mark.parametrize(
    ("headers", "known_by"),
    [
        ({}, OWN),
        ({"X-Request-Id": "till-7.2026_11"}, "till-7.2026_11"),
        ({"x-request-id": "till-0001", "traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}, "till-0001"),
        ({"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}, TRACE),
        ({"traceparent": f"cc-{TRACE}-00f067aa0ba902b7-01-what-the-future-will-be-like"}, TRACE),
        ({"traceparent": f"ff-{TRACE}-00f067aa0ba902b7-01"}, OWN),
        ({"traceparent": f"00-{'0' * 32}-00f067aa0ba902b7-01"}, OWN),
        ({"traceparent": f"00-{TRACE}-{'0' * 16}-01"}, OWN),
        ({"traceparent": f"00-{TRACE.upper()}-00f067aa0ba902b7-01"}, OWN),
        ({"X-Request-Id": "short"}, OWN),
        ({"X-Request-Id": "x" * 65}, OWN),
        ({"X-Request-Id": "someone@example.com"}, OWN),
        ({"X-Request-Id": "two lines\nof a log"}, OWN),
    ],
)
def test_only_what_is_well_formed_is_taken(headers: dict[str, str], known_by: str) -> None:
    event: dict[str, Any] = {"headers": headers, "requestContext": {"requestId": OWN}}
    assert request_id(event, "fallback-1") == known_by


def test_without_api_gateway_the_lambdas_own_id_is_taken() -> None:
    assert request_id({"headers": None}, "fallback-1") == "fallback-1"


def test_the_requests_of_a_batch_are_named_once_and_items_of_before_have_none() -> None:
    images: list[dict[str, Any]] = [{"request": {"S": "b"}}, {}, {"request": {"S": "a"}}, {"request": {"S": "b"}}]
    assert requests_of(images) == ["b", "a"]
