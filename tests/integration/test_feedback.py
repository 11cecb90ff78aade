"""Feedback through the deployed API: kept word for word, and shown to an admin alone."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.cloud import Cloud
from tidemark.local import stores

GOOD: dict[str, Any] = {"text": "fine", "view": "?branch=A"}


def send(cloud: Cloud, content: bytes | dict[str, Any], token: str | None = None) -> httpx.Response:
    return httpx.post(
        f"{cloud.api}/v1/feedback",
        content=content if isinstance(content, bytes) else json.dumps(content).encode(),
        headers={"Authorization": f"Bearer {token or cloud.tokens['read']}", "Content-Type": "application/json"},
        timeout=30,
    )


def kept(cloud: Cloud, **query: Any) -> dict[str, Any]:
    answer = cloud.get("/v1/feedback", cloud.tokens["admin"], **query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.fixture
def unmoved(cloud: Cloud) -> Any:
    """Nothing that a test sends may be kept."""
    before = kept(cloud, limit=100)
    yield cloud
    assert kept(cloud, limit=100) == before


def test_a_remark_is_kept_word_for_word(cloud: Cloud) -> None:
    message = {
        "text": "<script>alert('é')</script>\r\n &amp; \U0001f600\0\u2028 \u00a0",
        "view": "?branch=A&from=2019-01-01&q=%3Cb%3E",
        "mood": "bad",
        "page_version": "0.1.0",
    }
    answer = send(cloud, message)
    assert answer.status_code == 201
    assert set(answer.json()) == {"id"}
    found = kept(cloud, limit=1)["feedback"][0]
    received_at = found.pop("received_at")
    assert found == {**message, "id": answer.json()["id"], "sender": "local", "scope": "read"}
    assert 0 <= kept(cloud, limit=1)["feedback"][0]["received_at"] - received_at < 1
    assert received_at > 1_700_000_000_000


def test_mood_and_version_may_be_left_out(cloud: Cloud) -> None:
    assert send(cloud, {"text": "x", "view": ""}, cloud.tokens["admin"]).status_code == 201
    found = kept(cloud, limit=1)["feedback"][0]
    assert (found["mood"], found["page_version"], found["scope"]) == (None, None, "admin")


def test_remarks_come_in_pages_newest_first(cloud: Cloud) -> None:
    sent = [send(cloud, {**GOOD, "text": f"page {n}"}).json()["id"] for n in range(5)]
    found: list[str] = []
    cursor = None
    while len(found) < len(sent):
        page = kept(cloud, limit=2, **({"cursor": cursor} if cursor else {}))
        found += [remark["id"] for remark in page["feedback"]]
        cursor = page["cursor"]
    assert set(found[:5]) == set(sent)
    assert [key[:13] for key in found] == sorted((key[:13] for key in found), reverse=True)


@pytest.mark.parametrize("scope", ["read", "ingest"])
@pytest.mark.parametrize("path", ["/v1/feedback", "/v1/feedback/", "/v1/%66eedback", "/v1/%2566eedback"])
def test_only_an_admin_may_read_what_was_said(cloud: Cloud, scope: str, path: str) -> None:
    send(cloud, {**GOOD, "text": "between us"})
    answer = cloud.get(path, cloud.tokens[scope])
    assert answer.status_code in ((403,) if path == "/v1/feedback" else (403, 404))
    assert "between us" not in answer.text


def test_a_till_s_token_may_say_nothing(unmoved: Cloud) -> None:
    answer = send(unmoved, GOOD, unmoved.tokens["ingest"])
    assert answer.status_code == 403
    assert "scope" in answer.json()["error"]


def test_strangers_may_neither_speak_nor_read(unmoved: Cloud) -> None:
    expired = unmoved.run("token", "read", "--days", "-1").stdout.strip()
    for token in ("nonsense", expired):
        for answer in (send(unmoved, GOOD, token), unmoved.get("/v1/feedback", token)):
            assert answer.status_code == 401
            assert "token" in answer.json()["error"]
    assert httpx.post(f"{unmoved.api}/v1/feedback", json=GOOD, timeout=30).status_code == 401
    assert httpx.get(f"{unmoved.api}/v1/feedback", timeout=30).status_code == 401


@pytest.mark.parametrize(
    ("content", "status", "words"),
    [
        (b"", 400, "the body is not JSON"),
        (b"\xff\xfe", 400, "the body is not JSON"),
        (b"[" * 50_000, 400, "expected object, got array"),
        ({}, 400, "text"),
        ({"text": "x"}, 400, "view"),
        ({**GOOD, "text": ""}, 400, "text: expected str of length >= 1"),
        ({**GOOD, "text": "x" * 2_001}, 400, "text: expected str of length <= 2000"),
        ({**GOOD, "text": 1}, 400, "text: expected str, got int"),
        ({**GOOD, "text": "\ud800"}, 400, "text: a lone surrogate is not text"),
        ({**GOOD, "view": "x" * 4_001}, 400, "view: expected str of length <= 4000"),
        ({**GOOD, "mood": "meh"}, 400, "mood"),
        ({**GOOD, "page_version": "x" * 41}, 400, "page_version: expected str of length <= 40"),
        ({**GOOD, "colour": "red"}, 400, "colour"),
        ({**GOOD, "id": "mine"}, 400, "id"),
        (b" " * 100_001, 413, "at most 100,000"),
        (b" " * 10_000_000, 413, "at most 100,000"),
    ],
    ids=[
        *("empty", "no-utf8", "deep", "no-text", "no-view", "empty-text", "long-text", "number", "surrogate"),
        *("long-view", "mood", "long-version", "unknown-field", "own-id", "100-kB", "10-MB"),
    ],
)
def test_a_wrong_remark_is_explained_and_not_kept(
    unmoved: Cloud, content: bytes | dict[str, Any], status: int, words: str
) -> None:
    answer = send(unmoved, content)
    assert answer.status_code == status
    assert words in answer.json()["error"]


@pytest.mark.parametrize(
    ("query", "words"),
    [({"limit": 0}, "limit"), ({"limit": 101}, "limit"), ({"limit": "x"}, "limit"), ({"cursor": "x"}, "cursor")],
)
def test_a_wrong_question_is_explained(cloud: Cloud, query: dict[str, Any], words: str) -> None:
    answer = cloud.get("/v1/feedback", cloud.tokens["admin"], **query)
    assert answer.status_code == 400
    assert words in answer.json()["error"]


def test_what_was_said_is_in_no_log(cloud: Cloud) -> None:
    send(cloud, {"text": "my-secret-words", "view": "?my-secret-view"})
    send(cloud, {"text": "my-secret-words", "view": "?my-secret-view", "my-secret-field": 1})
    client = stores.client(cloud.home, "logs")
    lines = [path.read_text() for path in cloud.home.logs.glob("*.log")]
    for group in client.describe_log_groups()["logGroups"]:
        events = client.filter_log_events(logGroupName=group["logGroupName"])["events"]
        lines += [event["message"] for event in events]
    logs = "".join(lines)
    assert "answered" in logs
    assert "my-secret" not in logs


def test_the_deployed_description_has_it(cloud: Cloud) -> None:
    paths = httpx.get(f"{cloud.api}/openapi.json", timeout=30).json()["paths"]
    assert set(paths["/v1/feedback"]) == {"get", "post"}
