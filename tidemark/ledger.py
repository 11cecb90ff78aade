"""The ledger: every sale that was taken, once, as it was taken."""

from __future__ import annotations

from datetime import datetime
from hashlib import blake2b
from typing import Literal

import msgspec

from tidemark import money
from tidemark.cells import Cell, Combo, Measures, measures
from tidemark.sale import Sale


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """A sale in the ledger, with what was found about it when it came in. Money is a decimal string.

    `minute`: UTC, since 1970. `received_at`: milliseconds since 1970. `flags`: the rules it hit. `score`: the
    model's anomaly score in 0 to 1, None where only rules looked. `anomaly`: flagged or scored over the threshold.
    `segment`: which kind of sale the model takes it for. `shadow`, `shadow_score`: a model that scored it beside the
    one that answered, and what it said.
    """

    invoice_id: str
    sold_at: datetime
    minute: int
    branch: str
    customer_type: str
    product_line: str
    unit_price: str
    quantity: int
    payment: str
    cogs: str
    tax: str
    total: str
    kind: Literal["sale", "return"]
    anomaly: bool
    model: str
    received_at: int
    flags: tuple[str, ...] = ()
    score: float | None = None
    basket_quantiles: tuple[float, ...] | None = None
    segment: str | None = None
    shadow: str | None = None
    shadow_score: float | None = None
    rating: str | None = None
    city: str | None = None
    gender: str | None = None
    customer_id: str | None = None
    schema_version: int = 1

    @property
    def combo(self) -> Combo:
        """Which part of its cell it is counted in."""
        return Combo(self.product_line, self.customer_type, self.payment)

    def measures(self) -> Measures:
        """What it adds to its cell."""
        return measures(
            kind=self.kind,
            quantity=self.quantity,
            total=money.from_text(self.total),
            cogs=money.from_text(self.cogs),
            tax=money.from_text(self.tax),
            rating=None if self.rating is None else money.from_text(self.rating),
            anomaly=self.anomaly,
        )


class Counted(msgspec.Struct, frozen=True):
    """An entry with the cell version that counted it: the same transaction wrote both."""

    entry: Entry
    digest: str
    writer: str
    version: int


class Attempt(msgspec.Struct, frozen=True):
    """One transaction: these sales, put if absent, and these cells, put if still at the version before.

    `token` is the ClientRequestToken, new for every attempted body. `request`: whose sales these are, kept beside them
    for the logs of whoever reads the stream; neither sale nor cell depends on it.
    """

    token: str
    sales: list[Counted]
    cells: list[Cell]
    request: str = ""


class Cancelled(Exception):
    """The store refused the whole attempt, and says of each item why.

    `present`: of the sales already in the ledger, id to (digest, token of the attempt that put it).
    `moved`: a cell was not at the version before. `busy`: another transaction held an item; try again.
    """

    def __init__(self, present: dict[str, tuple[str, str]], *, moved: bool = False, busy: bool = False) -> None:
        super().__init__(present, moved, busy)
        self.present = present
        self.moved = moved
        self.busy = busy


class InDoubt(Exception):
    """Nobody can say whether the attempt took effect: it may have, or may yet."""


_encoder = msgspec.msgpack.Encoder()


def digest(sale: Sale) -> str:
    """A hash of what the client says of the sale, alike for `10.5`, `"10.50"` and the same moment in another zone.

    Nothing that Tidemark adds is in it (no score, no time of receipt): a resent sale has the same digest.
    """
    content = (
        sale.invoice_id,
        int(sale.sold_at.timestamp() * 1_000_000),
        sale.branch,
        sale.city,
        sale.customer_type,
        sale.gender,
        sale.product_line,
        units(sale.unit_price),
        sale.quantity,
        sale.payment,
        None if sale.rating is None else units(sale.rating),
        None if sale.tax is None else units(sale.tax),
        None if sale.total is None else units(sale.total),
        sale.kind,
        sale.customer_id,
        sale.schema_version,
    )
    return blake2b(_encoder.encode(content), digest_size=16).hexdigest()


def units(value: float | str) -> int:
    """Units of 1/10,000 of a checked sale's money or rating."""
    return round(float(value) * money.SCALE)
