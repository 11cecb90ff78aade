"""Faults on request, each with a truth label: what a till, a network or a thief does to a stream of sales."""

from __future__ import annotations

import heapq
import math
from collections.abc import Collection, Iterable, Iterator
from decimal import Decimal
from typing import Any

import msgspec
import numpy as np

from simulator.sources import Row, priced
from tidemark.errors import Misuse
from tidemark.store import Store

FAULTS = {
    "duplicate": "the same sale again, up to 200 rows later",
    "conflict": "another sale with the same id, up to 200 rows later",
    "late": "a sale held back by 100 to 500 rows",
    "out_of_order": "a sale held back by up to 20 rows",
    "malformed": "a row that is no sale, beside the good ones",
    "outlier": "a price ten times what it was, total and tax in agreement",
    "price_drift": "all prices changed for good, a quarter up; the share is that of the run that comes after",
}
ANOMALIES = ("outlier",)
"""Faults that make a sale one that something is wrong with, whenever and however often it comes."""
DEARER = 1.25
"""What prices drift by where nothing else is asked for."""


class Drift(msgspec.Struct, frozen=True):
    """After a run's first `after` sales prices are `price` times what they were, to the cent, and stay so."""

    after: int
    price: float


class Labelled(msgspec.Struct, frozen=True):
    """A row that is sent, and the fault it is, None where it is as the source gave it. `drifted`: whether it was sold
    after the drift, whatever else is the matter; where nothing is, a drifted price is the fault."""

    row: Row
    fault: str | None
    drifted: bool = False


def parse(text: str | None, known: Collection[str] = FAULTS) -> dict[str, float]:
    """`duplicate=0.1,late=0.05` as shares of the faults that are `known`. Raises Misuse that names what is wrong."""
    shares: dict[str, float] = {}
    for part in filter(None, (text or "").split(",")):
        name, _, share = part.partition("=")
        if name not in known:
            raise Misuse(f"--faults: there is no fault {name!r}; there are {', '.join(known)}")
        try:
            shares[name] = float(share)
        except ValueError:
            raise Misuse(f"--faults: {name} needs a share in 0 to 1, got {share!r}") from None
        if not 0 <= shares[name] <= 1:
            raise Misuse(f"--faults: {name} needs a share in 0 to 1, got {share}")
    return shares


def drift_of(share: float, after: int | None, price: float | None, sales: int | None) -> Drift | None:
    """The drift of a run of `sales` (None: endless): of its last `share`, or of what comes after `after` sales.

    Raises Misuse where it cannot be told when that begins.
    """
    if after is not None:
        if share:
            raise Misuse("--drift-after and --faults price_drift exclude each other")
        if after < 0 or (sales is not None and after >= sales):
            raise Misuse(f"--drift-after: expected 0 or more, and fewer than the run's sales, got {after}")
    elif share == 1:
        after = 0
    elif share:
        if sales is None:
            raise Misuse(
                "--faults: price_drift is a share of the run, this one is endless: add --limit or --drift-after"
            )
        after = sales - round(share * sales)
    elif price is not None:
        raise Misuse("--drift-price needs --drift-after or --faults price_drift=SHARE")
    else:
        return None
    return Drift(after, DEARER if price is None else price)


def inject(
    rows: Iterable[Row], shares: dict[str, float], seed: int, store: Store, drift: Drift | None = None
) -> Iterator[Labelled]:
    """The rows with faults. Every good row is still sent exactly as it is, but drifted, late, out-of-order and outlier
    ones: duplicates, conflicts and malformed rows are sent beside them. A drift changes no other fault."""
    after, price = (drift.after, drift.price) if drift else (math.inf, 1.0)
    draw = np.random.default_rng(seed)
    waiting: list[tuple[int, int, Labelled]] = []  # (due after this many rows, tie-breaker, row)
    serial = 0

    def hold(labelled: Labelled, now: int, low: int, high: int) -> None:
        nonlocal serial
        serial += 1
        heapq.heappush(waiting, (now + int(draw.integers(low, high + 1)), serial, labelled))

    number = 0
    for number, given in enumerate(rows):  # used after the loop
        hit = {name for name, share in shares.items() if draw.random() < share}
        drifted = number >= after
        moved = drifted and price != 1
        row = _drifted(given, price, store) if moved else given
        sold = _outlier(row, store) if "outlier" in hit else row
        own = "outlier" if "outlier" in hit else None
        if "duplicate" in hit:
            hold(Labelled(sold, "duplicate", drifted), number, 1, 200)
        if "conflict" in hit:
            hold(Labelled(_conflict(sold, store), "conflict", drifted), number, 1, 200)
        if "malformed" in hit:
            yield Labelled(_malformed(row, draw), "malformed", drifted)
        if "late" in hit:
            hold(Labelled(sold, own or "late", drifted), number, 100, 500)
        elif "out_of_order" in hit:
            hold(Labelled(sold, own or "out_of_order", drifted), number, 1, 20)
        else:
            yield Labelled(sold, own or ("price_drift" if moved else None), drifted)
        while waiting and waiting[0][0] <= number:
            yield heapq.heappop(waiting)[2]
    while waiting:
        yield heapq.heappop(waiting)[2]


def _drifted(row: Row, price: float, store: Store) -> Row:
    cents = (Decimal(row["unit_price"]) * Decimal(str(price))).quantize(Decimal("0.01"))
    return {**row, **priced(cents, row["quantity"], store)}


def _outlier(row: Row, store: Store) -> Row:
    return {**row, **priced(Decimal(row["unit_price"]) * 10, row["quantity"], store)}


def _conflict(row: Row, store: Store) -> Row:
    return {**row, **priced(Decimal(row["unit_price"]), row["quantity"] % 10 + 1, store)}


def _malformed(row: Row, draw: np.random.Generator) -> Row:
    wrong: list[dict[str, Any]] = [
        {"quantity": -1},
        {"quantity": "three"},
        {"unit_price": "12.345678"},
        {"sold_at": row["sold_at"][:19]},
        {"branch": ""},
        {"colour": "red"},
    ]
    change = wrong[int(draw.integers(len(wrong)))]
    return {**row, "invoice_id": f"{row['invoice_id']}!"[-64:], **change}
