"""A cell as an item of DynamoDB's cells table, and as an image of its stream."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from tidemark import cells
from tidemark.cells import Cell, CellKey


def read_cell(item: Mapping[str, Any]) -> Cell:
    """The cell in an item of the cells table or in an image of its stream."""
    minute, writer, branch = item["cell"]["S"].split("#", 2)
    state = item["state"]["B"]
    return Cell(
        key=CellKey(int(minute), branch, writer),
        version=int(item["version"]["N"]),
        written_at=int(item["written_at"]["N"]),
        combos=cells.unpack(base64.b64decode(state) if isinstance(state, str) else state),
        moved=int(item["moved"]["N"]) if "moved" in item else 0,
    )


def cell_item(cell: Cell) -> dict[str, Any]:
    """The item that holds the cell."""
    return {
        **cell_key(cell.key),
        "version": {"N": str(cell.version)},
        "written_at": {"N": str(cell.written_at)},
        "state": {"B": cells.pack(cell.combos)},
    }


def cell_key(key: CellKey) -> dict[str, Any]:
    """The key of the item that holds a cell."""
    minute, branch, writer = key
    return {
        "hour_shard": {"S": f"{minute // 60}#{cells.shard(writer)}"},
        "cell": {"S": f"{minute:010d}#{writer}#{branch}"},
    }
