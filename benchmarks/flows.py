"""`tidemark bench flows`: what a run costs beyond its work, and the data flow at 10 million rows beside pandas."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from benchmarks import flows_profile
from benchmarks.cloud import local_cloud
from benchmarks.measure import Result, median
from simulator import housing
from tidemark import data
from tidemark.local import stores
from tidemark.local.home import Home
from tidemark.local.supervisor import wait_until

FLOW = "housing-data"
TURNS = 5
AHEAD_S = 8
ROWS = 20_640
RESTING = "86400"  # seconds between two scheduled runs: only this benchmark's own shall run


def run() -> Result:
    """Both parts."""
    os.environ["TIDEMARK_FLOW_SECONDS"] = RESTING
    with local_cloud("core,flows") as home:
        new, same = overhead(home)
    sides = flows_profile.both()
    ours, pandas = sides["ours"], sides["pandas"]
    return Result(
        "flows",
        {
            "pandas.ten_million_rows": round(pandas["wall_seconds"] / ours["wall_seconds"], 2),
            "pandas.ten_million_rows_cpu": round(pandas["cpu_seconds"] / ours["cpu_seconds"], 2),
            "pandas.ten_million_rows_memory": round(pandas["peak_rss_bytes"] / ours["peak_rss_bytes"], 2),
        },
        {
            "data_run_overhead_seconds": round(new, 2),
            "unchanged_run_seconds": round(same, 2),
            **{f"{side}.{cost}": value for side, costs in sides.items() for cost, value in costs.items()},
        },
        [
            f"overhead: of {TURNS} data runs with a new batch, from due to done in Prefect, less what the steps took",
            f"{flows_profile.ROWS:,} rows in {flows_profile.FILES} CSV files: read, checked, given ids, split, kept as"
            " Parquet, and every step of the profile but importance; medians of two turns; figures agree within 1e-6",
            "ours also has every bad row with its reasons",
        ],
    )


def overhead(home: Home) -> tuple[float, float]:
    """Seconds of a data run beyond its steps, and of a run that finds nothing new; medians."""
    path = data.find("california_housing.csv")
    rows = housing.read(path) if path else housing.drawn(1, ROWS)
    s3, bucket = stores.client(home, "s3"), stores.running(home)["LakeBucket"]
    index, _ = stores.open_pipelines(home)
    beyond, unchanged = [], []
    for piece in housing.pieces(rows, size=200, first=len(rows) - 200 * TURNS, faults={}, seed=1):
        s3.put_object(Bucket=bucket, Key=f"housing/incoming/{piece.name}", Body=piece.content, Metadata=piece.stated)
        seconds, flow_run = _flow(home)
        (found,) = [run for run in index.page(FLOW, limit=5).runs if run.flow_run == flow_run]
        beyond.append(seconds - sum(step.seconds for step in found.steps))
        unchanged.append(_flow(home)[0])
    return median(beyond[1:]), median(unchanged[1:])


def _flow(home: Home) -> tuple[float, str]:
    """Seconds from when a run was due until it was done, as Prefect has it; and its id. Due soon, as by a schedule."""
    with httpx.Client(base_url=f"{home.state().endpoints['prefect']}/api", timeout=20) as prefect:
        question = {"deployments": {"name": {"any_": [FLOW]}}}
        (deployment,) = prefect.post("/deployments/filter", json=question).json()
        due = (datetime.now(UTC) + timedelta(seconds=AHEAD_S)).isoformat()
        state = {"type": "SCHEDULED", "state_details": {"scheduled_time": due}}
        begun = prefect.post(f"/deployments/{deployment['id']}/create_flow_run", json={"state": state}).json()

        def told() -> dict[str, Any]:
            found: dict[str, Any] = prefect.get(f"/flow_runs/{begun['id']}").json()
            return found

        wait_until(lambda: told()["state"]["type"] == "COMPLETED", "the run's end", seconds=120, every=0.5)
        began, ended = (datetime.fromisoformat(told()[name]) for name in ("expected_start_time", "end_time"))
    return (ended - began).total_seconds(), str(begun["id"])
