"""Who may do what of the API, in one process: every route by every kind of caller, and nothing of another branch."""

from __future__ import annotations

import asyncio
import json
import re
import time
from typing import Any

import httpx
import pytest
from fastapi import APIRouter

from functions.api import models, operations, pipelines
from functions.api.app import create_app
from functions.api.results import Results
from tests.counted import counters
from tests.samples import PSEUDONYMS, body, sale
from tidemark.access import METHODS, ROUTES, Need, only, told
from tidemark.adapters.memory import MemoryFeedback, MemoryLedger, MemoryStream
from tidemark.adapters.memory_runs import MemoryObjects, MemoryRuns
from tidemark.dead_letters import Redrive
from tidemark.grants import SCOPES, Branches, Grant, Scope
from tidemark.ingest import Ingest
from tidemark.sale import Rejection, Sale, decode
from tidemark.scoring import RulesOnly
from tidemark.store import Store
from tidemark.writer import Clock

OTHERS = {"POST /v1/sales", "POST /v1/housing/predict", "GET /docs", "GET /openapi.json"}
"""Answered by other Lambdas, or described by nobody."""
DAY = "from=2019-01-05&to=2019-01-06"
CALLERS: list[tuple[Scope, Branches]] = [
    *((scope, None) for scope in SCOPES),
    *((scope, frozenset({"A"})) for scope in ("ingest", "read")),
]


