"""`tidemark bench history`: what a long history costs: 50,000 runs in the pipelines' index, and a backlog in MLflow.

MLflow never holds 50,000: each flow run logs four and deletes what is too many. The backlog is what retention would
find after it had been away for a day.

Not against a peer: these are the pipelines' own limits. The runs are written straight into the tables, in the form that
the flows leave; what is measured goes through the API, MLflow's server, and the code of the flows.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import islice
from typing import Any

import httpx
import psycopg2

from benchmarks.cloud import local_cloud
from benchmarks.measure import ROOT, Result, median, quantile
from flows.tracking import AT_ONCE
from tidemark.adapters.dynamodb_runs import entries_of, parts_of
from tidemark.local import flow_services, stores
from tidemark.local.home import Home
from tidemark.local.postgres import Postgres
from tidemark.runs import Run, Step, run_id
from tidemark.settings import FlowSettings, variable

RUNS = 50_000
BACKLOG = 2_880  # four runs every two minutes for a day
EVERY_MS = 120_000
ASKED = 50
STEPS = 20
FLOW = "housing-data"
# Runs that retention takes in its stride, a flow run after another: how it deletes, and what is left.
RETAIN = """
import time
from flows.tracking import OF_HOUSING, Tracking
tracking = Tracking(OF_HOUSING)
times = []
while True:
    at = time.perf_counter()
    deleted = tracking.retain({kept})
    if not deleted:
        break
    times.append(time.perf_counter() - at)
print(*times)
"""
REMOVE = "import asyncio; from flows.mlflow_gc import mlflow_gc; print(asyncio.run(mlflow_gc('0s')))"
# A run as `Tracking.log` leaves it.
FILL = """
INSERT INTO runs (run_uuid, name, user_id, status, start_time, end_time, lifecycle_stage, artifact_uri, experiment_id)
  SELECT md5(n::text), 'lightgbm ' || n, '', 'FINISHED', %(first)s + n * 30000, %(first)s + n * 30000 + 1000, 'active',
    'mlflow-artifacts:/%(experiment)s/' || md5(n::text) || '/artifacts', %(experiment)s
  FROM generate_series(1, %(runs)s) AS n;
INSERT INTO tags SELECT 'flow_run', n::text, md5(n::text) FROM generate_series(1, %(runs)s) AS n;
INSERT INTO params (key, value, run_uuid)
  SELECT 'setting ' || k, k::text, md5(n::text) FROM generate_series(1, %(runs)s) AS n, generate_series(1, 8) AS k;
INSERT INTO metrics (key, value, timestamp, run_uuid, step, is_nan)
  SELECT 'figure ' || k, n, %(first)s, md5(n::text), 0, false
  FROM generate_series(1, %(runs)s) AS n, generate_series(1, 20) AS k;
INSERT INTO latest_metrics (key, value, timestamp, step, is_nan, run_uuid)
  SELECT 'figure ' || k, n, %(first)s, 0, false, md5(n::text)
  FROM generate_series(1, %(runs)s) AS n, generate_series(1, 20) AS k;
