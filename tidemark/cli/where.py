"""Which deployment a command is about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tidemark.local.home import Home

if TYPE_CHECKING:
    from tidemark.opened import Opened

Aws = Annotated[
    bool, typer.Option("--aws", help="The deployment in the AWS account of the environment, not the local cloud.")
]


def opened(aws: bool) -> Opened:
    """The one that is meant. Raises TidemarkError where it is not there."""
    from tidemark.opened import local, on_aws  # AWS's clients, that other commands need not wait for

    return on_aws() if aws else local(Home())
