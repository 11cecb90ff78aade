"""Who may do what: every route of the API and of the live page, and its socket, by every kind of token.

One table says it. A route that is missing from the table fails the tests, and so does one that is there no more.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
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
from tidemark.local import stores
from tidemark.settings import LivePageSettings
from ws_server.access import Access
from ws_server.app import LivePage
from ws_server.routes import Routes

ANYBODY, READ, INGEST, ADMIN = "anybody", "read", "ingest", "admin"
API = {
    **dict.fromkeys(("GET /healthz", "GET /docs", "GET /openapi.json"), ANYBODY),
    "POST /v1/sales": INGEST,
    **dict.fromkeys(("GET /v1/feedback", "POST /v1/operations/redrive"), ADMIN),
    **dict.fromkeys(("POST /v1/feedback", "POST /v1/verdicts", "POST /v1/housing/predict"), READ),
    **dict.fromkeys(
        (
            "GET /v1/kpis",
            "GET /v1/cells",
            "GET /v1/snapshot",
            "GET /v1/sales",
            "GET /v1/sales/{invoice_id}",
            "GET /v1/schema/sale",
            "GET /v1/models/sales",
            "GET /v1/models/sales/card",
            "GET /v1/forecast",
            "GET /v1/forecast/card",
            "GET /v1/operations",
            "GET /v1/flows",
            "GET /v1/flows/{flow}/runs",
            "GET /v1/flows/{flow}/runs/{run}",
            "GET /v1/flows/{flow}/runs/{run}/report.md",
            "GET /v1/flows/{flow}/runs/{run}/logs",
            "GET /v1/flows/{flow}/runs/{run}/files",
            "GET /v1/flows/{flow}/runs/{run}/files/{name}",
            "GET /v1/housing/summary",
            "GET /v1/housing/eda",
            "GET /v1/housing/eda/{name}",
            "GET /v1/housing/batches",
            "GET /v1/housing/metrics",
            "GET /v1/housing/models",
        ),
        READ,
    ),
}
SIGNING_IN = "signing in"
"""Shows its own page to whoever is not signed in, and nothing else."""
LIVE = {
    **dict.fromkeys(("GET /healthz", "GET /assets/<name>"), ANYBODY),
    **dict.fromkeys(("GET /signin", "GET /signin/start", "GET /signin/callback", "GET /signout"), SIGNING_IN),
    **dict.fromkeys(
        (
            "GET /",
            "GET /operations",
            "GET /operations/figures",
            "GET /config",
            "GET /metrics",
            "GET /snapshot",
            "GET /v1/<any(kpis, sales):what>",
            "GET /v1/sales/<path:invoice>",
            "GET /v1/models/sales",
            "GET /v1/forecast",
            "GET /v1/operations",
            "GET /v1/flows",
            "POST /v1/<any(feedback, verdicts):what>",
            "POST /signin/codes",
        ),
        READ,
    ),
    "POST /v1/operations/redrive": ADMIN,
}
EVENTS = {"connect", "disconnect", "clock"}  # within a socket, which is refused before anything is made for it

BAD = ("none", "rubbish", "expired", "tampered", "of another secret", "unsigned", "without an end", "of no scope")


@pytest.fixture(scope="module")
def held(cloud: Cloud) -> dict[str, str]:
    """A token of each kind."""
    secret = stores.token_secret(cloud.home, stores.running(cloud.home))
    hour = timedelta(hours=1)
    good = {scope: tokens.mint(secret, scope, name="tried", lifetime=hour) for scope in tokens.SCOPES}
    claims = {"iss": tokens.ISSUER, "sub": "tried", "scope": "admin", "exp": 4_000_000_000}
    head, _, signature = good["read"].split(".")
    forged = jwt.encode({**claims}, "x" * 32, algorithm="HS256").split(".")[1]
    return {
        **{str(scope): token for scope, token in good.items()},
        "none": "",
        "rubbish": "rubbish",
        "expired": tokens.mint(secret, "admin", name="tried", lifetime=-hour),
        "tampered": f"{head}.{forged}.{signature}",
        "of another secret": tokens.mint("another secret, of thirty-two bytes", "admin", name="tried", lifetime=hour),
        "unsigned": jwt.encode(claims, "", algorithm="none"),
        "without an end": jwt.encode({**claims, "exp": None}, secret, algorithm="HS256"),
        "of no scope": jwt.encode({**claims, "scope": "everything"}, secret, algorithm="HS256"),
    }


def test_the_table_has_every_route_of_the_api(cloud: Cloud) -> None:
    described = httpx.get(f"{cloud.api}/openapi.json", timeout=30).json()["paths"]
    found = {f"{method.upper()} {path}" for path, methods in described.items() for method in methods}
    assert found | {"GET /docs", "GET /openapi.json"} == set(API)


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
    page = LivePage(chosen, Access("a secret of the tests, of thirty-two bytes", Redis()))
    Routes(page)
    found = {
        f"{method} {rule.rule}"
        for rule in page.flask.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert found == set(LIVE)
    sockets: Any = page.sockets
    assert set(sockets.server.handlers["/"]) == EVENTS


def asked(table: dict[str, str]) -> Iterator[tuple[str, str, str]]:
    """Method, path and need of each route, something in each place of its path."""
    for route, need in table.items():
        method, path = route.split(" ", 1)
        path = path.replace("<any(kpis, sales):what>", "kpis").replace("<any(feedback, verdicts):what>", "feedback")
        yield method, re.sub(r"\{[^}]*\}|<[^>]*>", "x", path), need


def answers(base: str, table: dict[str, str], held: dict[str, str]) -> Iterator[tuple[str, str, str, int, str]]:
    """Of every route and every token: route, need, token, status, text."""
    with httpx.Client(base_url=base, timeout=60) as client:
        for method, path, need in asked(table):
            for kind, token in held.items():
                headers = {"Authorization": f"Bearer {token}"} if token else {}
                answer = client.request(method, path, headers=headers, json={} if method == "POST" else None)
                yield f"{method} {path}", need, kind, answer.status_code, answer.text


# An authorizer that refuses by raising, as API Gateway wants it, is begun anew each time by the emulator.
@pytest.mark.parametrize("where", [pytest.param("api", marks=[pytest.mark.long, pytest.mark.timeout(900)]), "live"])
def test_each_route_lets_in_whom_it_should_and_nobody_else(cloud: Cloud, held: dict[str, str], where: str) -> None:
    table = {"api": API, "live": {route: need for route, need in LIVE.items() if need != SIGNING_IN}}[where]
    wrong, count = [], 0
    for route, need, kind, status, text in answers(getattr(cloud, where), table, held):
        count += 1
        lets_in = need == ANYBODY or kind in (need, "admin")
        refused = (
            401 if kind in BAD or route in ("GET /", "GET /operations") else 403
        )  # the page itself asks whoever it is to sign in
        expected = status not in (401, 403) if lets_in else status == refused
        if not expected or (status >= 500 and status != 503):
            wrong.append(f"{route} ({need}) with a token {kind}: {status}")
        if not lets_in and "cells" in text:
            wrong.append(f"{route} shows something to a token {kind}")
    assert not wrong
    tell(f"access to the {where}", routes=len(table), requests=count)


@pytest.mark.parametrize("kind", [*BAD, "ingest"])
def test_no_socket_is_opened(cloud: Cloud, held: dict[str, str], kind: str) -> None:
    headers = {"Authorization": f"Bearer {held[kind]}"} if held[kind] else {}
    with pytest.raises((socketio.exceptions.ConnectionError, ValueError)):  # it chokes on a plain HTTP refusal
        socketio.SimpleClient().connect(cloud.live, headers=headers, transports=["websocket"])


@pytest.mark.parametrize("kind", ["read", "admin"])
def test_a_socket_is_opened(cloud: Cloud, held: dict[str, str], kind: str) -> None:
    client = socketio.SimpleClient()
    client.connect(cloud.live, headers={"Authorization": f"Bearer {held[kind]}"}, transports=["websocket"])
    client.disconnect()