ANALYZE;
"""


def run() -> Result:
    """Both histories."""
    os.environ[variable("flow_seconds")] = "86400"
    with local_cloud("core,flows") as home:
        lists = _lists(home)
        tracking = _tracking(home)
    return Result(
        "history",
        {},
        {**lists, **tracking},
        [
            f"lists: {ASKED} requests each after {RUNS:,} runs of one flow, through the API on the emulator",
            f"MLflow: {BACKLOG:,} runs of 8 parameters and 20 metrics more than are kept; a flow run deletes {AT_ONCE}"
            " at most, and the hourly flow mlflow-gc removes for good what was deleted",
        ],
    )


def _lists(home: Home) -> dict[str, float]:
    client, table = stores.client(home, "dynamodb"), stores.running(home)["RunsTable"]
    first = time.time_ns() // 1_000_000 - RUNS * EVERY_MS
    items = _items(first)
    while some := list(islice(items, 25)):
        client.batch_write_item(RequestItems={table: [{"PutRequest": {"Item": item}} for item in some]})
    state = home.state()
    token = {"Authorization": f"Bearer {state.tokens['read']}"}
    middle = run_id(first + RUNS // 2 * EVERY_MS, "f" * 12)
    paths = {
        "newest_50": f"/v1/flows/{FLOW}/runs?limit=50",
        "newest_200": f"/v1/flows/{FLOW}/runs?limit=200",
        "middle_50": f"/v1/flows/{FLOW}/runs?limit=50&cursor={middle}",
        "failed_50": f"/v1/flows/{FLOW}/runs?limit=50&status=failed",
        "flows": "/v1/flows",
    }
    found: dict[str, float] = {}
    with httpx.Client(base_url=state.endpoints["api"], headers=token, timeout=60) as http:
        for name, path in paths.items():
            took = []
            for _ in range(ASKED + 1):
                began = time.perf_counter()
                http.get(path).raise_for_status()
                took.append(1000 * (time.perf_counter() - began))
            found |= {
                f"list_{name}_p50_ms": round(median(took[1:]), 1),
                f"list_{name}_p99_ms": quantile(took[1:], 0.99),
            }
    return {name: round(value, 1) for name, value in found.items()}


def _items(first: int) -> Iterator[dict[str, Any]]:
    steps = [Step(f"step-{n}", f"Step {n}", 0.1) for n in range(STEPS)]
    named: set[tuple[str, str]] = set()
    for number in range(RUNS):
        at = first + number * EVERY_MS
        flow_run = f"{number:08x}-0000-4000-8000-000000000000"
        one = Run(run_id(at, flow_run), FLOW, flow_run, "failed" if number % 40 == 0 else "completed", at, at + 6_000,
                  "20,640 blocks known; nothing new", figures={"rows": 20_640.0}, steps=steps)  # fmt: skip
        for part in parts_of(one):
            if (key := (part["list"]["S"], part["id"]["S"])) not in named:
                named.add(key)
                yield part
        yield from entries_of(one)


def _tracking(home: Home) -> dict[str, float]:
    kept = FlowSettings.experiments_kept
    many = kept + BACKLOG
    environment = _worker_environment(home)
    _python("from flows.tracking import OF_HOUSING, Tracking; Tracking(OF_HOUSING)", environment)
    with _database(home) as cursor:
        cursor.execute("SELECT experiment_id FROM experiments WHERE name = 'housing'")
        experiment = cursor.fetchone()[0]
        cursor.execute(
            FILL, {"runs": many, "first": time.time_ns() // 1_000_000 - many * 30_000, "experiment": experiment}
        )
        cursor.execute("SELECT count(*) FROM runs")
        filled = cursor.fetchone()[0]
    before = _search(home, experiment)
    began = time.perf_counter()
    times = [float(word) for word in _python(RETAIN.format(kept=kept), environment).split()]
    retained = time.perf_counter()
    _python(REMOVE, environment)
    removed = time.perf_counter()
    with _database(home) as cursor:
        cursor.execute("SELECT count(*) FROM runs")
        left = cursor.fetchone()[0]
    return {
        "mlflow_runs_before": filled,
        "mlflow_runs_left": left,
        "mlflow_runs_to_keep": kept,
        "mlflow_newest_50_before_p50_ms": before,
        "mlflow_newest_50_after_p50_ms": _search(home, experiment),
        "retention_step_p50_seconds": round(median(times), 2),
        "retention_steps": len(times),
        "retention_seconds": round(retained - began, 1),
        "mlflow_gc_seconds": round(removed - retained, 1),
    }


def _search(home: Home, experiment: int) -> float:
    question = {"experiment_ids": [str(experiment)], "max_results": 50, "order_by": ["attributes.start_time DESC"]}
    took = []
    with httpx.Client(base_url=home.state().endpoints["mlflow"], timeout=60) as http:
        for _ in range(ASKED // 5):
            began = time.perf_counter()
            http.post("/api/2.0/mlflow/runs/search", json=question).raise_for_status()
            took.append(1000 * (time.perf_counter() - began))
    return round(median(took), 1)


@contextlib.contextmanager
def _database(home: Home) -> Iterator[Any]:
    url = _url(home).replace("+psycopg2", "")
    with (
        contextlib.closing(psycopg2.connect(url, sslmode="disable")) as connection,
        connection,
        connection.cursor() as cursor,
    ):
        yield cursor


def _url(home: Home) -> str:
    return Postgres(home, home.port("postgres")).url("mlflow", "psycopg2")


def _worker_environment(home: Home) -> dict[str, str]:
    endpoints = home.state().endpoints
    prefect = {"PREFECT_API_URL": f"{endpoints['prefect']}/api"}
    service = flow_services.worker(
        home, prefect, endpoints["mlflow"], _url(home), home.port("ministack"), stores.running(home)
    )
    return {**os.environ, **service.environment}


def _python(code: str, environment: dict[str, str]) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True
    )
    return done.stdout
