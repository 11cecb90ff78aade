"""Who may do what: every route of the API and of the live page, and its socket, by every kind of token.

Two tables say it: `tidemark/access.py` of the API, `ws_server/needs.py` of the live page. A route that is missing from
its table fails the tests, and so does one that is there no more.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

import httpx
import jwt
import pytest
import socketio
from redis import Redis

from tests.cloud import Cloud
from tests.trust import tell
from tidemark import tokens
from tidemark.access import ROUTES, Need
from tidemark.adapters.secret_keys import SecretKeys
from tidemark.grants import SCOPES, Scope
from tidemark.keyring import FRESH_S, Key, Keyring, Keys
from tidemark.local import stores
from tidemark.local.supervisor import wait_until
from tidemark.settings import LivePageSettings
from ws_server.access import Access
from ws_server.app import LivePage
from ws_server.needs import EVENTS
from ws_server.needs import ROUTES as LIVE_ROUTES
from ws_server.routes import Routes

BAD = (
    *("none", "rubbish", "expired", "tampered", "of another secret", "unsigned", "without an end", "of no scope"),
    *("revoked", "of a key that ended", "of branches by an older form"),
)
BRANCH = "A"
PAGES = ("GET /", "GET /operations")
"""They ask whoever it is to sign in."""
OF_BRANCHES: dict[str, Scope] = {f"{scope} of branch {BRANCH}": scope for scope in ("ingest", "read")}


@pytest.fixture(scope="module")
def held(cloud: Cloud) -> dict[str, str]:
    """A token of each kind."""
    secret = SecretKeys(stores.client(cloud.home, "secretsmanager"), stores.running(cloud.home)["TokenSecret"])
    keys = secret.read()
    hour = timedelta(hours=1)
    good = {scope: tokens.mint(keys, scope, name="tried", lifetime=hour) for scope in SCOPES}
    theirs = {
        kind: tokens.mint(keys, scope, name="tried", lifetime=hour, branches=[BRANCH])
        for kind, scope in OF_BRANCHES.items()
    }
    claims = {"iss": tokens.ISSUER, "sub": "tried", "scope": "admin", "exp": 4_000_000_000}
    head, _, signature = good["read"].split(".")
    forged = jwt.encode({**claims}, "x" * 32, algorithm="HS256").split(".")[1]
    ended = Key("a key that was good until just now, once", until=time.time() - 1)
    taken_back = tokens.mint(keys, "admin", name="tried", lifetime=hour)

    def spoil(before: Keys) -> Keys:
        return Keys((*before.keys, ended), before.revoked).revoking(
            tokens.verify(keys, taken_back).id, time.time() + 3600
        )

    secret.change(spoil)
    bad = {
        "none": "",
        "rubbish": "rubbish",
        "expired": tokens.mint(keys, "admin", name="tried", lifetime=-hour),
        "tampered": f"{head}.{forged}.{signature}",
        "of another secret": tokens.mint("another secret, of thirty-two bytes", "admin", name="tried", lifetime=hour),
        "unsigned": jwt.encode(claims, "", algorithm="none"),
        "without an end": signed(keys, {**claims, "exp": None}),
        "of no scope": signed(keys, {**claims, "scope": "everything"}),
        "revoked": taken_back,
        "of a key that ended": tokens.mint(Keys((ended,)), "admin", name="tried", lifetime=hour),
        "of branches by an older form": signed(keys, {**claims, "branches": [BRANCH]}),
    }
    assert set(bad) == set(BAD)
    wait_until(lambda: refused(cloud, taken_back), "every process knows what was revoked", seconds=3 * FRESH_S)
    return {**{str(scope): token for scope, token in good.items()}, **theirs, **bad}


def signed(keys: Keys, claims: dict[str, Any]) -> str:
    """By the key that signs, whatever is in it."""
    return jwt.encode(claims, keys.signs.secret, algorithm="HS256", headers={"kid": keys.signs.id})


def refused(cloud: Cloud, token: str) -> bool:
    """By the API and by the live page."""
    headers = {"Authorization": f"Bearer {token}"}
    places = (f"{cloud.api}/v1/schema/sale", f"{cloud.live}/config")
    return all(httpx.get(place, headers=headers, timeout=60).status_code == 401 for place in places)


def test_the_table_has_every_route_of_the_api(cloud: Cloud) -> None:
    described = httpx.get(f"{cloud.api}/openapi.json", timeout=30).json()["paths"]
    found = {f"{method.upper()} {path}" for path, methods in described.items() for method in methods}
    assert found | {"GET /docs", "GET /openapi.json"} == set(ROUTES)


def test_the_table_has_every_route_and_event_of_the_live_page() -> None:
    chosen = LivePageSettings(
        ledger_table="t",
        cells_table="t",
        history_table="t",
        quarantine_table="t",
        token_secret="t",
        public_url="https://sales.example.com",
        api_url="https://api.example.com",
        oidc_issuer="https://people.example.com",
        oidc_client_id="t",
        oidc_client_secret="t",
    )
    page = LivePage(chosen, Access(Keyring(lambda: "a secret of the tests, of thirty-two bytes"), Redis()))
    Routes(page)
    found = {
        f"{method} {rule.rule}"
        for rule in page.flask.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert found == set(LIVE_ROUTES)
    sockets: Any = page.sockets
    assert set(sockets.server.handlers["/"]) == set(EVENTS)


LIVE_NEEDS = {
    route: Need(None, "none") if need == "anybody" else Need(need, "refused")
    for route, need in LIVE_ROUTES.items()
    if need != "signing in"
}


def path_of(route: str) -> tuple[str, str]:
    """Method and path of a route, something in each place of its path."""
    method, path = route.split(" ", 1)
    path = path.replace("<any(kpis, sales):what>", "kpis").replace("<any(feedback, verdicts):what>", "feedback")
    return method, re.sub(r"\{[^}]*\}|<[^>]*>", "x", path)


def expected(route: str, need: Need, kind: str) -> tuple[bool, int]:
    """Whether the route lets in who holds a token of this kind, and the status with which it refuses."""
    scope = OF_BRANCHES.get(kind, kind)
    lets_in = need.scope is None or scope in (need.scope, "admin")
    if kind in OF_BRANCHES and need.of_branches == "refused":
        lets_in = False
    return lets_in, 401 if kind in BAD or route in PAGES else 403


def tried(base: str, needs: dict[str, Need], held: dict[str, str], kinds: Callable[[int], Iterable[str]]) -> int:
    """Asks each route with tokens of some kinds, by the route's number; returns how often."""
    wrong, count = [], 0
    with httpx.Client(base_url=base, timeout=60) as client:
        for number, (route, need) in enumerate(needs.items()):
            method, path = path_of(route)
            for kind in kinds(number):
                count += 1
                headers = {"Authorization": f"Bearer {held[kind]}"} if held[kind] else {}
                answer = client.request(method, path, headers=headers, json={} if method == "POST" else None)
                status, (lets_in, refusal) = answer.status_code, expected(route, need, kind)
                fits = status not in (401, 403) if lets_in else status == refusal
                if not fits or (status >= 500 and status != 503):
                    wrong.append(f"{route} ({need}) with a token {kind}: {status}")
                if not lets_in and "cells" in answer.text:
                    wrong.append(f"{route} shows something to a token {kind}")
    assert not wrong
    return count


