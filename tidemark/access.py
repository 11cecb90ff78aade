"""Who may call what of the REST API: what each scope of a token allows, what is anybody's, and what a token of some
branches is shown. A route that is not here is nobody's (`docs/access.md` is written from this)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

import msgspec

from tidemark.errors import Forbidden, Unauthorized
from tidemark.grants import Branches, Grant, Scope, named
from tidemark.sale import Rejection, Row, Sale

PUBLIC_PATHS = ("/healthz", "/docs", "/openapi.json")
METHODS: dict[Scope, tuple[str, ...]] = {
    "ingest": ("POST/v1/sales",),
    "read": ("GET/v1/*", "POST/v1/feedback", "POST/v1/verdicts", "POST/v1/housing/predict"),
    "admin": ("POST/v1/*", "GET/v1/*"),
}
"""What the authorizer lets each scope through to; within it, the routes ask for what `ROUTES` says."""

OfBranches = Literal["none", "theirs", "refused"]
"""What a token of some branches may do with a route: it shows nothing of any branch (`none`), it takes or shows sales
of the token's branches only (`theirs`), or it is refused, since it shows all branches together."""


class Need(NamedTuple):
    """What a route asks of whoever calls it; `scope` None: nothing, it is anybody's."""

    scope: Scope | None
    of_branches: OfBranches


ROUTES: dict[str, Need] = {
    **dict.fromkeys(("GET /healthz", "GET /docs", "GET /openapi.json"), Need(None, "none")),
    "POST /v1/sales": Need("ingest", "theirs"),
    "GET /v1/kpis": Need("read", "theirs"),
    "GET /v1/cells": Need("read", "theirs"),
    "GET /v1/snapshot": Need("read", "refused"),  # where its pages go on is told by cells of any branch
    "GET /v1/sales": Need("read", "theirs"),
    "GET /v1/sales/{invoice_id}": Need("read", "theirs"),
    "GET /v1/schema/sale": Need("read", "none"),
    "POST /v1/feedback": Need("read", "none"),
    "GET /v1/feedback": Need("admin", "refused"),
    "POST /v1/verdicts": Need("read", "theirs"),
    "POST /v1/housing/predict": Need("read", "none"),
    "GET /v1/housing/summary": Need("read", "none"),
    "GET /v1/housing/eda": Need("read", "none"),
    "GET /v1/housing/eda/{name}": Need("read", "none"),
    "GET /v1/housing/batches": Need("read", "none"),
    "GET /v1/housing/metrics": Need("read", "none"),
    "GET /v1/housing/models": Need("read", "none"),
    "GET /v1/operations": Need("read", "none"),
    "POST /v1/operations/redrive": Need("admin", "refused"),
    # What is learnt of all branches' sales, and found about them.
    "GET /v1/models/sales": Need("read", "refused"),
    "GET /v1/models/sales/card": Need("read", "refused"),
    "GET /v1/forecast": Need("read", "refused"),
    "GET /v1/forecast/card": Need("read", "refused"),
    "GET /v1/flows": Need("read", "refused"),
    "GET /v1/flows/{flow}/runs": Need("read", "refused"),
    "GET /v1/flows/{flow}/runs/{run}": Need("read", "refused"),
    "GET /v1/flows/{flow}/runs/{run}/report.md": Need("read", "refused"),
    "GET /v1/flows/{flow}/runs/{run}/logs": Need("read", "refused"),
    "GET /v1/flows/{flow}/runs/{run}/files": Need("read", "refused"),
    "GET /v1/flows/{flow}/runs/{run}/files/{name}": Need("read", "refused"),
}
"""By method and path, as the API's description has them."""


class Caller(msgspec.Struct, frozen=True):
    """Who asks, as the authorizer says; all None where nobody was asked."""

    name: str | None = None
    scope: str | None = None
    branches: Branches = None
    ends_s: float | None = None


def told(grant: Grant) -> dict[str, str]:
    """What the authorizer says of who asks: API Gateway hands on text only."""
    branches = {} if grant.branches is None else {"branches": json.dumps(sorted(grant.branches))}
    return {"scope": grant.scope, "ends": f"{grant.expires_at:.0f}", "token": grant.id, **branches}


def caller_of(event: Mapping[str, Any], now_s: float) -> Caller:
    """Who asks, by what the authorizer said. Raises Unauthorized where the token ended since: API Gateway keeps for a
    while what the authorizer said."""
    said = (event.get("requestContext") or {}).get("authorizer") or {}
    branches = frozenset(json.loads(said["branches"])) if "branches" in said else None
    ends = float(said["ends"]) if "ends" in said else None
    if ends is not None and ends <= now_s:
        raise Unauthorized("this token has expired")
    return Caller(said.get("principalId"), said.get("scope"), branches, ends)


def allow(caller: Caller, method: str, path: str) -> None:
    """Raises Forbidden where a route is not for who asks. `path`: as the route declares it."""
    route = f"{method} {re.sub(r':[^}]*', '', path)}"
    need = ROUTES.get(route)
    if need is None:
        raise Forbidden(f"nobody is known to need {route}")
    if need.scope and caller.scope not in (need.scope, "admin"):
        raise Forbidden(f"this token may {caller.scope or 'do nothing here'}; {need.scope} is needed")
    if need.of_branches == "refused" and caller.branches is not None:
        raise Forbidden(f"this token is of {named(caller.branches)} only, and this shows all branches")


def may_see(branch: str, branches: Branches) -> bool:
    """Whether a branch is among those somebody may see."""
    return branches is None or branch in branches


def chosen(asked: Branches, branches: Branches) -> Branches:
    """The branches that are shown to who asks for some, or for all. Raises Forbidden where one is not theirs, whether
    there is such a branch or not."""
    if branches is None:
        return asked
    if asked is not None and not asked <= branches:
        raise Forbidden(f"this token is of {named(branches)} only")
    return branches if asked is None else asked


def only(rows: list[Row], branches: Branches) -> list[Row]:
    """The rows, with those of other branches than somebody may post rejected."""
    if branches is None:
        return rows
    reason = f"branch: this token is of {named(branches)} only"
    return [
        Rejection(row.invoice_id, reason) if isinstance(row, Sale) and row.branch not in branches else row
        for row in rows
    ]
