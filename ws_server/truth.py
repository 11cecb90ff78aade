"""What is true now: every cell in its newest version, in memory, and what has changed since when."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from typing import Any

from tidemark.adapters.redis_stream import Notice
from tidemark.cells import Cell, CellKey

RECENT = 200


class Truth:
    """The merge of all that was read. A sequence number rises with every change; with `epoch`, the name of this
    process's numbering, it is a cursor."""

    def __init__(self) -> None:
        self.epoch = secrets.token_hex(4)
        self.sequence = 0
        self._cells: dict[CellKey, tuple[Cell, int]] = {}
        self._notices: dict[str, tuple[Notice, int]] = {}

    def __len__(self) -> int:
        return len(self._cells)

    @property
    def cursor(self) -> str:
        """Everything up to here is in what was given with it."""
        return f"{self.epoch}-{self.sequence}"

    def merge(self, cells: Iterable[Cell], notices: Iterable[Notice] = ()) -> bool:
        """Take what is newer than what is held; returns whether anything was."""
        number = self.sequence + 1
        changed = False
        for cell in cells:
            held = self._cells.get(cell.key)
            if held is None or cell.version > held[0].version:
                self._cells[cell.key] = (cell, number)
                changed = True
        for notice in notices:
            if notice.invoice_id not in self._notices:
                self._notices[notice.invoice_id] = (notice, number)
                changed = True
        while len(self._notices) > RECENT:
            del self._notices[next(iter(self._notices))]
        if changed:
            self.sequence = number
        return changed

    def since(self, cursor: str | None) -> dict[str, Any]:
        """What has changed since the cursor, or everything where there is none or it is another process's."""
        epoch, _, number = (cursor or "").partition("-")
        after = int(number) if epoch == self.epoch and number.isdecimal() else -1
        return {
            "cursor": self.cursor,
            "whole": after < 0,
            **frame(
                (cell for cell, changed in self._cells.values() if changed > after),
                [notice for notice, changed in self._notices.values() if changed > after],
            ),
        }


def frame(cells: Iterable[Cell], notices: Iterable[Notice]) -> dict[str, Any]:
    """Cells for the browser: names once, then for each cell [minute, branch, writer, version, rows], each row
    [product line, customer type, payment, measures…]; names as places in `names`."""
    names: dict[str, int] = {}

    def place(name: str) -> int:
        return names.setdefault(name, len(names))

    rows = [
        [
            cell.key.minute,
            place(cell.key.branch),
            place(cell.key.writer),
            cell.version,
            [[*map(place, combo), *values] for combo, values in cell.combos.items()],
        ]
        for cell in cells
    ]
    return {"names": list(names), "cells": rows, "anomalies": [_told(notice) for notice in notices]}


def _told(notice: Notice) -> dict[str, Any]:
    return {
        "invoice_id": notice.invoice_id,
        "minute": notice.minute,
        "branch": notice.branch,
        "product_line": notice.product_line,
        "total": notice.total,
        "flags": notice.flags,
        "score": notice.score,
    }
