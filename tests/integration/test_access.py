"""Who may see the live page."""

from __future__ import annotations

import httpx
import pytest
import socketio

from tests.cloud import Cloud


def browser(cloud: Cloud) -> httpx.Client:
    return httpx.Client(base_url=cloud.live, follow_redirects=True, timeout=20)


@pytest.mark.parametrize("path", ["/", "/config", "/snapshot", "/v1/kpis"])
def test_nothing_is_shown_to_strangers(cloud: Cloud, path: str) -> None:
    with browser(cloud) as stranger:
        answer = stranger.get(path)
    assert answer.status_code == 401
    assert "cells" not in answer.text


def test_a_link_signs_in_once(cloud: Cloud) -> None:
    link = cloud.sign_in_link()
    with browser(cloud) as first, browser(cloud) as second:
        assert first.get(link).status_code == 200
        assert first.get("/snapshot").status_code == 200
        assert second.get(link).status_code == 401
        assert "this link has been used" in second.get(link).text
        assert first.get(link).status_code == 200  # who is in may reload it


def test_the_link_in_the_state_file_is_fresh_after_it_was_used(cloud: Cloud) -> None:
    link = cloud.home.state().endpoints["live"]
    with browser(cloud) as first, browser(cloud) as second:
        assert first.get(link).status_code == 200
        assert cloud.home.state().endpoints["live"] != link
        assert second.get(cloud.home.state().endpoints["live"]).status_code == 200


def test_a_code_is_no_session_and_a_session_no_code(cloud: Cloud) -> None:
    code = cloud.sign_in_link().split("code=")[1]
    with browser(cloud) as anybody:
        assert anybody.get("/snapshot", headers={"Authorization": f"Bearer {code}"}).status_code == 401
        assert anybody.get(f"/signin?code={cloud.tokens['read']}").status_code == 401
        assert anybody.get("/snapshot", headers={"Authorization": f"Bearer {cloud.tokens['read']}"}).status_code == 200
        assert (
            anybody.get("/snapshot", headers={"Authorization": f"Bearer {cloud.tokens['ingest']}"}).status_code == 403
        )


@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": "Bearer nonsense"}, {"Origin": "https://elsewhere.example"}], ids=str
)
def test_a_socket_is_opened_for_those_signed_in_at_this_origin(cloud: Cloud, headers: dict[str, str]) -> None:
    good = {"Authorization": f"Bearer {cloud.tokens['read']}"}
    client = socketio.SimpleClient()
    client.connect(cloud.live, headers=good, transports=["websocket"])
    assert client.connected
    client.disconnect()
    refused = (socketio.exceptions.ConnectionError, ValueError)  # the client chokes on a plain HTTP refusal
    with pytest.raises(refused):
        socketio.SimpleClient().connect(
            cloud.live, headers=headers if "Origin" not in headers else good | headers, transports=["websocket"]
        )


def test_pages_forbid_foreign_content(cloud: Cloud) -> None:
    with browser(cloud) as first:
        headers = first.get(cloud.sign_in_link()).headers
    assert "default-src 'self'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
