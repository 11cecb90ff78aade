"""Writes `kpis.json`: cells, selections and the KPIs that both Python and TypeScript must find.

The numbers are `tidemark.kpis`', which `tests/unit/test_kpis.py` holds against an independent reckoning.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import msgspec

from tidemark.cells import Cell, CellKey, Combo, measures
from tidemark.kpis import Selection, kpis
from tidemark.store import Store

PATH = Path(__file__).with_name("kpis.json")
FIRST_MINUTE = 25_771_800  # 2019-01-01T10:00Z
DIMENSIONS = ("branch", "product_line", "customer_type", "payment")


def _cells(seed: int, count: int, days: int) -> list[Cell]:
    draw = random.Random(seed)
    made = []
    for number in range(count):
        combos = {}
        for _ in range(draw.randint(1, 3)):
            cogs, quantity = draw.randint(0, 10**9), draw.randint(1, 10)
            tax = cogs // 20
            rating = draw.choice([None, draw.randint(40_000, 100_000)])
            kind = draw.choice(["sale", "sale", "sale", "return"])
            combo = Combo(draw.choice("xyz"), draw.choice("MN"), draw.choice(["Cash", "Ewallet"]))
            combos[combo] = measures(
                kind=kind,
                quantity=quantity,
                total=cogs + tax,
                cogs=cogs,
                tax=tax,
                rating=rating,
                anomaly=number % 5 == 0,
            )
        minute = FIRST_MINUTE + draw.randint(0, days * 1440)
        made.append(Cell(CellKey(minute, draw.choice("AB"), f"w{number}"), 1, 0, combos))
    return made


def vectors() -> list[dict[str, Any]]:
    """Every vector."""
    utc, yangon, new_york = Store(), Store(zone="Asia/Yangon"), Store(zone="America/New_York", opens=8, closes=23)
    week = FIRST_MINUTE + 7 * 1440
    cases = [
        ("no sales", [], Selection(), utc),
        ("one sale", _cells(1, 1, 1), Selection(), utc),
        ("a quarter", _cells(2, 40, 90), Selection(), utc),
        ("a quarter on another clock", _cells(2, 40, 90), Selection(), yangon),
        ("across the change to summer time", _cells(3, 40, 120), Selection(), new_york),
        ("little stock", _cells(4, 40, 20), Selection(), Store(stock_at_cost=10_000)),
        ("one branch and line", _cells(5, 30, 30), Selection(branch=frozenset("A"), product_line=frozenset("x")), utc),
        (
            "members with cash",
            _cells(6, 30, 30),
            Selection(customer_type=frozenset("M"), payment=frozenset(["Cash"])),
            utc,
        ),
        ("a week", _cells(7, 30, 30), Selection(since=week, until=week + 7 * 1440), utc),
        ("two days, in which not every shelf sells", _cells(7, 40, 30), Selection(since=week, until=week + 2880), utc),
        ("some hours", _cells(10, 300, 10), Selection(since=week + 37, until=week + 200), utc),
        ("nothing selected", _cells(8, 5, 30), Selection(branch=frozenset("Z")), utc),
        ("great sums", _cells(9, 60, 400), Selection(), utc),
    ]
    return [
        {
            "name": name,
            "store": msgspec.to_builtins(store),
            "selection": {
                **{d: sorted(getattr(selection, d) or ()) for d in DIMENSIONS},
                "since": selection.since,
                "until": selection.until,
            },
            "cells": [
                {
                    "minute": cell.key.minute,
                    "branch": cell.key.branch,
                    "writer": cell.key.writer,
                    "version": cell.version,
                    "rows": [
                        {"line": c.product_line, "customer": c.customer_type, "payment": c.payment, "measures": values}
                        for c, values in cell.combos.items()
                    ],
                }
                for cell in cells
            ],
            "expected": msgspec.to_builtins(kpis(cells, selection, store)),
        }
        for name, cells, selection, store in cases
    ]


if __name__ == "__main__":
    PATH.write_text(json.dumps(vectors(), separators=(",", ":")) + "\n")
