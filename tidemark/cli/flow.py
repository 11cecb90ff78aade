"""`tidemark flow run`, `tidemark flow register`."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from tidemark.cli.console import err, print_json
from tidemark.errors import Misuse, TidemarkError
from tidemark.local import flow_services, stores
from tidemark.local.home import Home
from tidemark.runs import FLOWS
from tidemark.settings import variable

POLL_S = 0.5
_FROM_STACK = {
    "runs_table": "RunsTable",
    "lake_bucket": "LakeBucket",
    "cells_table": "CellsTable",
    "history_table": "HistoryTable",
}
GIVE_UP_S = 1_800.0


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="The pipelines.", no_args_is_help=True, rich_markup_mode=None)
    group.command()(run)
    group.command("register")(register_flows)
    app.add_typer(group, name="flow")


def run(
    name: Annotated[str, typer.Argument(help=", ".join(FLOWS))],
    as_json: Annotated[bool, typer.Option("--json", help="What came of it as JSON.")] = False,
) -> None:
    """Run a flow now, on the worker, and wait until it has ended."""
    if name not in FLOWS:
        raise Misuse(f"there is no flow {name!r}; there are {', '.join(FLOWS)}")
    with _prefect():
        state = asyncio.run(_run(name))
    if as_json:
        print_json(state)
    else:
        err.print(
            f"{name}: {state['state'].lower()}" + (f": {state['message']}" if state["message"] else ""), markup=False
        )
    if state["type"] != "COMPLETED":
        raise TidemarkError(f"{name} has {state['state'].lower()}: {state['message'] or 'see its log in Prefect'}")


def register_flows() -> None:
    """Tell Prefect (Cloud, where PREFECT_API_URL names it) of every flow and its schedule."""
    with _prefect() as home:
        from prefect.runner import Runner

        from flows import worker

        runs, _ = stores.open_pipelines(home)
        asyncio.run(worker.register(Runner(name="tidemark"), runs))
    err.print(f"registered: {', '.join(FLOWS)}")


@contextmanager
def _prefect() -> Iterator[Home]:
    """Let Prefect's client find the server: the user's own, or the local one."""
    home = Home()
    if not flow_services.users_prefect():
        page = home.state().endpoints.get("prefect")
        if page is None:
            raise TidemarkError("no Prefect runs here; start it with `tidemark up --only core,flows`")
        os.environ["PREFECT_API_URL"] = f"{page}/api"
    os.environ.setdefault("PREFECT_HOME", str(home.prefect))
    os.environ.setdefault("PREFECT_LOGGING_LEVEL", "WARNING")
    stack = stores.running(home)
    for setting, output in _FROM_STACK.items():
        os.environ.setdefault(variable(setting), stack[output])
    try:
        yield home
    except ConnectionError as error:
        raise TidemarkError(f"Prefect does not answer: {error}") from None


async def _run(name: str) -> dict[str, Any]:
    import httpx
    from prefect.client.orchestration import get_client
    from prefect.exceptions import ObjectNotFound

    try:
        async with get_client() as client:
            deployment = await client.read_deployment_by_name(f"{name}/{name}")
            begun = await client.create_flow_run_from_deployment(deployment.id)
            told = ""
            deadline = time.monotonic() + GIVE_UP_S
            while time.monotonic() < deadline:
                found = await client.read_flow_run(begun.id)
                state = found.state
                assert state is not None
                if sys.stderr.isatty() and state.name != told:
                    told = state.name or ""
                    err.print(f"{name}: {told.lower()}")
                if state.is_final():
                    return {
                        "flow_run": str(begun.id),
                        "type": state.type.value,
                        "state": state.name,
                        "message": state.message,
                    }
                await asyncio.sleep(POLL_S)
    except ObjectNotFound:
        raise TidemarkError(f"Prefect does not know {name} yet; the worker registers it within seconds") from None
    except httpx.HTTPError as error:
        raise TidemarkError(f"Prefect does not answer: {error or type(error).__name__}") from None
    raise TidemarkError(f"{name} has not ended after {GIVE_UP_S:.0f} s")
