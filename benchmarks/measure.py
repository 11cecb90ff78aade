"""What benchmarks share: medians, the machine, the result's form."""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import psutil

ROOT = Path(__file__).resolve().parent.parent
LOAD_BEFORE = round(os.getloadavg()[0], 2)


class Result(msgspec.Struct, frozen=True):
    """`ratios`: how many times better ours is. `figures`: both sides', units in the key."""

    bench: str
    ratios: dict[str, float]
    figures: dict[str, float]
    notes: list[str] = []

    def report(self) -> dict[str, object]:
        """The JSON object that `tidemark bench --json` prints last."""
        return {**msgspec.to_builtins(self), "machine": machine()}


def machine() -> dict[str, object]:
    """Where it was measured."""
    return {
        "cpus": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "python": platform.python_version(),
        "system": platform.platform(),
        "load_before": LOAD_BEFORE,
    }


def cpu_seconds(call: Callable[[], object], repeats: int) -> list[float]:
    """The CPU time of each of `repeats` calls, after one that does not count."""
    call()
    found = []
    for _ in range(repeats):
        began = time.process_time()
        call()
        found.append(time.process_time() - began)
    return found


def median(values: list[float]) -> float:
    """The middle one."""
    return statistics.median(values)


def quantile(values: list[float], q: float) -> float:
    """The q-th quantile, by rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(q * len(ordered)))]
