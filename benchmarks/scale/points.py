"""The points at which the simulation is held against the real code and against what was measured."""

from __future__ import annotations

from typing import NamedTuple

from benchmarks.scale.load import Load


class Point(NamedTuple):
    """A load that both can run."""

    what: str
    load: Load
    writers: int


WRITES = (
    Point("1 sale a POST", Load(sales_per_second=15, batch=1), 1),
    Point("50, branches mixed", Load(sales_per_second=40, batch=50, mixed=True), 1),
    Point("95, branches mixed", Load(sales_per_second=40, batch=95, mixed=True), 1),
    Point("100, branches mixed", Load(sales_per_second=40, batch=100, mixed=True), 1),
    Point("500, branches mixed", Load(sales_per_second=50, batch=500, mixed=True), 1),
    Point("95 of one branch", Load(sales_per_second=40, batch=95), 2),
    Point("95 of one of 40, sold over 20 s", Load(sales_per_second=60, batch=95, branches=40, spread_minutes=1 / 3), 5),
    Point("1 of 40", Load(sales_per_second=30, batch=1, branches=40), 10),
    Point("95 of any of 200", Load(sales_per_second=80, batch=95, branches=200, mixed=True), 1),
)

# What `bench fan-out` offers the whole live path: batches of 250 to 500 from 4 writers, told to 2,000 browsers.
FAN_OUT = Load(sales_per_second=5_000, batch=375, mixed=True, clients=2_000, repeated=False)
FAN_OUT_WRITERS, FAN_OUT_TASKS = 4, 1
FAN_OUT_SHARE, FAN_OUT_P99_MS = 0.18, 108.0  # recorded in November 2026
