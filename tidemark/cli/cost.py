"""`tidemark cost`."""

from __future__ import annotations

import tempfile
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from tidemark.cli.console import err, out, print_json
from tidemark.costs import prices
from tidemark.errors import Misuse

if TYPE_CHECKING:
    from tidemark.costs import at_rest, per_sale

MOST = 500
CORE_AND_LIVE = ("TidemarkCore", "TidemarkLive")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(cost)


def cost(
    profile: Annotated[str, typer.Option(help="dev or prod.")] = "dev",
    batch: Annotated[int, typer.Option(help="How many sales come in one POST.")] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """What a deployment costs: a month at rest, and a million sales. Every line with its arithmetic."""
    if not 1 <= batch <= MOST:
        raise Misuse(f"--batch: 1 to {MOST} sales, got {batch}")
    from tidemark.costs import per_sale  # the ingest code, that other commands need not wait for

    err.print("synthesising the stacks")
    resting = _rest(profile)
    selling, retaining = per_sale.lines(batch), per_sale.retention()
    if as_json:
        print_json(
            {
                "prices": {"date": prices.DATE, "region": prices.REGION},
                "at_rest": [line._asdict() for line in resting],
                "at_rest_usd": sum(line.usd for line in resting),
                "core_and_live_usd": sum(line.usd for line in resting if line.stack in CORE_AND_LIVE),
                "per_million_sales": [line._asdict() for line in selling],
                "per_million_sales_usd": sum(line.usd for line in selling),
                "per_million_retained": [line._asdict() for line in retaining],
                "per_million_retained_usd": sum(line.usd for line in retaining),
            }
        )
        return
    _show_rest(resting, profile)
    _show_sales(selling, f"A million sales, {batch} at a time")
    _show_sales(retaining, "A million of them that name customers, once, where TIDEMARK_PERSON_DAYS is set")
    out.print(f"List prices of {prices.DATE} in {prices.REGION}, without taxes, free tiers and savings plans.")


def _rest(profile: str) -> list[at_rest.Line]:
    """The lines of a month at rest, from the stacks as they are synthesised now."""
    from tidemark.costs import at_rest
    from tidemark.deployment.cdk import Cdk, templates

    with tempfile.TemporaryDirectory() as folder:
        assembly = Path(folder) / "cdk.out"
        Cdk({}, Path(folder)).synth(assembly, {"profile": profile})
        found = at_rest.lines(templates(assembly))
    return at_rest.joined(found)


def _show_rest(lines: list[at_rest.Line], profile: str) -> None:
    table = Table("stack", "what", "$ a month", "how", title=f"At rest, {profile}", title_justify="left")
    table.columns[2].justify = "right"
    for stack, several in groupby(lines, key=lambda line: line.stack):
        of = list(several)
        for line in of:
            table.add_row(stack.removeprefix("Tidemark"), line.what, f"{line.usd:.2f}", line.arithmetic)
        table.add_row("", "", f"[bold]{sum(line.usd for line in of):.2f}[/]", "", end_section=True)
    both = sum(line.usd for line in lines if line.stack in CORE_AND_LIVE)
    table.add_row("", "Core and Live", f"{both:.2f}", "")
    table.add_row("", "everything", f"[bold]{sum(line.usd for line in lines):.2f}[/]", "")
    out.print(table)


def _show_sales(lines: list[per_sale.Line], title: str) -> None:
    table = Table("what", "$", "how", title=title, title_justify="left")
    table.columns[1].justify = "right"
    for line in sorted(lines, key=lambda line: -line.usd):
        table.add_row(line.what, f"{line.usd:.3f}", line.arithmetic)
    table.add_section()
    table.add_row("all of it", f"[bold]{sum(line.usd for line in lines):.2f}[/]", "")
    out.print(table)
