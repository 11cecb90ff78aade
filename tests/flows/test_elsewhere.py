"""The same flows elsewhere: against a Prefect server that counts, and with a Dask cluster that trains."""

from __future__ import annotations

import re

import pytest
from distributed import Client, LocalCluster

from simulator import housing
from tests.flows.cloud import Flows
from tidemark.runs import Run
from tidemark.settings import variable

FREE_TIER = 250  # requests a minute that Prefect Cloud's free tier takes
CODE = """
import asyncio, logging, warnings
logging.basicConfig(level=logging.INFO)
from flows.{module} import {flow}
asyncio.run({flow}())
"""


pytestmark = pytest.mark.long


def run_here(running: Flows, name: str, **settings: str) -> tuple[Run, str]:
    """A flow in a process of its own, with the worker's environment and other settings; and what it logged."""
    variables = {variable(setting): value for setting, value in settings.items()}
    code = CODE.format(module=name.replace("-", "_"), flow=name.replace("-", "_"))
    log = running.as_the_worker(code, variables)
    return running.index.page(name, limit=1).runs[0], log


def batch(name: str, seed: int, rows: int = 400) -> housing.Piece:
    (piece,) = housing.pieces(housing.drawn(seed, rows), size=rows, first=rows, faults={}, seed=seed)
    return housing.Piece(f"{name}.csv", piece.content, piece.stated)


@pytest.mark.parametrize("name", ["housing-data", "housing-ml"])
def test_a_run_asks_little_of_prefect(running: Flows, name: str) -> None:
    """Both flows together, each every two minutes, stay far below what the free tier takes in one."""
    if name == "housing-data":
        running.send(batch("counted", seed=21))
    run, log = run_here(running, name)
    assert run.status == "completed", run.headline
    asked = re.findall(rf"HTTP Request: \w+ {re.escape(running.prefect)}/api", log)
    assert 5 < len(asked) < FREE_TIER / 4, len(asked)


@pytest.mark.filterwarnings("default")  # Dask's scheduler, in this process, imports what it is sent
def test_a_dask_cluster_trains_with_the_same_flow(running: Flows) -> None:
    running.send(batch("dask", seed=22))
    assert running.flow("housing-data").status == "completed"
    with (
        LocalCluster(  # type: ignore[no-untyped-call]
            n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=":0", silence_logs=50
        ) as cluster,
        Client(cluster) as client,  # type: ignore[no-untyped-call]
    ):
        run, _ = run_here(running, "housing-ml", dask_scheduler=cluster.scheduler_address)
        done = client.run_on_scheduler(lambda dask_scheduler: dask_scheduler.transition_counter)
        workers = client.run(lambda dask_worker: dask_worker.state.transition_counter)
    assert run.status == "completed", run.headline
    assert done > 100
    assert len(workers) == 2
    assert min(workers.values()) > 20
    assert run.figures["r2"] > run.figures["mean_r2"]
