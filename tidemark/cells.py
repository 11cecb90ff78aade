"""Cells: the exact counters. One cell is what one writer has counted in one minute at one branch.

A cell is only ever replaced by its next absolute state, one version on, by the one writer that owns it. So the
version orders all states of a cell, equal versions are equal values, and any two readers that merge by the higher
version agree whatever was repeated, reordered or lost on the way. Readers sum over writers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple
from zlib import crc32

import msgspec

SCHEMA = 1
SHARDS = 8  # partitions an hour's cells are spread over: 1,000 write units/s each (AWS, DynamoDB partitions)

MEASURES = (
    "tickets",
    "items",
    "sales",
    "cogs",
    "tax",
    "returns",
    "returned_items",
    "returned_sales",
    "returned_cogs",
    "anomalies",
    "rating_sum",
    "rating_count",
)
Measures = tuple[int, ...]
"""The additive measures in the order of `MEASURES`; money and rating_sum in units of 1/10,000."""

ZERO: Measures = (0,) * len(MEASURES)


class Combo(NamedTuple):
    """What a cell is divided by."""

    product_line: str
    customer_type: str
    payment: str


class CellKey(NamedTuple):
    """Whose count of which minute (UTC, since 1970) and branch."""

    minute: int
    branch: str
    writer: str


class Cell(msgspec.Struct, frozen=True):
    """One cell in one version. `written_at`: milliseconds since 1970 on the writer's clock.

    `moved`: which move of its branch takes it into history; 0 of a cell that its writer may still change.
    """

    key: CellKey
    version: int
    written_at: int
    combos: Mapping[Combo, Measures]
    moved: int = 0


def measures(
    *, kind: str, quantity: int, total: int, cogs: int, tax: int, rating: int | None, anomaly: bool
) -> Measures:
    """What one sale adds to its cell. Money and rating in units of 1/10,000."""
    rated = (rating or 0, int(rating is not None))
    if kind == "return":
        return (0, 0, 0, 0, 0, 1, quantity, total, cogs, int(anomaly), *rated)
    return (1, quantity, total, cogs, tax, 0, 0, 0, 0, int(anomaly), *rated)


def add(left: Measures, right: Measures) -> Measures:
    """The sum, measure by measure."""
    return tuple(map(int.__add__, left, right))


def shard(writer: str) -> int:
    """Which of an hour's partitions a writer's cells lie in."""
    return crc32(writer.encode()) % SHARDS


_Packed = tuple[int, list[tuple[str, str, str, Measures]]]
_decoder = msgspec.msgpack.Decoder(_Packed)
_encoder = msgspec.msgpack.Encoder()


def pack(combos: Mapping[Combo, Measures]) -> bytes:
    """A cell's map as MessagePack, with its schema's version in front."""
    return _encoder.encode((SCHEMA, [(*combo, values) for combo, values in combos.items()]))


def unpack(packed: bytes) -> dict[Combo, Measures]:
    """What `pack` packed. Raises ValueError where it is of a schema that is not known here."""
    schema, rows = _decoder.decode(packed)
    if schema != SCHEMA:
        raise ValueError(f"a cell of schema {schema}; this code knows {SCHEMA}")
    return {Combo(line, customer, payment): values for line, customer, payment, values in rows}
