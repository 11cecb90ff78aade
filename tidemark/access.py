"""Who may call what of the REST API: what each scope of a token allows, and what is anybody's."""

from __future__ import annotations

from tidemark.tokens import Scope

PUBLIC_PATHS = ("/healthz", "/docs", "/openapi.json")
METHODS: dict[Scope, tuple[str, ...]] = {
    "ingest": ("POST/v1/sales",),
    "read": ("GET/v1/*", "POST/v1/feedback", "POST/v1/verdicts", "POST/v1/housing/predict"),
    "admin": ("POST/v1/*", "GET/v1/*"),
}
