"""`tidemark token`."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from tidemark import tokens
from tidemark.cli.console import out
from tidemark.errors import Misuse
from tidemark.local import stores
from tidemark.local.home import Home


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(token)


def token(
    scope: Annotated[str, typer.Argument(help="ingest, read or admin.")],
    name: Annotated[str, typer.Option(help="Whose it is.")] = "cli",
    days: Annotated[float, typer.Option(help="How long it is valid; less than 0 makes one that has expired.")] = 30,
) -> None:
    """Make a token for `Authorization: Bearer`."""
    if scope not in tokens.SCOPES:
        raise Misuse(f"there is no scope {scope!r}; there are {', '.join(tokens.SCOPES)}")
    known = next(s for s in tokens.SCOPES if s == scope)
    home = Home()
    secret = stores.token_secret(home, stores.running(home))
    out.print(tokens.mint(secret, known, name=name, lifetime=timedelta(days=days)), markup=False)
