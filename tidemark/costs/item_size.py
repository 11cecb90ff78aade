"""What DynamoDB charges for an item: its size by AWS's rules, and the write units of it.

Source: AWS, "DynamoDB item sizes and formats" and "DynamoDB read and write operations".
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

UNIT = 1_024  # bytes that one write unit writes
IN_A_TRANSACTION = 2  # prepare and commit


def size(item: Mapping[str, Any]) -> int:
    """Bytes of an item, its attributes' names among them. Of DynamoDB's types, those that Tidemark stores."""
    return sum(len(name.encode()) + _of(value) for name, value in item.items())


def write_units(item: Mapping[str, Any], *, transaction: bool) -> int:
    """What putting it costs."""
    return math.ceil(size(item) / UNIT) * (IN_A_TRANSACTION if transaction else 1)


def _of(value: Mapping[str, Any]) -> int:
    ((kind, content),) = value.items()
    if kind == "S":
        return len(content.encode())
    if kind == "B":
        return len(content)
    if kind == "N":
        return math.ceil(len(content.lstrip("-").strip("0.") or "0") / 2) + 1
    raise ValueError(f"an item with a value of the type {kind!r}")
