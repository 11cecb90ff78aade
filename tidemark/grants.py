"""What a token allows. It is known without what checks tokens, which only who is asked for one must load."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, Literal, get_args

import msgspec
from msgspec import Meta

from tidemark.errors import Forbidden

Scope = Literal["ingest", "read", "admin"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
Branches = frozenset[str] | None
"""Those that somebody may post or see sales of; None for all."""


class Grant(msgspec.Struct, frozen=True):
    """What a token allows, until `expires_at`, seconds since 1970: `admin` is every scope.

    `id`: by what it is revoked; `key`: the id of the key that signed it; `origin`, `origin_ends`: the id of the token
    that it was made with, and that one's end.
    """

    name: str
    scope: Scope
    expires_at: float
    branches: frozenset[Annotated[str, Meta(min_length=1, max_length=64)]] | None = None
    id: str = ""
    origin: str | None = None
    origin_ends: float | None = None
    key: str = ""

    def require(self, scope: Scope) -> None:
        """Raises Forbidden unless the grant covers `scope`."""
        if self.scope not in (scope, "admin"):
            raise Forbidden(f"this token may {self.scope}; {scope} is needed")

    def require_all_branches(self) -> None:
        """Raises Forbidden where it is of some branches only."""
        if self.branches is not None:
            raise Forbidden(f"this token is of {named(self.branches)} only, and this shows all branches")


def named(branches: Collection[str]) -> str:
    """Branches in words."""
    return f"branch{'es' if len(branches) > 1 else ''} {', '.join(sorted(branches))}"
