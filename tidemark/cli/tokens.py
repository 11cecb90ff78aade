"""`tidemark token`."""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import Annotated

import typer

from tidemark import tokens
from tidemark.cli.console import out
from tidemark.errors import Misuse
from tidemark.grants import SCOPES
from tidemark.local import stores
from tidemark.local.home import Home


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(token)


def token(
    scope: Annotated[str, typer.Argument(help="ingest, read or admin.")],
    name: Annotated[str, typer.Option(help="Whose it is.")] = "cli",
    days: Annotated[float, typer.Option(help="How long it is valid; less than 0 makes one that has expired.")] = 30,
    secret: Annotated[
        str, typer.Option(help="`-` reads the secret that signs it, of another deployment, from standard input.")
    ] = "",
) -> None:
    """Make a token for `Authorization: Bearer`."""
    if scope not in SCOPES:
        raise Misuse(f"there is no scope {scope!r}; there are {', '.join(SCOPES)}")
    known = next(s for s in SCOPES if s == scope)
    if secret not in ("", "-"):
        raise Misuse("--secret: a secret is read from standard input, `--secret -`; on the command line others see it")
    home = Home()
    signs = sys.stdin.readline().strip() if secret else stores.token_secret(home, stores.running(home))
    if not signs:
        raise Misuse("--secret -: there is no secret on standard input")
    out.print(tokens.mint(signs, known, name=name, lifetime=timedelta(days=days)), markup=False)
