"""Tills, and the sales that they post."""

from __future__ import annotations

import random
from typing import Any

import msgspec

from tests.samples import of_own_line
from tidemark.ledger import digest
from tidemark.privacy.personal import Pseudonyms
from tidemark.sale import Sale

SALES = 40  # ids that tills draw from
MINUTES = (0, 1, 29, 30, 31, 870, 871, 57_600)
BEGIN = 25_780_920  # the UTC minute of minute(0)
LONGEST_BATCH = 7
PERSON_KEY = "the key that pseudonyms are made with"
_pseudonyms = Pseudonyms(PERSON_KEY)
CUSTOMERS = [f"customer {number}" for number in range(5)]
NAMES = {_pseudonyms.of(name): name for name in CUSTOMERS}
"""Who a pseudonym is: only the tills know."""


class Till:
    """Posts a batch until it is answered, and keeps the answers."""

    def __init__(self, number: int, drawn: random.Random) -> None:
        self.number = number
        self._drawn = drawn
        self.token = ""
        self.ends_s = 0.0
        self.batch: list[dict[str, Any]] = []
        self.answers: list[tuple[list[dict[str, Any]], list[dict[str, Any]]]] = []

    def next_batch(self) -> list[dict[str, Any]]:
        """The one that waits for its answer, or another: sales new and old, others by an old one's name, wrong ones."""
        if not self.batch:
            self.batch = [self._row() for _ in range(self._drawn.randint(1, LONGEST_BATCH))]
        return self.batch

    def _row(self) -> dict[str, Any]:
        number = self._drawn.randrange(SALES)
        row = row_of(number)
        what = self._drawn.random()
        if what < 0.12:
            return {**row, "quantity": row["quantity"] + 1 + self._drawn.randrange(2)}
        if what < 0.2:
            return {**row, "invoice_id": f"wrong-{number}", "quantity": -1}
        return row


def row_of(number: int) -> dict[str, Any]:
    """The n-th sale. Two of three name a customer."""
    row = of_own_line(number, MINUTES[number % len(MINUTES)])
    return {**row, "customer_id": CUSTOMERS[number % 5]} if number % 3 else row


def as_posted(sale: Sale) -> dict[str, Any]:
    """A sale that was kept as its till posted it."""
    row: dict[str, Any] = msgspec.to_builtins(sale)
    return {**row, "customer_id": NAMES[sale.customer_id]} if sale.customer_id else row


def digest_of(row: dict[str, Any]) -> str:
    """By which a row is told from another of its name."""
    (sale,) = _pseudonyms.apply([msgspec.convert(row, Sale)])
    assert isinstance(sale, Sale)
    return digest(sale)
