"""Rows that are no sales of this store: what the anomaly score learns against, and what it is measured on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal

import numpy as np

from simulator.sources import Row, priced
from tidemark.store import Store

Corrupt = Callable[[Row, np.random.Generator, Store], Row]


def _price(row: Row, factor: float, store: Store) -> Row:
    price = max(
        Decimal("0.01"), (Decimal(row["unit_price"]) * Decimal(str(round(factor, 4)))).quantize(Decimal("0.01"))
    )
    return {**row, **priced(price, row["quantity"], store)}


def price_times_ten(row: Row, _draw: np.random.Generator, store: Store) -> Row:
    """A slipped decimal point."""
    return _price(row, 10, store)


def price_over_ten(row: Row, _draw: np.random.Generator, store: Store) -> Row:
    """A slipped decimal point, the other way."""
    return _price(row, 0.1, store)


def many_items(row: Row, draw: np.random.Generator, store: Store) -> Row:
    """A quantity no household buys."""
    return {**row, **priced(Decimal(row["unit_price"]), int(draw.integers(20, 500)), store)}


def wrong_total(row: Row, draw: np.random.Generator, store: Store) -> Row:
    """A total that is not price times quantity plus tax."""
    total = Decimal(row["total"]) * Decimal(str(round(draw.uniform(0.5, 0.95), 3)))
    return {**row, "total": str(total.quantize(Decimal("0.0001")))}


def wrong_tax(row: Row, draw: np.random.Generator, store: Store) -> Row:
    """A tax that is not the store's rate; the total agrees with it."""
    cogs = Decimal(row["unit_price"]) * row["quantity"]
    tax = (cogs * Decimal(str(round(draw.uniform(0.06, 0.2), 3)))).quantize(Decimal("0.0001"))
    return {**row, "tax": str(tax), "total": str(cogs + tax)}


def at_night(row: Row, draw: np.random.Generator, store: Store) -> Row:
    """A sale while the store is closed."""
    moment = datetime.fromisoformat(row["sold_at"])
    closed = (24 - store.open_hours) * 60
    minute = (store.closes * 60 + int(draw.integers(0, closed))) % 1440
    return {**row, "sold_at": (moment.replace(hour=0, minute=0) + timedelta(minutes=minute)).isoformat()}


def bad_rating(row: Row, draw: np.random.Generator, store: Store) -> Row:
    """A rating below the scale's first step."""
    return {**row, "rating": round(float(draw.uniform(0, 3)), 1)}


def price_in_range(row: Row, draw: np.random.Generator, store: Store) -> Row:
    """Another price that this store could ask: nothing can be seen here."""
    return {**row, **priced(Decimal(int(draw.integers(1_000, 10_000))) / 100, row["quantity"], store)}


# What the model is trained against; what it is only measured on.
TRAINED: dict[str, Corrupt] = {
    "price x 10": price_times_ten,
    "many items": many_items,
    "wrong total": wrong_total,
    "wrong tax": wrong_tax,
    "at night": at_night,
}
UNSEEN: dict[str, Corrupt] = {
    "price / 10": price_over_ten,
    "bad rating": bad_rating,
    "price in range": price_in_range,
}


def anything(row: Row, draw: np.random.Generator, store: Store) -> Row:
    """A row from all over the place: the background that a sale must stand out from."""
    price = Decimal(str(round(float(np.exp(draw.uniform(np.log(0.5), np.log(50_000)))), 2)))
    quantity = int(np.exp(draw.uniform(0, np.log(5_000))))
    minute = int(draw.integers(0, 1440))
    moment = datetime.fromisoformat(row["sold_at"]).replace(hour=minute // 60, minute=minute % 60)
    made = {**row, **priced(price, quantity, store), "sold_at": moment.isoformat()}
    made["rating"] = round(float(draw.uniform(0, 10)), 1)
    return wrong_total(made, draw, store) if draw.random() < 0.3 else made
