"""The process that runs the flows: registers their deployments, and starts a process for each run when it is due.

A run's process is forked from one that has imported everything already (`multiprocessing`'s fork server): importing
takes seven seconds of a processor, forking some milliseconds; and what a run leaks ends with it.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from prefect import Flow, flow_engine
from prefect.runner import Runner
from prefect.schedules import Interval

from flows import mlflow_gc
from flows.parts import connect
from flows.work import every
from tidemark import settings
from tidemark.ports import Runs

PRELOADED = [
    *("flows.housing_data", "flows.housing_ml", "flows.sales_watch", "flows.sales_model"),
    *("ibis.backends.duckdb", "pyarrow.parquet"),
]
POLL_S = 2
AT_ONCE = 4
MIDNIGHT = datetime(2026, 1, 1, tzinfo=UTC)
APART = 6  # the flows start a sixth of the interval after one another: models learn from what has just come
POLITE = 10  # the live page comes first


def flows() -> list[Flow[Any, Any]]:
    """The flows whose runs the index has."""
    from flows.housing_data import housing_data
    from flows.housing_ml import housing_ml
    from flows.sales_model import sales_model
    from flows.sales_watch import sales_watch

    return [housing_data, housing_ml, sales_watch, sales_model]


async def register(runner: Runner, runs: Runs) -> None:
    """Tell Prefect, and the index that the API reads, of every flow and its schedule."""
    given = settings.load(settings.FlowSettings)
    for number, flow in enumerate(flows()):
        seconds = every(flow.name, given)
        begin = MIDNIGHT + timedelta(seconds=number * given.flow_seconds / APART)
        schedule = Interval(timedelta(seconds=seconds), anchor_date=begin)
        await runner.aadd_flow(flow, name=flow.name, schedule=schedule, description=flow.description)
        runs.schedule(flow.name, seconds)
    if mlflow_gc.here():
        hourly = Interval(timedelta(hours=mlflow_gc.HOURS), anchor_date=MIDNIGHT)
        await runner.aadd_flow(mlflow_gc.mlflow_gc, name=mlflow_gc.NAME, schedule=hourly)


def fork() -> None:
    """Let Prefect fork its runs. It asks `multiprocessing` for new interpreters (`run_flow_in_subprocess`)."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    engine: Any = flow_engine  # it has no setting for it
    engine.multiprocessing = SimpleNamespace(get_context=lambda method: context)


async def serve() -> None:
    """Register, and run what is due until told to end."""
    runner = Runner(name="tidemark", query_seconds=POLL_S, limit=AT_ONCE)
    await register(runner, connect().runs)
    await runner.start()


if __name__ == "__main__":
    os.nice(POLITE)
    fork()
    asyncio.run(serve())
