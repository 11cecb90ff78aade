"""Housing batches: the census file in pieces, or blocks drawn alike where it is not here; some of them faulty."""

from __future__ import annotations

import csv
import hashlib
import io
import math
import random
from collections.abc import Iterator
from pathlib import Path

import msgspec

from tidemark.errors import Misuse

HEADER = (
    *("longitude", "latitude", "housing_median_age", "total_rooms", "total_bedrooms", "population", "households"),
    *("median_income", "median_house_value", "ocean_proximity"),
)
FAULTS = {
    "missing_column": "a column is not there",
    "text": "text stands where numbers are due",
    "nulls": "a column is 99 % empty",
    "duplicate": "the file before, again under another name",
    "half": "the file ends in the middle of a line",
    "empty": "no byte at all",
}
Row = tuple[str, ...]


class Piece(msgspec.Struct, frozen=True):
    """A batch to send: its content, what is stated of it, and which fault is in it."""

    name: str
    content: bytes
    stated: dict[str, str]
    fault: str | None = None


def read(path: Path) -> list[Row]:
    """The rows of a census file. Raises Misuse where it has other columns."""
    with path.open(newline="") as file:
        reader = csv.reader(file)
        if tuple(next(reader, ())) != HEADER:
            raise Misuse(f"{path.name}: expected the columns {', '.join(HEADER)}")
        return [tuple(row) for row in reader]


def drawn(seed: int, rows: int = 20_640) -> list[Row]:
    """Blocks drawn, not real: towns along a coast, prices by income, coast and town, with noise."""
    draw = random.Random(seed)
    towns = [(draw.uniform(32.7, 41.0), draw.uniform(0.0, 2.5), draw.gauss(0.0, 0.3)) for _ in range(60)]
    found: list[Row] = []
    for _ in range(rows):
        latitude, inland, charm = draw.choice(towns)
        latitude, inland = latitude + draw.gauss(0, 0.12), abs(inland + draw.gauss(0, 0.12))
        longitude = -117.2 - 0.82 * (latitude - 32.6) + inland
        households = max(5, round(math.exp(draw.gauss(6.0, 0.7))))
        rooms = round(households * draw.uniform(3.2, 7.0))
        income = min(15.0001, max(0.5, math.exp(draw.gauss(1.25, 0.45))))
        price = math.exp(11.0 + 0.62 * math.log(income + 0.6) - 0.25 * inland + charm + draw.gauss(0, 0.18))
        near = "NEAR OCEAN" if inland < 0.15 else "<1H OCEAN" if inland < 0.8 else "INLAND"
        found.append(
            (
                f"{longitude:.2f}",
                f"{latitude:.2f}",
                f"{min(52, max(1, round(draw.gauss(28, 12))))}.0",
                f"{rooms}.0",
                "" if draw.random() < 0.01 else f"{max(1, round(rooms * draw.uniform(0.17, 0.25)))}.0",
                f"{max(3, round(households * draw.uniform(2.0, 3.6)))}.0",
                f"{households}.0",
                f"{income:.4f}",
                f"{min(500001, max(14999, round(price, -2))):.1f}",
                near,
            )
        )
    return found


def pieces(rows: list[Row], *, size: int, first: int, faults: dict[str, float], seed: int) -> Iterator[Piece]:
    """Batches of `size` rows, the first of `first`, in an order drawn once; after each, with the shares given, faulty
    ones. The rows of a faulty batch come again, whole, with the next good one: nothing is lost.
    """
    draw = random.Random(seed)
    order = list(range(len(rows)))
    draw.shuffle(order)
    number, start = 0, 0
    before: Piece | None = None
    while start < len(order):
        end = start + (first if start == 0 else size)
        batch = [rows[place] for place in order[start:end]]
        for fault, share in faults.items():
            if before is not None and draw.random() < share:
                number += 1
                yield faulty(fault, f"{number:05d}-{seed}.csv", batch, before)
        number += 1
        before = _piece(f"{number:05d}-{seed}.csv", _csv(HEADER, batch), len(batch))
        yield before
        start = end


def faulty(fault: str, name: str, batch: list[Row], before: Piece) -> Piece:
    """A batch with a fault."""
    column = HEADER.index("median_income")
    if fault == "missing_column":
        content = _csv(_without(HEADER, column), [_without(row, column) for row in batch])
    elif fault == "text":
        content = _csv(HEADER, [_with(row, column, "unknown") for row in batch])
    elif fault == "nulls":
        content = _csv(HEADER, [row if n % 100 == 0 else _with(row, column, "") for n, row in enumerate(batch)])
    elif fault == "duplicate":
        content = before.content
    elif fault == "half":
        content = _csv(HEADER, batch)
        return Piece(name, content[: len(content) * 2 // 3], {}, fault)
    elif fault == "empty":
        content = b""
    else:
        raise Misuse(f"there is no fault {fault!r}; there are {', '.join(FAULTS)}")
    return Piece(name, content, _stated(content, None), fault)


def _piece(name: str, content: bytes, rows: int) -> Piece:
    return Piece(name, content, _stated(content, rows))


def _stated(content: bytes, rows: int | None) -> dict[str, str]:
    digest = {"sha256": hashlib.sha256(content).hexdigest()}
    return digest if rows is None else {**digest, "rows": str(rows)}


def _csv(header: Row, rows: list[Row]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue().encode()


def _with(row: Row, column: int, value: str) -> Row:
    return (*row[:column], value, *row[column + 1 :])


def _without(row: Row, column: int) -> Row:
    return (*row[:column], *row[column + 1 :])
