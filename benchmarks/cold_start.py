"""`tidemark bench cold-start`: CPU of the ingest bundle's init, beside a peer that imports FastAPI and TensorFlow.

Each side in fresh processes, in turn, with nothing on the path but its own packages.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from benchmarks.cloud import PEER_PYTHON
from benchmarks.measure import ROOT, Result, median
from infra import bundles
from tidemark.errors import TidemarkError

RUNS = 5
INIT = """
import json, resource, sys, time
began_cpu, began = time.process_time(), time.perf_counter()
sys.path.insert(0, {path!r})
import {module}
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps([time.process_time() - began_cpu, time.perf_counter() - began, peak]))
"""
SETTINGS = {
    **bundles.ENVIRONMENT,
    "TIDEMARK_LEDGER_TABLE": "ledger",
    "TIDEMARK_CELLS_TABLE": "cells",
    "TIDEMARK_HISTORY_TABLE": "history",
    "TIDEMARK_QUARANTINE_TABLE": "quarantine",
    "TIDEMARK_RUNS_TABLE": "runs",
    "TIDEMARK_REDIS_URL": "redis://127.0.0.1:1",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_ACCESS_KEY_ID": "none",
    "AWS_SECRET_ACCESS_KEY": "none",
    "PATH": "/usr/bin:/bin",
    "TF_CPP_MIN_LOG_LEVEL": "3",
}


def run() -> Result:
    """Fresh processes, in turn."""
    bundle = bundles.build("local") / "ingest"
    size = _zipped(bundle)
    ours: list[list[float]] = []
    theirs: list[list[float]] = []
    for number in range(RUNS + 1):
        ours.append(init_cost(bundle))
        theirs.append(_init(PEER_PYTHON, [], ROOT, "benchmarks.peers.fastapi_tensorflow"))
        if number == 0:  # the first fills the disk's cache
            ours.clear()
            theirs.clear()
    cpu, peer_cpu = median([r[0] for r in ours]), median([r[0] for r in theirs])
    return Result(
        "cold-start",
        {"fastapi_tensorflow.init_cpu": round(peer_cpu / cpu, 1)},
        {
            "init_cpu_ms": round(cpu * 1000),
            "init_wall_ms": round(median([r[1] for r in ours]) * 1000),
            "peak_memory_mb": round(median([r[2] for r in ours]) / 1024),
            "bundle_zipped_mb": round(size / 1e6, 1),
            "fastapi_tensorflow_init_cpu_ms": round(peer_cpu * 1000),
            "fastapi_tensorflow_init_wall_ms": round(median([r[1] for r in theirs]) * 1000),
            "fastapi_tensorflow_peak_memory_mb": round(median([r[2] for r in theirs]) / 1024),
        },
        ["ours: all that the ingest handler does before its first event, from the bundle as it is deployed"],
    )


def init_cost(bundle: Path) -> list[float]:
    """CPU seconds, seconds, and peak memory (KiB) of one fresh init of the ingest bundle."""
    return _init(Path(sys.executable), ["-S", "-E"], bundle, "functions.ingest.handler")


def _init(python: Path, flags: list[str], path: Path, module: str) -> list[float]:
    done = subprocess.run(
        [str(python), *flags, "-c", INIT.format(path=str(path), module=module)],
        env=SETTINGS,
        cwd=path,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise TidemarkError(f"{module} does not start: {done.stderr[-800:]}")
    found: list[float] = json.loads(done.stdout.splitlines()[-1])
    return found


def _zipped(folder: Path) -> int:
    with tempfile.TemporaryDirectory() as out:
        archive = Path(out) / "bundle.zip"
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as into:
            for root, _, names in os.walk(folder):
                for name in names:
                    path = Path(root) / name
                    into.write(path, path.relative_to(folder))
        return archive.stat().st_size
