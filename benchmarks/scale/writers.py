"""The writers, simulated: POSTs come to environments, each a writer; batches become transactions and cells.

What the real `Writer` does with sales is done here with counts: which cells a POST touches, how it is cut into
transactions, how many combinations each cell holds by then, and so how many bytes and write units that is.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.scale import limits
from benchmarks.scale.load import Load
from tidemark.costs.item_size import IN_A_TRANSACTION, UNIT
from tidemark.writer import MAX_ITEMS

MINUTES, WARM = 2, 1  # simulated, and of these not counted
SECONDS = 60 * MINUTES
MOST_SALES, MOST_POSTS = 200_000, 6_000  # of more, a part of the writers is simulated: they do not know of each other

_COMBOS = int(limits.COMBOS.value)
_Ints = NDArray[np.int64]


class Writes(NamedTuple):
    """What a POST becomes, on average; `writers` are the environments that it took.

    `items`: in a transaction. `cells`: written. `cell_units`: write units of them. `combos`: in a cell as written.
    `begun`: those of them that are new. `post_ms`: how long it keeps its environment.
    """

    writers: int
    transactions: float
    items: float
    cells: float
    cell_units: float
    cell_bytes: float
    combos: float
    begun: float
    post_ms: float


def post_times(load: Load, part: float = 1.0) -> list[float]:
    """When POSTs come, in seconds: as they like."""
    count = max(1, round(load.posts * SECONDS * part))
    return [float(time) for time in np.sort(np.random.default_rng(load.seed).uniform(0, SECONDS, count))]


def item_bytes(combos: float) -> float:
    """Bytes of a cell's item."""
    return limits.CELL_ITEM_BYTES.value + limits.COMBO_ITEM_BYTES.value * combos


def post_ms(batch: int, transactions: float, items: float) -> float:
    """How long a POST keeps its environment, milliseconds.

    DynamoDB's time is a few milliseconds a transaction and so much an item that a POST of 100 sales takes INGEST_MS.
    """
    cpu = (limits.EXAMINE_MS.value + limits.SALE_MS.value * batch) / limits.INGEST_CPU.value
    return cpu + transactions * (limits.TRANSACTION_MS.value + _item_ms() * items)


def _item_ms() -> float:
    cpu = (limits.EXAMINE_MS.value + limits.SALE_MS.value * 100) / limits.INGEST_CPU.value
    return (limits.INGEST_MS.value - cpu - 2 * limits.TRANSACTION_MS.value) / 102  # two transactions, two cells


def environments(posts: float, milliseconds: float) -> int:
    """Environments that serve so many POSTs a second when they come as they like (three deviations above the mean)."""
    at_once = posts * milliseconds / 1000
    return max(1, math.ceil(at_once + 3 * math.sqrt(at_once)), math.ceil(posts / limits.REQUESTS_EACH.value))


def simulate(load: Load, writers: int | None = None) -> Writes:
    """A few minutes of the load. `writers`: as many as it takes, if None."""
    if writers is not None:
        return _run(load, writers)
    guess = _run(load, 1) if load.posts < 1 else _run(load, environments(load.posts, 60.0))
    return _run(load, environments(load.posts, guess.post_ms))


def _run(load: Load, writers: int) -> Writes:
    random = np.random.default_rng(load.seed)
    part = min(1.0, MOST_SALES / (load.sales_per_second * SECONDS), MOST_POSTS / (load.posts * SECONDS))
    kept = max(1, round(writers * part))
    times = post_times(load, kept / writers)
    owners = random.integers(0, kept, len(times)).tolist()
    masks: dict[tuple[int, int], int] = {}
    transactions = items = written = units = begun = counted = combos = 0
    size = 0.0
    for time, owner in zip(times, owners, strict=True):
        counts = time >= 60 * WARM
        counted += counts
        for chunk in _chunks(*_sales(load, time, random)):
            transactions += counts
            items += counts * sum(1 + len(sold) for _, sold in chunk)
            for place, sold in chunk:
                before = masks.get((place, owner), 0)
                after = before | int(np.bitwise_or.reduce(np.left_shift(1, sold)))
                masks[place, owner] = after
                if counts:
                    held = after.bit_count()
                    written += 1
                    begun += before == 0
                    combos += held
                    size += item_bytes(held)
                    units += IN_A_TRANSACTION * math.ceil(item_bytes(held) / UNIT)
    counted = max(1, counted)
    a_transaction = items / max(1, transactions)
    return Writes(
        writers=writers,
        transactions=transactions / counted,
        items=a_transaction,
        cells=written / counted,
        cell_units=units / counted,
        cell_bytes=size / max(1, written),
        combos=combos / max(1, written),
        begun=begun / counted,
        post_ms=post_ms(load.batch, transactions / counted, a_transaction),
    )


def _sales(load: Load, time: float, random: np.random.Generator) -> tuple[_Ints, _Ints]:
    """A POST's sales in the order of their places: each one's place, minute and branch in one, and combination."""
    sold = np.floor((time - random.uniform(0, load.spread_minutes * 60, load.batch)) / 60).astype(np.int64)
    branch = random.integers(0, load.branches, load.batch if load.mixed else 1)
    return np.sort((sold + 1_000_000) * load.branches + branch), random.integers(0, _COMBOS, load.batch)


def _chunks(places: _Ints, combos: _Ints) -> Iterator[list[tuple[int, _Ints]]]:
    """Each transaction: its places, and the combinations sold there. As `Writer` cuts them, by items alone."""
    edges = [0, *(np.flatnonzero(np.diff(places)) + 1).tolist(), len(places)]
    chunk: list[tuple[int, _Ints]] = []
    items = 0
    for first, end in pairwise(edges):
        at = first
        while at < end:
            room = MAX_ITEMS - items - 1
            if room < 1:
                yield chunk
                chunk, items = [], 0
                continue
            take = min(room, end - at)
            chunk.append((int(places[first]), combos[at : at + take]))
            items += 1 + take
            at += take
    yield chunk
