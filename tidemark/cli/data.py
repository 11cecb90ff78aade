"""`tidemark data fetch`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from rich.progress import Progress

from tidemark import data
from tidemark.cli.console import err
from tidemark.errors import Misuse


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="The real data files.", no_args_is_help=True, rich_markup_mode=None)
    group.command()(fetch)
    app.add_typer(group, name="data")


def fetch(
    names: Annotated[
        list[str] | None, typer.Argument(help="Which: " + ", ".join(data.FILES) + "; all if none.")
    ] = None,
    origin: Annotated[str, typer.Option(help="Where the public repositories are.")] = data.GITHUB,
) -> None:
    """Bring the real data files, each checked against its sha256; goes on where it was interrupted."""
    for name in names or list(data.FILES):
        if name not in data.FILES:
            raise Misuse(f"there is no data file {name!r}; there are {', '.join(data.FILES)}")
        with Progress(console=err, disable=not sys.stderr.isatty(), transient=True) as bar:
            task = bar.add_task(name, total=None)

            def tell(done: int, total: int | None) -> None:
                bar.update(task, completed=done, total=total)  # noqa: B023  # called within this turn only

            path = data.fetch(name, progress=tell, origin=origin)
        err.print(f"{name}: {data.FILES[name].rows:,} rows, {path}", markup=False)
