"""`tidemark bench soak`: everything for half an hour, as `make up` runs it, and the pipelines every two minutes.

Not against a peer: these are the pipelines' own limits. `python -m benchmarks.soak MINUTES` for another time.
"""

from __future__ import annotations

import contextlib
import re
import sys
import time
from collections import Counter
from typing import Any

import httpx
import msgspec
import psutil

from benchmarks.cloud import local_cloud
from benchmarks.measure import Result, median, quantile
from tidemark.adapters.dynamodb_runs import DynamoRuns
from tidemark.adapters.s3_objects import S3Objects
from tidemark.local import stores
from tidemark.local.home import Home
from tidemark.local.supervisor import Supervisor, wait_until
from tidemark.runs import FLOWS, HOUSING, SALES_WATCH, WITH_RESULTS, Run, began

MINUTES = 30
SETTLE_MINUTES = 6
EVERY_TWO_MINUTES = (*HOUSING, SALES_WATCH)
SAMPLE_S = 15.0
PAGE = 200  # log lines that Prefect gives at once
WATCHED = ("flows", "prefect", "mlflow", "postgres", "explorer")
LOCKED = re.compile(r"database is locked|deadlock|could not serialize|lock timeout|lost synchronization", re.IGNORECASE)
ENDED = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")
AS_THEY_SHOULD = {"Completed", "Reused", "Skipped"}


def run(minutes: int = MINUTES) -> Result:
    """Let it run, then read what it left."""
    memory: dict[str, list[tuple[float, float]]] = {name: [] for name in WATCHED}
    with local_cloud("core,live,flows,explorer", simulate=True) as home:
        began_at = time.monotonic()
        while (passed := (time.monotonic() - began_at) / 60) < minutes:
            for name, held in _memory(home).items():
                memory[name].append((passed, held))
            time.sleep(SAMPLE_S)
        index, _ = stores.open_pipelines(home)
        wait_until(lambda: not any(_at_work(index, flow) for flow in FLOWS), "the last run's end", seconds=100, every=1)
        figures = _runs(home) | _logs(home)
    resting = {name: _resting(samples, minutes) for name, samples in memory.items()}
    return Result(
        "soak",
        {},
        {
            "minutes": minutes,
            **figures,
            **{f"{name}_mb_{when}": value for name, both in resting.items() for when, value in both.items()},
        },
        [
            "beside the flows: the stream of sales, the live page, the Streamlit app, a batch of blocks a minute",
            "memory: proportional set size of a part's processes, the lower quartile (at rest) of the first and of the"
            f" last third, after {SETTLE_MINUTES} minutes; the flows' own runs come and go",
        ],
    )


def _at_work(index: DynamoRuns, flow: str) -> bool:
    return index.state(flow, now=time.time_ns() // 1_000_000).at_work is not None


def _memory(home: Home) -> dict[str, float]:
    found: dict[str, float] = {}
    for name, (_, pid) in Supervisor(home).states().items():
        if name in WATCHED and pid:
            with contextlib.suppress(psutil.NoSuchProcess):
                process = psutil.Process(pid)
                found[name] = sum(_held(one) for one in [process, *process.children(recursive=True)])
    return found


def _held(process: psutil.Process) -> float:
    try:
        return float(process.memory_full_info().pss)
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return 0.0


def _resting(samples: list[tuple[float, float]], minutes: int) -> dict[str, float]:
    settled = min(SETTLE_MINUTES, minutes / 3)
    third = (minutes - settled) / 3
    first = [held for at, held in samples if settled <= at < settled + third]
    last = [held for at, held in samples if at >= minutes - third]
    return {"first": round(quantile(first, 0.25) / 1e6, 1), "last": round(quantile(last, 0.25) / 1e6, 1)}


def _runs(home: Home) -> dict[str, float]:
    index, _ = stores.open_pipelines(home)
    found: dict[str, float] = {}
    for flow in EVERY_TWO_MINUTES:
        runs = index.page(flow, limit=1_000).runs
        short = flow.removeprefix("housing-")
        found |= {f"{short}_runs_{status}": count for status, count in Counter(run.status for run in runs).items()}
        found[f"{short}_runs"] = len(runs)
        for status in WITH_RESULTS:
            took = [(run.ended_at - run.started_at) / 1000 for run in runs if run.status == status]
            if took:
                found[f"{short}_{status}_p50_seconds"] = round(median(took), 1)
                found[f"{short}_{status}_max_seconds"] = round(max(took), 1)
        found[f"{short}_late_max_seconds"] = round(max((run.started_at - began(run.id)) / 1000 for run in runs), 1)
    return found


def _logs(home: Home) -> dict[str, float]:
    """Lines that a run's report has and Prefect has not; locks in any server's log; runs that ended otherwise."""
    prefect = f"{home.state().endpoints['prefect']}/api"
    index, objects = stores.open_pipelines(home)
    lines = lost = 0
    for one in (
        run for flow in EVERY_TWO_MINUTES for run in index.page(flow, limit=1_000).runs if run.status in WITH_RESULTS
    ):
        said = _report(objects, one)["log"]
        known = _in_prefect(prefect, one.flow_run)
        lines += len(said)
        lost += sum(line.split(" ", 1)[1] not in known for line in said)
    question = {"flow_runs": {"state": {"type": {"any_": list(ENDED)}}}}
    ended = httpx.post(f"{prefect}/flow_runs/filter", json=question, timeout=60).raise_for_status().json()
    otherwise = [run for run in ended if run["state"]["name"] not in AS_THEY_SHOULD]
    locked = sum(len(LOCKED.findall(path.read_text(errors="replace"))) for path in home.logs.iterdir())
    return {
        "log_lines": lines,
        "log_lines_lost": lost,
        "locks": locked,
        "runs_ended": len(ended),
        "runs_ended_otherwise": len(otherwise),
    }


def _report(objects: S3Objects, run: Run) -> dict[str, Any]:
    content = objects.get(f"flows/{run.flow}/{run.id}/report.json")
    return msgspec.json.decode(content, type=dict[str, Any])


def _in_prefect(prefect: str, flow_run: str) -> set[str]:
    known: list[str] = []
    while len(known) % PAGE == 0:
        question = {"logs": {"flow_run_id": {"any_": [flow_run]}}, "offset": len(known), "limit": PAGE}
        found = httpx.post(f"{prefect}/logs/filter", json=question, timeout=60).json()
        if not found:
            break
        known += [line["message"] for line in found]
    return set(known)


if __name__ == "__main__":
    sys.stdout.write(msgspec.json.encode(run(int(sys.argv[1])).report()).decode() + "\n")
