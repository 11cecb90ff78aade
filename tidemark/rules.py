"""Rules: what can be named as wrong with a sale. They catch exactly what they name; the model is for the rest."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tidemark.batch import Batch, Bools
from tidemark.store import MINUTES_PER_DAY, Store

ROUNDING = 100  # a till may round to cents: a difference of one cent is no contradiction


def _total_mismatch(batch: Batch, _store: Store) -> Bools:
    hit: Bools = batch.stated_total & (np.abs(batch.total - batch.cogs - batch.tax) > ROUNDING)
    return hit


def _tax_mismatch(batch: Batch, store: Store) -> Bools:
    # |tax - cogs * rate| > rounding, kept whole by scaling both sides
    hit: Bools = batch.stated_tax & (np.abs(batch.tax * 10_000 - batch.cogs * store.tax_rate_bp) > ROUNDING * 10_000)
    return hit


def _closed_hour(batch: Batch, store: Store) -> Bools:
    minute_of_day = batch.local_minute % MINUTES_PER_DAY
    return (minute_of_day < store.opens * 60) | (minute_of_day >= store.closes * 60)


def _unknown(field: str, codes: tuple[str, ...], batch: Batch) -> Bools:
    known = frozenset(codes)
    values = batch.text[field]
    if known.issuperset(values):
        return np.zeros(len(batch), dtype=np.bool_)
    return np.array([value not in known for value in values], dtype=np.bool_)


RULES: dict[str, tuple[str, Callable[[Batch, Store], Bools]]] = {
    "total_mismatch": ("The stated total is not price x quantity + tax.", _total_mismatch),
    "tax_mismatch": ("The stated tax is not the store's rate of price x quantity.", _tax_mismatch),
    "closed_hour": ("Sold while the store is closed.", _closed_hour),
    "unknown_branch": ("A branch that is not on the list.", lambda b, s: _unknown("branch", s.branches, b)),
    "unknown_product_line": (
        "A product line that is not on the list.",
        lambda b, s: _unknown("product_line", s.product_lines, b),
    ),
    "unknown_customer_type": (
        "A customer type that is not on the list.",
        lambda b, s: _unknown("customer_type", s.customer_types, b),
    ),
    "unknown_payment": ("A way of paying that is not on the list.", lambda b, s: _unknown("payment", s.payments, b)),
}


def check(batch: Batch, store: Store) -> dict[str, Bools]:
    """For each rule, which of the `n` sales it hits: bool[n]."""
    return {name: rule(batch, store) for name, (_, rule) in RULES.items()}
