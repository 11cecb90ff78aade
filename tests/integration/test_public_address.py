"""The live page behind a proxy that takes https for it, and with a provider that does not answer."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from http.cookies import SimpleCookie
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.cloud import Cloud, LiveServer
from tests.provider import CLIENT, SECRET, Provider
from tests.sockets import Browser
from tidemark.local.home import HOST, free_port
from tidemark.openid import CALLBACK

PUBLIC = "https://shop.example"


def cookies(answer: httpx.Response) -> SimpleCookie:
    found = SimpleCookie()
    for header in answer.headers.get_list("set-cookie"):
        found.load(header)
    return found


@pytest.fixture(scope="module")
def behind_https(cloud: Cloud) -> Iterator[tuple[LiveServer, Provider]]:
    """A page that is called by https, whose proxy speaks plain HTTP with it under another name."""
    provider = Provider(free_port(), PUBLIC + CALLBACK)
    given = {"oidc_issuer": provider.issuer, "oidc_client_id": CLIENT, "oidc_client_secret": SECRET}
    with provider.running(), cloud.another_live_page(public_url=PUBLIC, **given) as server:
        yield server, provider


def test_cookies_are_for_https_and_addresses_are_the_public_ones(behind_https: tuple[LiveServer, Provider]) -> None:
    server, provider = behind_https
    sent = httpx.get(f"{server.address}/signin/start", headers={"Host": "evil.example", "X-Forwarded-Host": "evil"})
    asked = parse_qs(urlsplit(sent.headers["location"]).query)
    assert asked["redirect_uri"] == [PUBLIC + CALLBACK]
    attempt = cookies(sent)["tidemark_signin"]
    assert (attempt["secure"], attempt["httponly"], attempt["samesite"]) == (True, True, "Lax")
    assert attempt["path"] == "/signin"
    back = urlsplit(provider.approve(sent.headers["location"]))
    answer = httpx.get(
        f"{server.address}{back.path}?{back.query}", cookies={"tidemark_signin": attempt.value}, headers={"Host": "x"}
    )
    assert answer.headers["location"] == "/"
    session = cookies(answer)["tidemark_session"]
    assert (session["secure"], session["httponly"], session["samesite"]) == (True, True, "Lax")


def test_a_link_opens_a_session_for_https_too(behind_https: tuple[LiveServer, Provider], cloud: Cloud) -> None:
    server, _ = behind_https
    assert cookies(httpx.get(cloud.sign_in_link(server.address)))["tidemark_session"]["secure"]


def test_posts_and_sockets_come_from_the_public_address_alone(
    behind_https: tuple[LiveServer, Provider], cloud: Cloud
) -> None:
    server, _ = behind_https
    held = {"Authorization": f"Bearer {cloud.tokens['read']}"}

    def posted(origin: str) -> int:
        headers = {**held, "Origin": origin}
        return httpx.post(f"{server.address}/v1/feedback", json={}, headers=headers, timeout=30).status_code

    def opened(origin: str) -> bool:
        browser = Browser(server.address, cloud.tokens["read"], Origin=origin)
        while browser.accepted is None and browser.read():
            pass
        browser.close()
        return bool(browser.accepted)

    assert posted(PUBLIC) == 400  # let through, and no feedback
    assert opened(PUBLIC)
    for foreign in (server.address, "http://shop.example", "https://shop.example:444", "https://evil.example", "null"):
        assert posted(foreign) == 403
        assert not opened(foreign)


def away(answer: httpx.Response) -> None:
    assert answer.status_code == 503
    assert "try again in a minute" in answer.text
    assert 'href="/signin/start"' in answer.text


def test_a_provider_that_is_not_there_is_a_plain_page(cloud: Cloud) -> None:
    given = {"oidc_client_id": CLIENT, "oidc_client_secret": SECRET, "public_url": PUBLIC}
    with cloud.another_live_page(oidc_issuer=f"http://{HOST}:{free_port()}", **given) as server:
        away(httpx.get(f"{server.address}/signin/start", timeout=20))
        assert httpx.get(f"{server.address}/").status_code == 401


def test_a_provider_that_says_nothing_holds_up_nobody(cloud: Cloud) -> None:
    listener = socket.create_server((HOST, 0))
    issuer = f"http://{HOST}:{listener.getsockname()[1]}"
    given = {"oidc_client_id": CLIENT, "oidc_client_secret": SECRET, "public_url": PUBLIC}
    with listener, cloud.another_live_page(oidc_issuer=issuer, **given) as server:
        answers: list[httpx.Response] = []

        def ask() -> None:
            answers.append(httpx.get(f"{server.address}/signin/start", timeout=20))

        threads = [threading.Thread(target=ask) for _ in range(5)]
        for thread in threads:
            thread.start()
        taken, _ = listener.accept()
        with taken:
            began = time.monotonic()
            assert httpx.get(f"{server.address}/healthz").status_code == 200
            assert time.monotonic() - began < 1
            for thread in threads:
                thread.join()
        assert time.monotonic() - began < 12
        assert len(answers) == 5
        for answer in answers:
            away(answer)
