"""Features: what the sales model sees of a batch, in training and in serving alike.

`sale` is about the sale itself (for the anomaly score): its price and quantity, how far its total and tax are from what
they should be (the identity residuals), when in the open day it was sold, its rating. `context` is what is known before
the basket is (for the basket's value): branch, product line, customer type, payment, hour and weekday.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tidemark import money
from tidemark.batch import Batch, Floats, Ints
from tidemark.store import MINUTES_PER_DAY, Store

Float32s = npt.NDArray[np.float32]

SALE = ("log_price", "log_quantity", "total_residual", "tax_residual", "hour_in_day", "open_hour", "rating", "rated")
_CODES = ("branch", "product_line", "customer_type", "payment")
USUAL_RATING = 0.7
"""Of 1: the mean of the supermarket file, in which every sale is rated."""

_CENT = money.SCALE / 100
_WEEK = 7 * MINUTES_PER_DAY


class Features(NamedTuple):
    """Of `n` sales: `sale` float32[n, 8] in the order of `SALE`, `context` float32[n, k] in that of `names`."""

    sale: Float32s
    context: Float32s


class Featurizer:
    """Computes features for one store's codes. An unknown code is all zeros, like none."""

    def __init__(self, store: Store) -> None:
        self._store = store
        codes = {
            "branch": store.branches,
            "product_line": store.product_lines,
            "customer_type": store.customer_types,
            "payment": store.payments,
        }
        self.names = tuple(f"{field}={code}" for field in _CODES for code in codes[field])
        self.context_names = (*self.names, "hour_sin", "hour_cos", "weekday_sin", "weekday_cos")
        self._places = {name: place for place, name in enumerate(self.names)}
        self._known: dict[tuple[str, ...], int] = {}
        self._table = np.zeros((0, len(self.names)), dtype=np.float32)

    def __call__(self, batch: Batch) -> Features:
        """The features of a batch."""
        return Features(self._sale(batch), self._context(batch))

    def _sale(self, batch: Batch) -> Float32s:
        minute = batch.local_minute % MINUTES_PER_DAY
        opens, closes = self._store.opens * 60, self._store.closes * 60
        columns = np.empty((len(batch), len(SALE)), dtype=np.float32)
        columns[:, 0] = np.log1p(batch.unit_price / _CENT) / 10
        columns[:, 1] = np.log(batch.quantity) / 5
        columns[:, 2] = _residual(batch.total - batch.cogs - batch.tax)
        columns[:, 3] = _residual(batch.tax - batch.cogs * self._store.tax_rate_bp / 10_000)
        columns[:, 4] = minute / MINUTES_PER_DAY
        columns[:, 5] = (minute >= opens) & (minute < closes)
        columns[:, 6] = np.where(batch.rated, batch.rating / (10 * money.SCALE), USUAL_RATING)
        columns[:, 7] = 1  # nothing was learnt of sales without a rating: one is taken for usual, not for strange
        return columns

    def _context(self, batch: Batch) -> Float32s:
        combinations = list(zip(*(batch.text[field] for field in _CODES), strict=True))
        if not self._known.keys() >= set(combinations):
            self._learn(set(combinations))
        places = np.fromiter(map(self._known.__getitem__, combinations), np.intp, len(batch))
        return np.concatenate([self._table[places], _WEEK_CIRCLES[batch.local_minute % _WEEK]], axis=1)

    def _learn(self, combinations: set[tuple[str, ...]]) -> None:
        """One row of ones and zeros for each combination not met before; forgets them all when they are too many."""
        if len(self._known) > 10_000:
            self._known.clear()
            self._table = self._table[:0]
        new = sorted(combinations - self._known.keys())
        rows = np.zeros((len(new), len(self.names)), dtype=np.float32)
        for row, combination in enumerate(new):
            for field, code in zip(_CODES, combination, strict=True):
                place = self._places.get(f"{field}={code}")
                if place is not None:
                    rows[row, place] = 1
        self._known.update((combination, len(self._table) + row) for row, combination in enumerate(new))
        self._table = np.concatenate([self._table, rows])


def _residual(units: Ints | Floats) -> Floats:
    """How many cents off, on a scale where 0 is none, about 0.3 a few cents and 1 some 20,000."""
    return np.log1p(np.maximum(np.abs(units) / _CENT - 1, 0)) / 10


def _circles() -> Float32s:
    """float32[minutes of a week, 4]: sine and cosine of the time of day, and of the time of week."""
    angle = np.arange(_WEEK) * (2 * np.pi / np.array([[MINUTES_PER_DAY], [_WEEK]]))
    return np.stack([np.sin(angle[0]), np.cos(angle[0]), np.sin(angle[1]), np.cos(angle[1])], axis=1).astype(np.float32)


_WEEK_CIRCLES = _circles()
