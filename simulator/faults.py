"""Faults on request, each with a truth label: what a till, a network or a thief does to a stream of sales."""

from __future__ import annotations

import heapq
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
}


class Labelled(msgspec.Struct, frozen=True):
    """A row that is sent, and the fault it is, None where it is as the source gave it."""

    row: Row
    fault: str | None


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


def inject(rows: Iterable[Row], shares: dict[str, float], seed: int, store: Store) -> Iterator[Labelled]:
    """The rows with faults. Every good row is still sent exactly as it is, but late, out-of-order and outlier ones:
    duplicates, conflicts and malformed rows are sent beside them."""
    draw = np.random.default_rng(seed)
    waiting: list[tuple[int, int, Labelled]] = []  # (due after this many rows, tie-breaker, row)
    serial = 0

    def hold(labelled: Labelled, now: int, low: int, high: int) -> None:
        nonlocal serial
        serial += 1
        heapq.heappush(waiting, (now + int(draw.integers(low, high + 1)), serial, labelled))

    number = 0
    for number, row in enumerate(rows):  # used after the loop
        hit = {name for name, share in shares.items() if draw.random() < share}
        sent = Labelled(_outlier(row, store), "outlier") if "outlier" in hit else Labelled(row, None)
        if "duplicate" in hit:
            hold(Labelled(sent.row, "duplicate"), number, 1, 200)
        if "conflict" in hit:
            hold(Labelled(_conflict(sent.row, store), "conflict"), number, 1, 200)
        if "malformed" in hit:
            yield Labelled(_malformed(row, draw), "malformed")
        if "late" in hit:
            hold(Labelled(sent.row, sent.fault or "late"), number, 100, 500)
        elif "out_of_order" in hit:
            hold(Labelled(sent.row, sent.fault or "out_of_order"), number, 1, 20)
        else:
            yield sent
        while waiting and waiting[0][0] <= number:
            yield heapq.heappop(waiting)[2]
    while waiting:
        yield heapq.heappop(waiting)[2]


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
