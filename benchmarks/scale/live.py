"""The live page, simulated: what comes into one ws_server, and what it tells."""

from __future__ import annotations

import math
from typing import NamedTuple

from benchmarks.scale import limits
from benchmarks.scale.load import Load
from benchmarks.scale.writers import Writes
from ws_server.broadcast import GROUPS


class Live(NamedTuple):
    """Of one task, where `clients` are shared out over `tasks`.

    `entries`: of the live stream, a second; `entry_bytes`: of one. `following`, `telling`: shares of a processor.
    `oldest_ms`: how long the oldest sale of a tick waits until the last browser is told. `tick_bytes`: of one tick.
    `day_bytes`: memory of a day's cells. `snapshot_bytes`: of a day, not compressed.
    """

    entries: float
    entry_bytes: float
    following: float
    telling: float
    oldest_ms: float
    tick_bytes: float
    day_bytes: float
    snapshot_bytes: float


def simulate(load: Load, writes: Writes, tasks: int) -> Live:
    """Ingest tells of each POST, and the Lambda publish, where there is one, repeats each cell of it by itself."""
    repeats = load.posts * writes.cells if load.repeated else 0.0
    entries = load.posts + repeats
    cells_told = load.posts * writes.cells + repeats
    cell_bytes = writes.cell_bytes - 50  # without the names of an item's attributes
    groups = min(GROUPS, max(1, math.ceil(load.clients / tasks / limits.GROUP.value)))
    turns = limits.TURNS_S.value * groups
    now = load.branches * (1 + load.spread_minutes)  # places that sales fall on
    changed = _distinct(load.posts * writes.cells / turns, now)
    told = _distinct(load.posts * writes.cells / limits.TURNS_S.value, now)
    a_minute = load.posts * 60
    places = float(load.branches)  # begun each minute
    in_place = max(1.0, a_minute * writes.begun / places)  # writers that a place has, once its minute is over
    combos = _distinct(load.sales_per_second * 60 / places, limits.COMBOS.value)
    reading = cells_told * (limits.READ_US.value + limits.COMBO_US.value * writes.combos)
    summing = turns * changed * limits.SUM_US.value * max(in_place / 2, 1) * writes.combos
    tick_bytes = 150 + told * (20 + limits.ROW_BYTES_COMBO.value * combos)
    send = limits.SEND_US.value + limits.SEND_US_KB.value * max(0.0, tick_bytes / 1000 - 0.3)
    sends = load.clients / tasks * min(limits.TURNS_S.value, load.posts)
    cells_a_day = limits.OPEN_MINUTES.value * a_minute * writes.begun
    rows = limits.OPEN_MINUTES.value * places * (20 + limits.ROW_BYTES_COMBO.value * combos)
    held = limits.CELL_BYTES.value + limits.CELL_BYTES_COMBO.value * writes.combos
    return Live(
        entries=entries,
        entry_bytes=(load.posts * (20 + writes.cells * cell_bytes) + repeats * (20 + cell_bytes)) / entries,
        following=(reading + summing) / 1e6,
        telling=sends * send / 1e6,
        oldest_ms=1000 / limits.TURNS_S.value + load.clients / tasks / groups * send / 1000,
        tick_bytes=tick_bytes,
        day_bytes=cells_a_day * held + rows,
        snapshot_bytes=rows,
    )


def _distinct(drawn: float, kinds: float) -> float:
    """How many kinds are seen in so many draws, on average."""
    return kinds * -math.expm1(-drawn / kinds)
