"""Tokens that end before or while they are used: all say so, within the time that is promised, and sockets close."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from tests.cloud import Cloud
from tests.sockets import browser
from tests.trust import tell
from tidemark import tokens
from tidemark.adapters.secret_keys import SecretKeys
from tidemark.grants import Scope
from tidemark.keyring import FRESH_S, SETTLED_S, Key, Keys
from tidemark.local import stores
from ws_server.access import COOKIE
from ws_server.app import SWEEP_S

MARGIN_S = 6.0  # of a busy machine
WITHIN_S = FRESH_S + SWEEP_S + MARGIN_S


@pytest.fixture
def keys(cloud: Cloud) -> SecretKeys:
    return SecretKeys(stores.client(cloud.home, "secretsmanager"), stores.running(cloud.home)["TokenSecret"])


def mint(keys: Keys | str, scope: Scope = "read", **how: float) -> str:
    return tokens.mint(keys, scope, name="ends", lifetime=timedelta(**(how or {"hours": 1})))


def session_of(cloud: Cloud, token: str) -> str:
    """A session's cookie, opened by a link that was made with a token."""
    link = httpx.post(f"{cloud.live}/signin/codes", headers={"Authorization": f"Bearer {token}"}, timeout=20).json()
    answer = httpx.get(f"{cloud.live}{link['path']}", timeout=20)
    return answer.cookies[COOKIE]


def status(cloud: Cloud, token: str, path: str = "/v1/schema/sale") -> int:
    return cloud.get(path, token=token).status_code


def live_status(cloud: Cloud, token: str) -> int:
    return httpx.get(f"{cloud.live}/config", headers={"Authorization": f"Bearer {token}"}, timeout=20).status_code


def until(holds: Callable[[], bool], seconds: float) -> float:
    """After how many seconds it holds."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < seconds, f"not within {seconds} s"
        time.sleep(0.2)
    return time.monotonic() - began


@pytest.mark.long
def test_a_revoked_token_ends_everywhere_with_the_sessions_that_it_opened(cloud: Cloud, keys: SecretKeys) -> None:
    token, other = mint(keys.read()), mint(keys.read())
    session, others = session_of(cloud, token), session_of(cloud, other)
    with (
        browser(cloud.live, token) as machine,
        browser(cloud.live, session) as person,
        browser(cloud.live, others) as on,
    ):
        for client in (machine, person, on):
            client.join()
        assert (status(cloud, token), live_status(cloud, token), live_status(cloud, session)) == (200, 200, 200)
        began = time.monotonic()
        cloud.run("token", "revoke", token)
        machine.read_to_the_end()
        person.read_to_the_end()
        closed_s = time.monotonic() - began
        until(lambda: status(cloud, token) == 401, WITHIN_S)
        api_s = time.monotonic() - began
        assert (machine.closed, person.closed, on.closed) == (1000, 1000, None)
        assert (live_status(cloud, token), live_status(cloud, session)) == (401, 401)
        assert (live_status(cloud, others), status(cloud, other)) == (200, 200)
    assert closed_s < WITHIN_S
    assert tokens.verify(keys.read(), other).id not in cloud.run("token", "list").stdout
    tell("revocation", api_ms=round(api_s * 1000), live_ms=round(closed_s * 1000))


@pytest.mark.long
def test_a_key_that_ends_ends_what_it_signed_in_mid_connection(cloud: Cloud, keys: SecretKeys) -> None:
    ends = time.time() + FRESH_S + MARGIN_S
    going = Key(secrets.token_urlsafe(48), until=ends)
    keys.change(lambda before: Keys((*before.keys, going), before.revoked))
    token = mint(Keys((going,)))
    until(lambda: live_status(cloud, token) == 200 and status(cloud, token) == 200, FRESH_S + MARGIN_S)
    with browser(cloud.live, token) as client:
        client.join()
        client.read_to_the_end()
    assert client.closed == 1000
    assert ends <= time.time() < ends + SWEEP_S + MARGIN_S
    assert (status(cloud, token), live_status(cloud, token)) == (401, 401)


@pytest.mark.parametrize("by", ["token", "session"])
def test_a_connection_is_told_of_its_end_and_closed(cloud: Cloud, keys: SecretKeys, by: str) -> None:
    token = mint(keys.read(), seconds=5)
    ends = tokens.verify(keys.read(), token).expires_at
    held = token if by == "token" else session_of(cloud, token)  # which would have lasted for hours
    with browser(cloud.live, held) as client:
        client.join()
        client.read_to_the_end()
    assert client.closed == 1000
    assert ends <= time.time() < ends + SWEEP_S + MARGIN_S
    assert live_status(cloud, held) == 401
    if by == "token":
        assert status(cloud, token) == 401
    with browser(cloud.live, held) as late:
        late.read()
    assert late.accepted is False


@pytest.mark.long  # it waits until every process must know the new key
@pytest.mark.timeout(300)
def test_no_token_is_refused_while_the_key_is_changed(cloud: Cloud, keys: SecretKeys, tmp_path: Path) -> None:
    before = keys.read().signs.id
    old = cloud.tokens["read"]
    words, asked = tmp_path / "words", 0
    with words.open("w") as says:
        changing = cloud.start("token", "rotate", "--keep-days", "1", says=says)
        while changing.poll() is None:
            minted = mint(keys.read())  # by whatever signs at this moment
            assert (status(cloud, old), status(cloud, minted), live_status(cloud, minted)) == (200, 200, 200)
            asked += 3
            time.sleep(0.5)
    assert changing.returncode == 0, words.read_text()
    assert keys.read().signs.id != before
    new = cloud.home.state()
    for scope in ("read", "admin"):
        assert (status(cloud, new.tokens[scope]), status(cloud, cloud.tokens[scope])) == (200, 200)
    assert new.tokens["read"] != old
    assert httpx.get(new.endpoints["live"], follow_redirects=True, timeout=20).status_code == 200
    assert asked > SETTLED_S / 2
    tell("change of keys", requests=asked)
