"""A socket is opened, and something posted, from the page's own address alone: scheme, host and port, to the letter."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.cloud import Cloud
from tests.sockets import browser
from ws_server.access import COOKIE

PUBLIC = "https://sales.example.com"
TRICKS = (
    "null",
    "https://elsewhere.example",
    "{scheme}://{host}.elsewhere.example",
    "{scheme}://elsewhere.example.{host}",
    "{scheme}://elsewhere{host}",
    "{scheme}://{host}@elsewhere.example",
    "{scheme}://elsewhere.example/{host}",
    "{scheme}://elsewhere.example?{scheme}://{host}",
    "{scheme}://{host}/",
    "{scheme}://{host}/page",
    "{scheme}://{host}.",
    "{scheme}://{host}%00",
    "{scheme}://{host} {scheme}://elsewhere.example",
    "{other}://{host}",
    "{scheme}://{host}1",
    "{scheme}://{bare}:1",
    "{scheme}:{host}",
    "//{host}",
    "{host}",
    "file://",
    "*",
)


def tricks(origin: str) -> list[str]:
    scheme, host = origin.split("://")
    other = {"http": "https", "https": "http"}[scheme]
    parts = {"scheme": scheme, "host": host, "other": other, "bare": host.split(":")[0]}
    return [trick.format(**parts) for trick in TRICKS]


def opens(address: str, token: str, **headers: Any) -> bool:
    with browser(address, token, **headers) as client:
        while client.accepted is None and client.read():
            continue
        if not client.accepted:
            return False
        client.say("40")
        while client.read():
            if any(text.startswith("40") for text in client.said):
                return True
    return False


def test_by_its_own_address(cloud: Cloud) -> None:
    token = cloud.tokens["read"]
    assert opens(cloud.live, token, Origin=cloud.live)
    assert [origin for origin in tricks(cloud.live) if opens(cloud.live, token, Origin=origin)] == []
    assert not opens(cloud.live, token, Origin="https://a.example", X_Forwarded_Host="a.example")
    posted(cloud.live, token, cloud.live)


def test_by_the_address_that_is_set(cloud: Cloud) -> None:
    token = cloud.tokens["read"]
    with cloud.another_live_page(public_url=PUBLIC) as server:
        assert opens(server.address, token, Origin=PUBLIC)
        assert [origin for origin in tricks(PUBLIC) if opens(server.address, token, Origin=origin)] == []
        assert not opens(server.address, token, Origin=server.address)  # where it listens is nobody's address of it
        posted(server.address, token, PUBLIC)


def posted(address: str, token: str, origin: str) -> None:
    """What a page posts is taken from this address alone."""
    cookie = {COOKIE: token}
    with httpx.Client(base_url=address, cookies=cookie, timeout=60) as client:
        said = {"text": "fine", "view": ""}
        for other in tricks(origin):
            assert client.post("/v1/feedback", json=said, headers={"Origin": other}).status_code == 403, other
        assert client.post("/v1/feedback", json=said, headers={"Origin": origin}).status_code == 201


@pytest.mark.parametrize("origin", ["https://elsewhere.example", "null"])
def test_no_answer_lets_another_page_read_it(cloud: Cloud, origin: str) -> None:
    for path in ("/", "/snapshot", "/config", "/healthz"):
        answer = httpx.get(
            f"{cloud.live}{path}",
            headers={"Authorization": f"Bearer {cloud.tokens['read']}", "Origin": origin},
            timeout=60,
        )
        assert "access-control-allow-origin" not in answer.headers