class Behind:
    """The API over two branches' sales: `a-1` and `a-2` of A, `b-1` of B. An id of A came again from B."""

    def __init__(self) -> None:
        self.runs, objects, ledger = MemoryRuns(), MemoryObjects(), MemoryLedger()
        results = Results(self.runs, objects)
        self.app = create_app(
            *(Store(), ledger, counters(ledger), MemoryFeedback(), self.now_ms),
            pipelines.routes(results, self.now_ms),
            models.routes(self.runs, objects, results, ledger),
            operations.routes(Redrive({})),
        )
        self.ingest = Ingest(Store(), RulesOnly(), ledger, MemoryStream(), PSEUDONYMS)
        self.post(sale("a-1"), sale("a-2", quantity=2, tax=None, total=None), sale("b-1", branch="B"))
        self.post(sale("a-1", branch="B", quantity=3, tax=None, total=None))

    @staticmethod
    def now_ms() -> int:
        return time.time_ns() // 1_000_000

    def post(self, *rows: dict[str, Any], branches: Branches = None) -> list[Any]:
        clock = Clock(now_ms=self.now_ms, sleep=lambda _: None, remaining=lambda: 10.0)
        return self.ingest.post(body(*rows), clock, branches).answer.results

    def ask(
        self, route: str, scope: Scope = "read", branches: Branches = None, ends_s: float = 60, content: object = None
    ) -> httpx.Response:
        """As API Gateway hands it on, with what the authorizer said of a grant."""
        method, path = route.split(" ", 1)
        grant = Grant("tried", scope, time.time() + ends_s, branches)
        event = {"requestContext": {"authorizer": {"principalId": "tried", **told(grant)}}}

        async def app(asked: Any, receive: Any, send: Any) -> None:
            await self.app({**asked, "aws.event": event}, receive, send)

        async def answer() -> httpx.Response:
            transport = httpx.ASGITransport(app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
                return await client.request(method, path, json=content)

        return asyncio.run(answer())


@pytest.fixture(scope="module")
def behind() -> Behind:
    return Behind()


def test_the_table_has_every_route(behind: Behind) -> None:
    described = behind.app.openapi()["paths"]
    found = {f"{method.upper()} {path}" for path, methods in described.items() for method in methods}
    assert found | OTHERS == set(ROUTES)


def test_a_route_that_is_not_in_the_table_is_nobody_s() -> None:
    more = APIRouter()
    more.add_api_route("/v1/forgotten", lambda: {"cells": 1}, methods=["GET"])
    behind = Behind()
    behind.app.include_router(more)
    for scope in SCOPES:
        answer = behind.ask("GET /v1/forgotten", scope)
        assert (answer.status_code, "cells" in answer.text) == (403, False)


def test_what_the_authorizer_lets_through_is_all_that_the_table_allows() -> None:
    for route, need in ROUTES.items():
        path = re.sub(r"\{[^}]*\}", "x", route.replace(" ", ""))
        for scope in SCOPES if need.scope else ():
            passes = any(re.fullmatch(allowed.replace("*", ".*"), path) for allowed in METHODS[scope])
            assert passes or scope not in (need.scope, "admin"), (route, scope)
            # A pattern may let more through than the table: the route itself then refuses.
            assert not passes or scope in (need.scope, "admin") or path.startswith("GET/v1/"), (route, scope)


@pytest.mark.parametrize(("scope", "branches"), CALLERS)
def test_each_route_answers_whom_it_should(behind: Behind, scope: Scope, branches: Branches) -> None:
    for route, need in ROUTES.items():
        if route in OTHERS:
            continue
        answer = behind.ask(re.sub(r"\{[^}]*\}", "x", route), scope, branches, content={} if "POST" in route else None)
        lets_in = _lets_in(need, scope, branches)
        assert (answer.status_code != 403) is lets_in, (route, scope, branches, answer.text)
        late = behind.ask(re.sub(r"\{[^}]*\}", "x", route), scope, branches, ends_s=-1)
        assert late.status_code == 401, route


def _lets_in(need: Need, scope: Scope, branches: Branches) -> bool:
    if need.scope is None:
        return True
    return scope in (need.scope, "admin") and (branches is None or need.of_branches != "refused")


A, B, BOTH = frozenset({"A"}), frozenset({"B"}), frozenset({"A", "B"})


@pytest.mark.parametrize(("branches", "tickets"), [(None, 3), (A, 2), (B, 1), (BOTH, 3), (frozenset({"C"}), 0)])
def test_a_branch_s_counters_are_its_own(behind: Behind, branches: Branches, tickets: int) -> None:
    assert behind.ask("GET /v1/kpis", branches=branches).json()["tickets"] == tickets
    cells = behind.ask(f"GET /v1/cells?{DAY}", branches=branches).json()["cells"]
    assert {cell["branch"] for cell in cells} <= (branches or BOTH)
    assert bool(cells) == bool(tickets)


@pytest.mark.parametrize("branch", ["B", "nowhere"])
def test_asking_for_another_branch_is_refused_whether_it_is_there_or_not(behind: Behind, branch: str) -> None:
    for route in (
        f"GET /v1/kpis?branch={branch}",
        f"GET /v1/kpis?branch=A&branch={branch}",
        f"GET /v1/sales?branch={branch}&{DAY}",
    ):
        answer = behind.ask(route, branches=A)
        assert (answer.status_code, answer.json()) == (403, {"error": "this token is of branch A only"})


def test_another_branch_s_sale_is_as_one_that_is_not_there(behind: Behind) -> None:
    hidden, missing = (behind.ask(f"GET /v1/sales/{name}", branches=A) for name in ("b-1", "b-2"))
    assert (hidden.status_code, hidden.text.replace("b-1", "b-2")) == (404, missing.text)
    assert behind.ask("GET /v1/sales/b-1", branches=B).status_code == 200


def test_what_came_from_another_branch_under_an_id_is_not_shown(behind: Behind) -> None:
    assert len(behind.ask("GET /v1/sales/a-1").json()["conflicts"]) == 1
    assert behind.ask("GET /v1/sales/a-1", branches=A).json()["conflicts"] == []


def test_verdicts_are_of_own_sales(behind: Behind) -> None:
    said = {"verdicts": [{"invoice_id": name, "anomaly": True} for name in ("a-1", "b-1", "b-2")]}
    answer = behind.ask("POST /v1/verdicts", branches=A, content=said)
    assert answer.json() == {"kept": 1, "unknown": ["b-1", "b-2"]}


def test_a_till_of_one_branch_posts_sales_of_no_other() -> None:
    behind = Behind()
    results = behind.post(sale("a-9"), sale("b-9", branch="B"), sale("a-8", branch="a"), branches=A)
    assert [(result.invoice_id, result.status) for result in results] == [
        ("a-9", "accepted"), ("b-9", "rejected"), ("a-8", "rejected"),
    ]  # fmt: skip
    assert results[1].reason == "branch: this token is of branch A only"
    assert behind.ask("GET /v1/kpis", branches=B).json()["tickets"] == 1


def test_a_row_that_is_wrong_anyway_keeps_its_own_reason() -> None:
    rows = only(decode(json.dumps({"sales": [sale(quantity=0), sale(branch="B")]}).encode()), A)
    assert [type(row) for row in rows] == [Rejection, Rejection]
    assert "quantity" in str(rows[0])
    assert all(isinstance(row, Sale) for row in only(decode(body(sale(), sale(branch="B"))), None))
