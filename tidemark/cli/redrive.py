"""`tidemark redrive`."""

from __future__ import annotations

from typing import Annotated

import msgspec
import typer

from tidemark.cli.console import err, out, print_json
from tidemark.cli.where import Aws, opened
from tidemark.dead_letters import Depth
from tidemark.errors import Difference

NO_END = 3_600.0


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(redrive)


def redrive(
    look: Annotated[bool, typer.Option("--list", help="Say what lies there, and heal nothing.")] = False,
    aws: Aws = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Heal what the streams' consumers gave up on: their dead letters."""
    found = opened(aws).redrive()
    if look:
        depths = found.depths()
        if as_json:
            print_json({"queues": msgspec.to_builtins(depths)})
        else:
            _show(depths)
        return
    done = found.run(lambda: NO_END)
    if as_json:
        print_json(msgspec.to_builtins(done))
    else:
        for healed in done.healed:
            out.print(
                f"{healed.consumer:10} healed {healed.letters:,} letters with {healed.items:,} items", markup=False
            )
        _show(done.queues)
    if problems := [f"{healed.consumer}: {healed.problem}" for healed in done.healed if healed.problem]:
        raise Difference("; ".join(problems))
    if not as_json:
        err.print("healed" if done.healed else "nothing to heal")


def _show(depths: list[Depth]) -> None:
    for depth in depths:
        out.print(f"{depth.consumer:10} {depth.waiting:,} dead letters wait, {depth.in_work:,} in work", markup=False)
