"""The simulation says of the live page what its code tells and holds, and what was measured of it."""

from __future__ import annotations

import random
import tracemalloc

import msgspec
import pytest

from benchmarks.scale import limits, live, points, writers
from tidemark import cells as cell_format
from tidemark.adapters import redis_stream
from tidemark.cells import ZERO, Cell, CellKey, Combo, add, measures
from ws_server.truth import Truth

LINES = [
    *("Electronic accessories", "Fashion accessories", "Food and beverages"),
    *("Health and beauty", "Home and lifestyle", "Sports and travel"),
]
COMBOS = [
    Combo(line, kind, pay)
    for line in LINES
    for kind in ("Member", "Normal")
    for pay in ("Cash", "Credit card", "Ewallet")
]


def cell(writer: str, branch: str, combos: int, version: int = 1, minute: int = 29_000_000) -> Cell:
    """A cell with two sales in each of its combinations."""
    drawn = random.Random(combos)
    held = {}
    for combo in drawn.sample(COMBOS, combos):
        held[combo] = ZERO
        for _ in range(2):
            price = drawn.randint(100_000, 9_000_000)
            one = measures(
                kind="sale", quantity=5, total=price, cogs=price, tax=price // 20, rating=70_000, anomaly=False
            )
            held[combo] = add(held[combo], one)
    return Cell(CellKey(minute, branch, writer), version, 1_767_614_400_123, held)


def test_what_was_measured_of_fan_out_is_what_the_simulation_says() -> None:
    found = live.simulate(
        points.FAN_OUT, writers.simulate(points.FAN_OUT, points.FAN_OUT_WRITERS), points.FAN_OUT_TASKS
    )
    assert found.following + found.telling == pytest.approx(points.FAN_OUT_SHARE, rel=0.15)
    assert found.oldest_ms == pytest.approx(points.FAN_OUT_P99_MS, rel=0.05)


@pytest.mark.parametrize("combos", [3, 12, 36])
def test_messages_ticks_and_items_are_as_large_as_assumed(combos: int) -> None:
    one = cell("0123456789", "B12", combos)
    item = writers.item_bytes(combos)
    assert len(redis_stream.encode([one], [])) == pytest.approx(item - 50 + 20, rel=0.06)
    truth = Truth()
    truth.merge([one])
    truth.advance()
    row = len(truth._row((one.key.minute, one.key.branch)))
    assert row == pytest.approx(20 + limits.ROW_BYTES_COMBO.value * combos, rel=0.2)


@pytest.mark.parametrize("combos", [3, 36])
def test_ws_server_holds_as_much_memory_as_assumed(combos: int) -> None:
    minutes, of_writers = 200, 10
    like = cell("w", "A", combos)
    tracemalloc.start()
    truth = Truth()
    before = tracemalloc.get_traced_memory()[0]
    for minute in range(minutes):
        truth.merge(
            msgspec.structs.replace(like, key=CellKey(minute, "A", f"{minute}-{writer}"))
            for writer in range(of_writers)
        )
    truth.advance()
    held = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    a_row = 20 + limits.ROW_BYTES_COMBO.value * combos
    assumed = of_writers * (limits.CELL_BYTES.value + limits.CELL_BYTES_COMBO.value * combos) + a_row
    assert held / minutes == pytest.approx(assumed, rel=0.25)


def test_a_tick_sums_over_all_writers_of_each_changed_place() -> None:
    """What makes following dear; where this fails, `SUM_US` and docs/scale.md have to be thought over."""
    calls = 0

    def counting(packed: bytes) -> dict[Combo, cell_format.Measures]:
        nonlocal calls
        calls += 1
        return unpack(packed)

    unpack = cell_format.unpack
    truth = Truth()
    truth.merge(cell(f"w{writer}", branch, 3) for writer in range(20) for branch in "AB")
    truth.advance()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cell_format, "unpack", counting)
        truth.merge([cell("w7", "A", 3, version=2)])
        truth.advance()
    assert calls == 20
