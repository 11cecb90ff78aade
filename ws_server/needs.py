"""Who may call what of the live page: its routes, and what may be said in its socket."""

from __future__ import annotations

from typing import Literal

Need = Literal["anybody", "signing in", "read", "admin"]
"""`signing in`: shows its own page to whoever is not signed in, and nothing else. `read`: a session, or a token that
may read, of all branches: what the page is told is the same for all. `admin`: an
admin's token of its own, beside whatever session there is."""

ROUTES: dict[str, Need] = {
    "GET /healthz": "anybody",
    "GET /assets/<name>": "anybody",
    "GET /signin": "signing in",
    "GET /signin/start": "signing in",
    "GET /signin/callback": "signing in",
    "GET /signout": "signing in",
    "GET /": "read",
    "GET /operations": "read",
    "GET /operations/figures": "read",
    "GET /config": "read",
    "GET /metrics": "read",
    "GET /snapshot": "read",
    "GET /v1/<any(kpis, sales):what>": "read",
    "GET /v1/sales/<path:invoice>": "read",
    "GET /v1/models/sales": "read",
    "GET /v1/forecast": "read",
    "GET /v1/operations": "read",
    "POST /v1/operations/redrive": "admin",
    "GET /v1/flows": "read",
    "POST /v1/<any(feedback, verdicts):what>": "read",
    "POST /signin/codes": "read",
}
EVENTS = ("connect", "disconnect", "clock")
"""Within a socket, which asks for `read` before anything is made for it."""
