"""Feedback: which messages are taken, and what is said of the others."""

from __future__ import annotations

import json
from typing import Any

import pytest

from functions.api.app import create_app
from tests.counted import counters
from tidemark import feedback
from tidemark.adapters.memory import MemoryFeedback, MemoryLedger
from tidemark.errors import BadRequest, TooLarge
from tidemark.feedback import Message
from tidemark.store import Store

GOOD: dict[str, Any] = {"text": "fine", "view": "?branch=A"}


def content(**changes: Any) -> bytes:
    return json.dumps({**GOOD, **changes}).encode()


@pytest.mark.parametrize(
    "message",
    [
        Message(text="x", view=""),
        Message(text="<b>&amp;</b>\r\n\t\0 \u202e", view="?from=2019-01-01&q=%22", mood="good", page_version="0.1.0"),
        Message(text="\U0001f600" * 2_000, view="\U0001f600" * 4_000, mood="bad", page_version="\U0001f600" * 40),
    ],
    ids=["shortest", "markup", "longest"],
)
def test_a_message_is_taken_as_it_is(message: Message) -> None:
    given = {name: getattr(message, name) for name in Message.__struct_fields__}
    for escaped in (True, False):
        assert feedback.decode(json.dumps(given, ensure_ascii=escaped).encode()) == message


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "the body is not JSON"),
        (b"hello", "the body is not JSON"),
        (b"[]", "expected object, got array"),
        (b"\xff", "the body is not UTF-8: byte 0"),
        (content(text=5).replace(b"5", b"NaN"), "text: NaN is not JSON"),
        (b'{"\\ud800": NaN}', "?: NaN is not JSON"),
        (content(text="\ud800"), "text: a lone surrogate is not text"),
        (b'{"text": ' + b"[" * 50_000, "text: expected str, got array"),
        (b"{}", "object missing required field text"),
        (b'{"text": "x"}', "object missing required field view"),
        (content(text=""), "text: expected str of length >= 1"),
        (content(text="x" * 2_001), "text: expected str of length <= 2000"),
        (content(text=None), "text: expected str, got null"),
        (content(text=["x"]), "text: expected str, got array"),
        (content(view="x" * 4_001), "view: expected str of length <= 4000"),
        (content(view=7), "view: expected str, got int"),
        (content(mood="meh"), "mood: invalid enum value 'meh'"),
        (content(mood=True), "mood: expected str | null, got bool"),
        (content(page_version="x" * 41), "page_version: expected str of length <= 40"),
        (content(colour="red"), "object contains unknown field colour"),
        (content(id="mine"), "object contains unknown field id"),
    ],
)
def test_a_wrong_message_is_explained(body: bytes, words: str) -> None:
    with pytest.raises(BadRequest) as refusal:
        feedback.decode(body)
    assert words in str(refusal.value)


def test_a_body_longer_than_any_message_is_refused() -> None:
    with pytest.raises(TooLarge, match="at most 100,000 are taken"):
        feedback.decode(content() + b" " * 100_000)


def test_the_api_describes_it() -> None:
    app = create_app(Store(), MemoryLedger(), counters(MemoryLedger()), MemoryFeedback(), lambda: 0)
    described = app.openapi()["paths"]["/v1/feedback"]
    schema = described["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert schema["required"] == ["text", "view"]
    assert schema["additionalProperties"] is False
    assert schema["properties"]["text"] == {"type": "string", "minLength": 1, "maxLength": 2000}
    assert set(schema["properties"]) == {"text", "view", "mood", "page_version"}
    assert set(described["post"]["responses"]) >= {"201", "400", "413"}
    assert {parameter["name"] for parameter in described["get"]["parameters"]} == {"limit", "cursor"}
    assert "conflicts" in app.openapi()["paths"]["/v1/sales/{invoice_id}"]["get"]["description"]
