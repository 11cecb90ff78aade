"""Metrics of processes that are no Lambdas: lines of their log, in CloudWatch's embedded metric format.

CloudWatch makes metrics of them as it takes the log; elsewhere they are lines like others. Source: AWS, "Specification:
Embedded metric format".
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

NAMESPACE = "Tidemark"
MOST_VALUES = 100  # of one metric in one line (AWS)
Unit = Literal["Count", "Seconds", "Milliseconds"]
Value = float | Sequence[float]


def tell(service: str, metrics: Mapping[str, tuple[Value, Unit]], **dimensions: str) -> None:
    """Write a line: each metric's value, or up to `MOST_VALUES` of its values, and its unit."""
    named = {"service": service, **dimensions}
    line = {
        "_aws": {
            "Timestamp": time.time_ns() // 1_000_000,
            "CloudWatchMetrics": [
                {
                    "Namespace": NAMESPACE,
                    "Dimensions": [list(named)],
                    "Metrics": [{"Name": name, "Unit": unit} for name, (_, unit) in metrics.items()],
                }
            ],
        },
        **named,
        **{name: value for name, (value, _) in metrics.items()},
    }
    write(line)


def write(line: Mapping[str, object]) -> None:
    """Write a line of JSON, whole."""
    sys.stdout.write(msgspec.json.encode(line).decode() + "\n")
    sys.stdout.flush()
