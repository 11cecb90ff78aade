"""`tidemark bench ingest`: sales a second through the real handler, and along the pure path."""

from __future__ import annotations

import json
import time
from itertools import islice
from pathlib import Path
from typing import Any

import httpx
import psutil

from benchmarks.cloud import function_environment, local_cloud, peer
from benchmarks.measure import Result, cpu_seconds, median
from benchmarks.peers import pydantic_path
from benchmarks.runtime_api import Function
from infra import bundles
from simulator import sources
from tidemark.adapters.litert_model import LiteRtScorer
from tidemark.ingest import examine
from tidemark.local.home import free_port
from tidemark.models import sales_model
from tidemark.models.keys import SALES_FILE
from tidemark.models.sales_registry import BUNDLED
from tidemark.store import Store

BATCH = 500
ROUNDS = 5
OUR_BATCHES = 12
PEER_SALES = 20
CORE_REPEATS = 300


def run() -> Result:
    """Both comparisons."""
    core_ratio, core_figures = _core()
    rates, figures = _handler()
    ratio = median(rates["ours"]) / median(rates["peer"])
    return Result(
        "ingest",
        {
            "seed_baseline.sales_per_second": round(ratio, 1),
            "pydantic_path.sales_per_second_core": round(core_ratio, 2),
        },
        {**figures, **core_figures},
        [
            "ours: ingest bundle under awslambdaric, batches of 500, DynamoDB of ministack (an emulator in Python)",
            "peer: Flask route, Keras predict, SQLite and a broadcast for each sale, in one request",
        ],
    )


def _rows(seed: int, count: int) -> list[dict[str, Any]]:
    return list(islice(sources.kaggle(seed, Store()), count))


def _core() -> tuple[float, dict[str, float]]:
    store = Store()
    scorer = LiteRtScorer(sales_model.loads((BUNDLED / SALES_FILE).read_bytes()), store)
    rows = [{**row, **{k: float(row[k]) for k in ("unit_price", "tax", "total")}} for row in _rows(1, BATCH)]
    body = json.dumps({"sales": rows}).encode()
    ours: list[float] = []
    theirs: list[float] = []
    for _ in range(3):  # in turn
        ours += cpu_seconds(lambda: examine(body, store, scorer), CORE_REPEATS)
        theirs += cpu_seconds(lambda: pydantic_path.examine(body, store, scorer), CORE_REPEATS)
    return median(theirs) / median(ours), {
        "core_sales_per_cpu_second": round(BATCH / median(ours)),
        "pydantic_core_sales_per_cpu_second": round(BATCH / median(theirs)),
    }


def _handler() -> tuple[dict[str, list[float]], dict[str, float]]:
    port = free_port()
    rates: dict[str, list[float]] = {"ours": [], "peer": []}
    cpu: dict[str, list[float]] = {"handler": [], "emulator": [], "peer": []}
    with local_cloud("core") as home, peer("benchmarks.peers.seed_baseline", port) as server:
        bundle = bundles.build("local") / "ingest"
        emulator = next(p for p in psutil.process_iter() if _is_emulator(p, home.path))
        with Function(bundle, "functions.ingest.handler.handler", function_environment(home, "Ingest")) as function:
            _ours(function, seed=1, batches=1)
            _peer(port, seed=1, count=2)
            for number in range(ROUNDS):
                began = _times(function.process.pid, emulator.pid, server.pid)
                rates["ours"].append(_ours(function, seed=100 + number, batches=OUR_BATCHES))
                middle = _times(function.process.pid, emulator.pid, server.pid)
                rates["peer"].append(_peer(port, seed=200 + number, count=PEER_SALES))
                ended = _times(function.process.pid, emulator.pid, server.pid)
                sales = OUR_BATCHES * BATCH
                cpu["handler"].append((middle[0] - began[0]) / sales * 1e6)
                cpu["emulator"].append((middle[1] - began[1]) / sales * 1e6)
                cpu["peer"].append((ended[2] - middle[2]) / PEER_SALES * 1e6)
    return rates, {
        "sales_per_second": round(median(rates["ours"])),
        "seed_baseline_sales_per_second": round(median(rates["peer"]), 1),
        "handler_cpu_us_per_sale": round(median(cpu["handler"]), 1),
        "emulator_cpu_us_per_sale": round(median(cpu["emulator"]), 1),
        "seed_baseline_cpu_us_per_sale": round(median(cpu["peer"])),
    }


def _is_emulator(process: psutil.Process, home: Path) -> bool:
    try:
        return process.environ().get("STATE_DIR", "").startswith(str(home)) and "ministack" in process.cmdline()
    except psutil.Error:
        return False


def _times(*pids: int) -> list[float]:
    found = [psutil.Process(pid).cpu_times() for pid in pids]
    return [times.user + times.system for times in found]


def _ours(function: Function, *, seed: int, batches: int) -> float:
    rows = _rows(seed, batches * BATCH)
    events = [
        {"body": json.dumps({"sales": rows[start : start + BATCH]}), "isBase64Encoded": False}
        for start in range(0, len(rows), BATCH)
    ]
    began = time.perf_counter()
    for event in events:
        answer = function.invoke(event)
        results = json.loads(answer["body"])["results"]
        assert all(result["status"] == "accepted" for result in results), answer["body"][:500]
    return len(rows) / (time.perf_counter() - began)


def _peer(port: int, *, seed: int, count: int) -> float:
    content = json.dumps({"sales": _rows(seed, count)})
    began = time.perf_counter()
    answer = httpx.post(
        f"http://127.0.0.1:{port}/sales", content=content, headers={"Content-Type": "application/json"}, timeout=120
    )
    answer.raise_for_status()
    return count / (time.perf_counter() - began)
