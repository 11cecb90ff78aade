"""`tidemark bench`."""

from __future__ import annotations

import importlib
import sys
from typing import Annotated

import msgspec
import typer

from tidemark.cli.console import err, out
from tidemark.errors import Misuse

BENCHES = {
    "ingest": "ingest",
    "cold-start": "cold_start",
    "sale-to-screen": "sale_to_screen",
    "fan-out": "fan_out.bench",
    "page": "page",
    "scoring": "scoring",
    "flows": "flows",
    "explorer": "explorer",
    "explorer-start": "explorer_start",
    "explorer-memory": "explorer_memory",
    "history": "history",
    "soak": "soak",
}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(bench)


def bench(
    name: Annotated[str, typer.Argument(help=", ".join(BENCHES))],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, last.")] = False,
) -> None:
    """Measure Tidemark against its peers, both sides in turn."""
    if name not in BENCHES:
        raise Misuse(f"there is no benchmark {name!r}; there are {', '.join(BENCHES)}")
    try:
        module = importlib.import_module(f"benchmarks.{BENCHES[name]}")
    except ModuleNotFoundError as error:
        raise Misuse(f"the benchmarks' packages are not installed ({error.name}): `make bench` does it") from None
    err.print(f"measuring {name}: some minutes, best on a quiet machine")
    report = module.run().report()
    if as_json:
        sys.stdout.write(msgspec.json.encode(report).decode() + "\n")
        return
    for key, value in report["ratios"].items():
        out.print(f"{key:45} {value:,.2f} times better")
    for key, value in report["figures"].items():
        out.print(f"  {key:43} {value:,}")
    for note in report["notes"]:
        out.print(f"  {note}", markup=False)