# An authorizer that refuses by raising, as API Gateway wants it, is begun anew each time by the emulator.
@pytest.mark.parametrize("where", [pytest.param("api", marks=[pytest.mark.long, pytest.mark.timeout(900)]), "live"])
def test_each_route_lets_in_whom_it_should_and_nobody_else(cloud: Cloud, held: dict[str, str], where: str) -> None:
    needs = {"api": ROUTES, "live": LIVE_NEEDS}[where]
    count = tried(getattr(cloud, where), needs, held, lambda _: held)
    tell(f"access to the {where}", routes=len(needs), requests=count)


def test_each_route_of_the_api_knows_the_scopes_and_each_bad_token_is_refused(
    cloud: Cloud, held: dict[str, str]
) -> None:
    """What the long test does of every pair."""
    tried(cloud.api, ROUTES, held, lambda number: (*SCOPES, *OF_BRANCHES, *BAD[number : number + 1]))


@pytest.mark.parametrize("kind", [*BAD, *OF_BRANCHES, "ingest"])
def test_no_socket_is_opened(cloud: Cloud, held: dict[str, str], kind: str) -> None:
    headers = {"Authorization": f"Bearer {held[kind]}"} if held[kind] else {}
    with pytest.raises((socketio.exceptions.ConnectionError, ValueError)):  # it chokes on a plain HTTP refusal
        socketio.SimpleClient().connect(cloud.live, headers=headers, transports=["websocket"])


@pytest.mark.parametrize("kind", ["read", "admin"])
def test_a_socket_is_opened(cloud: Cloud, held: dict[str, str], kind: str) -> None:
    client = socketio.SimpleClient()
    client.connect(cloud.live, headers={"Authorization": f"Bearer {held[kind]}"}, transports=["websocket"])
    client.disconnect()
