"""Rows that are no sales of this store: what the anomaly score learns against, and what it is measured on.

The kinds of fault are listed here before anything is trained. A network is trained against those that a rule names and
against three backgrounds that are no kinds of fault; those of `UNSEEN` it meets for the first time when it is measured.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

import numpy as np

from simulator.sources import Row, priced
from tidemark.store import Store

Corrupt = Callable[[Row, np.random.Generator, Store], Row]
Field = Callable[[Row, np.random.Generator], Row]
CENT = Decimal("0.01")
TENTH_OF_A_MILL = Decimal("0.0001")
MOST = 10_000  # pieces; a row of more is rejected before it is scored
WIDER = 20  # times the store's own range of prices, each way


def _times(row: Row, factor: Decimal, store: Store) -> Row:
    price = max(CENT, (Decimal(row["unit_price"]) * factor).quantize(CENT))
    return {**row, **priced(price, row["quantity"], store)}


# -- faults that a rule names


def wrong_total(row: Row, draw: np.random.Generator, _store: Store) -> Row:
    """A total that is not price times quantity plus tax."""
    total = Decimal(row["total"]) * Decimal(str(round(draw.uniform(0.5, 0.95), 3)))
    return {**row, "total": str(total.quantize(TENTH_OF_A_MILL))}


def wrong_tax(row: Row, draw: np.random.Generator, store: Store) -> Row:
    """A tax that is not the store's rate; the total agrees with it."""
    cogs = Decimal(row["unit_price"]) * row["quantity"]
    rate = Decimal(store.tax_rate_bp) / 10_000 + Decimal(str(round(draw.uniform(0.01, 0.15), 3)))
    tax = (cogs * rate).quantize(TENTH_OF_A_MILL)
    return {**row, "tax": str(tax), "total": str(cogs + tax)}


def at_night(row: Row, draw: np.random.Generator, store: Store) -> Row:
    """A sale while the store is closed."""
    moment = datetime.fromisoformat(row["sold_at"])
    closed = (24 - store.open_hours) * 60
    minute = (store.closes * 60 + int(draw.integers(0, closed))) % 1440
    return {**row, "sold_at": (moment.replace(hour=0, minute=0) + timedelta(minutes=minute)).isoformat()}


def unknown_line(row: Row, _draw: np.random.Generator, _store: Store) -> Row:
    """A product line that is not on the list."""
    return {**row, "product_line": "Sundries"}


# -- faults that no rule names


def price_times_ten(row: Row, _draw: np.random.Generator, store: Store) -> Row:
    """A slipped decimal point."""
    return _times(row, Decimal(10), store)


def price_over_ten(row: Row, _draw: np.random.Generator, store: Store) -> Row:
    """A slipped decimal point, the other way."""
    return _times(row, Decimal("0.1"), store)


def many_items(row: Row, draw: np.random.Generator, store: Store) -> Row:
    """Twenty to five hundred times as many."""
    quantity = min(row["quantity"] * int(draw.integers(20, 500)), MOST)
    return {**row, **priced(Decimal(row["unit_price"]), quantity, store)}


def digit_twice(row: Row, _draw: np.random.Generator, store: Store) -> Row:
    """A key that bounced: 3 pieces become 33."""
    return {**row, **priced(Decimal(row["unit_price"]), min(int(str(row["quantity"]) * 2), MOST), store)}


def swapped(row: Row, _draw: np.random.Generator, store: Store) -> Row:
    """Price and quantity in each other's field."""
    quantity = min(max(1, round(Decimal(row["unit_price"]))), MOST)
    return {**row, **priced(Decimal(row["quantity"]), quantity, store)}


def halved_rating(row: Row, _draw: np.random.Generator, _store: Store) -> Row:
    """A rating on a scale of five."""
    return {**row, "rating": round(float(row["rating"]) / 2, 1)}


def lowest_rating(row: Row, draw: np.random.Generator, _store: Store) -> Row:
    """A rating of 0 to 3."""
    return {**row, "rating": round(float(draw.uniform(0, 3)), 1)}


NAMED: dict[str, Corrupt] = {
    "wrong total": wrong_total,
    "wrong tax": wrong_tax,
    "at night": at_night,
    "unknown line": unknown_line,
}
"""A rule names each, and a network is trained against them."""

UNSEEN: dict[str, Corrupt] = {
    "price x 10": price_times_ten,
    "price / 10": price_over_ten,
    "many items": many_items,
    "digit twice": digit_twice,
    "price and quantity swapped": swapped,
    "rating halved": halved_rating,
    "rating 0 to 3": lowest_rating,
}
"""No rule names them, and no training row is made with them."""

OF_RATINGS = ("rating halved", "rating 0 to 3")
IN_RANGE = "price of another sale"
"""Every value is usual: what is odd, if anything, is that they stand together."""


# -- backgrounds


class Background:
    """Rows that are no fault of any kind: what a sale must stand out from."""

    def __init__(self, rows: Sequence[Row], store: Store) -> None:
        self._rows, self._store = rows, store
        prices = [float(row["unit_price"]) for row in rows]
        self._prices = np.log([min(prices) / WIDER, max(prices) * WIDER])
        self._most = np.log(min(max(row["quantity"] for row in rows) * WIDER, MOST))
        rated = any("rating" in row for row in rows)
        self._fields: tuple[Field, ...] = (self._price, self._quantity, self._time, *((self._rating,) if rated else ()))

    def anything(self, row: Row, draw: np.random.Generator, store: Store) -> Row:
        """A row from all over the place."""
        made = row
        for field in self._fields:
            made = field(made, draw)
        return wrong_total(made, draw, store) if draw.random() < 0.3 else made

    def one_field(self, row: Row, draw: np.random.Generator, _store: Store) -> Row:
        """A row of which one field is from all over the place."""
        return self._fields[int(draw.integers(len(self._fields)))](row, draw)

    def _price(self, row: Row, draw: np.random.Generator) -> Row:
        price = max(CENT, Decimal(str(round(float(np.exp(draw.uniform(*self._prices))), 2))))
        return {**row, **priced(price, row["quantity"], self._store)}

    def _quantity(self, row: Row, draw: np.random.Generator) -> Row:
        return {**row, **priced(Decimal(row["unit_price"]), int(np.exp(draw.uniform(0, self._most))), self._store)}

    def _time(self, row: Row, draw: np.random.Generator) -> Row:
        minute = int(draw.integers(0, 1440))
        moment = datetime.fromisoformat(row["sold_at"]).replace(hour=minute // 60, minute=minute % 60)
        return {**row, "sold_at": moment.isoformat()}

    def _rating(self, row: Row, draw: np.random.Generator) -> Row:
        return {**row, "rating": round(float(draw.uniform(0, 10)), 1)}

    def put_together(self, row: Row, draw: np.random.Generator, store: Store) -> Row:
        """A row whose price, quantity and rating are each of another sale."""
        price, quantity, rated = (self._rows[place] for place in draw.integers(0, len(self._rows), 3))
        made = {**row, **priced(Decimal(price["unit_price"]), quantity["quantity"], store)}
        if "rating" in row and "rating" in rated:
            made["rating"] = rated["rating"]
        return made

    def price_of_another(self, row: Row, draw: np.random.Generator, store: Store) -> Row:
        """A row with the price of another sale."""
        other = self._rows[int(draw.integers(0, len(self._rows)))]
        return {**row, **priced(Decimal(other["unit_price"]), row["quantity"], store)}
