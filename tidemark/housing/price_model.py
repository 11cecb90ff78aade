"""The price model as it serves: numpy and nothing else, read from one file of arrays."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tidemark.errors import TidemarkError
from tidemark.housing import arrays
from tidemark.housing.features import AROUND_NAMES, NEAR, OWN_NAMES, Blocks, around_matrix, own_matrix
from tidemark.housing.geography import Floats, Surroundings
from tidemark.trees import Trees

COVERAGE = 0.9
FIGURES = ("housing_median_age", "total_rooms", "total_bedrooms", "population", "households", "median_income")
# What a price is explained by: each is the block's own or the typical block's.
REASONS: dict[str, tuple[str, ...]] = {
    "location": ("longitude", "latitude", "ocean_proximity"),
    "income": ("median_income",),
    "age": ("housing_median_age",),
    "dwellings": ("total_rooms", "total_bedrooms", "population", "households"),
}

_WIDTH = len(OWN_NAMES) + len(AROUND_NAMES)
_KNOWN = 3  # how many blocks, and the sums of their prices and incomes


def _shares() -> Floats:
    """Shapley's weights: row r holds what each coalition's value counts for reason r, shape (reasons, coalitions)."""
    count = len(REASONS)
    shares = np.zeros((count, 2**count))
    for coalition in range(2**count):
        size = coalition.bit_count()
        for reason in range(count):
            if coalition >> reason & 1:
                share = math.factorial(size - 1) * math.factorial(count - size) / math.factorial(count)
                shares[reason, coalition] += share
                shares[reason, coalition ^ 1 << reason] -= share
    return shares


_SHARES = _shares()


@dataclass(frozen=True)
class Estimates:
    """What the model says of n blocks; dollars of 1990.

    `low`, `high`: between them the price lies in `COVERAGE` of cases, as far as blocks are like those it was calibrated
    on. `bands`, shape (n, bands): how likely the price lies in each band.
    """

    price: Floats
    low: Floats
    high: Floats
    bands: Floats


@dataclass(frozen=True)
class PriceModel:
    """A block's median house value from the figures of its census.

    `price` gives the logarithm of the price, `spread` that of how far it is usually off; `errors` are errors in units
    of that spread, from blocks that were left out of training, sorted. `edges` are the bands' limits, `cap` the highest
    price that the data tells apart, `typical` the one block that prices are explained against.
    """

    usual_bedrooms: float
    known: Surroundings
    price: Trees
    spread: Trees
    errors: Floats
    edges: Floats
    cap: float
    typical: Blocks
    facts: Mapping[str, Any]

    def matrix(self, blocks: Blocks) -> Floats:
        """What the trees see, shape (n, features)."""
        whole = blocks.with_bedrooms(self.usual_bedrooms)
        return np.column_stack([own_matrix(whole), around_matrix(self.known, whole)])

    def prices(self, blocks: Blocks) -> Floats:
        """The price of each block, in dollars of 1990, shape (n,)."""
        return np.minimum(np.exp(self.price.predict(self.matrix(blocks))), self.cap)

    def estimates(self, blocks: Blocks) -> Estimates:
        """Price, interval and bands of each block."""
        matrix = self.matrix(blocks)
        log_price = self.price.predict(matrix)
        spread = np.exp(self.spread.predict(with_price(matrix, log_price)))
        return estimates(log_price, spread, self.errors, self.edges, self.cap)

    def comparables(self, blocks: Blocks) -> Floats:
        """The weight of the known blocks within some 3 km of each, shape (n,).

        Below `ENOUGH` nothing there is comparable, and the interval is narrower than the price is sure.
        """
        return self.known.at(blocks.latitude, blocks.longitude, NEAR).weight

    def reasons(self, blocks: Blocks) -> list[dict[str, float]]:
        """For each block, by how many dollars each reason moves its price from the typical block's.

        Shapley's values with the typical block as baseline (Sundararajan and Najmi 2020): they add up to the difference
        of the two prices.
        """
        coalitions = np.arange(2 ** len(REASONS))
        found = []
        for number in range(len(blocks)):
            own, typical = blocks.take(slice(number, number + 1)), self.typical
            own, typical = own.with_bedrooms(self.usual_bedrooms), typical.with_bedrooms(self.usual_bedrooms)
            mixed = {
                field: np.where(coalitions >> place & 1, getattr(own, field), getattr(typical, field))
                for place, fields in enumerate(REASONS.values())
                for field in fields
            }
            moved = _SHARES @ self.prices(Blocks(**mixed))
            found.append(dict(zip(REASONS, map(float, moved), strict=True)))
        return found

    def dumps(self) -> bytes:
        """The model as the bytes of an .npz file, the same for the same model."""
        parts: dict[str, npt.NDArray[Any]] = {
            "scalars": np.array([self.usual_bedrooms, self.cap]),
            "known.cells": self.known.cells,
            "known.sums": self.known.sums,
            "errors": self.errors,
            "edges": self.edges,
            "facts": np.frombuffer(json.dumps(dict(self.facts), sort_keys=True).encode(), np.uint8),
            **{f"price.{name}": array for name, array in self.price.arrays.items()},
            **{f"spread.{name}": array for name, array in self.spread.arrays.items()},
            **{f"typical.{name}": array for name, array in asdict(self.typical).items()},
        }
        out = io.BytesIO()
        np.savez_compressed(out, allow_pickle=False, **parts)
        return out.getvalue()

    @classmethod
    def loads(cls, content: bytes) -> PriceModel:
        """The model that `dumps` wrote. Raises TidemarkError where it is none, or one that could not price a block."""
        try:
            return cls._of(arrays.read(content))
        except (arrays.NoArrays, ValueError, KeyError, TypeError, RecursionError) as error:
            raise TidemarkError(f"this is no price model: {error}") from error

    @classmethod
    def _of(cls, found: Mapping[str, npt.NDArray[Any]]) -> PriceModel:
        def part(name: str) -> dict[str, npt.NDArray[Any]]:
            return {key.removeprefix(f"{name}."): array for key, array in found.items() if key.startswith(f"{name}.")}

        usual_bedrooms, cap = _numbers(found, "scalars", 2)
        errors, edges = _numbers(found, "errors"), _numbers(found, "edges")
        if not (cap > 0 and (np.diff(errors) >= 0).all() and (np.diff(edges) > 0).all() and edges[0] > 0):
            raise ValueError("its errors, bands or highest price are in no order")
        typical = {
            name: _numbers(found, f"typical.{name}", 1, missing=True) for name in ("longitude", "latitude", *FIGURES)
        }
        ocean = found["typical.ocean_proximity"]
        if ocean.shape != (1,) or ocean.dtype.kind not in "iu":
            raise ValueError("the typical block lies at no ocean")
        facts = json.loads(found["facts"].tobytes())
        if not isinstance(facts, dict):
            raise TypeError("its facts have no names")
        return cls(
            usual_bedrooms=float(usual_bedrooms),
            known=Surroundings.checked(found["known.cells"], found["known.sums"], _KNOWN),
            price=Trees.checked(part("price"), _WIDTH),
            spread=Trees.checked(part("spread"), _WIDTH + 1),
            errors=errors,
            edges=edges,
            cap=float(cap),
            typical=Blocks(**typical, ocean_proximity=ocean),
            facts=facts,
        )


def _numbers(
    found: Mapping[str, npt.NDArray[Any]], name: str, count: int | None = None, *, missing: bool = False
) -> Floats:
    """A row of numbers, at least one; `missing`: NaN may stand for one that is not known."""
    row = found[name]
    if row.dtype != np.float64 or row.ndim != 1 or not len(row) or (count is not None and len(row) != count):
        raise ValueError(f"its {name} have the type {row.dtype} and the shape {row.shape}")
    if np.isinf(row).any() or (not missing and np.isnan(row).any()):
        raise ValueError(f"its {name} are no numbers")
    return row


def estimates(log_price: Floats, spread: Floats, errors: Floats, edges: Floats, cap: float) -> Estimates:
    """Price, interval and bands from logarithms of prices and their spreads, each of shape (n,).

    `errors`: sorted errors of blocks that were left out, in units of their spread. A price above `cap` is not told
    apart from it.
    """

    def bound(share: float) -> Floats:
        return np.minimum(np.exp(log_price + spread * quantile(errors, share)), cap)

    below = [
        np.searchsorted(errors, (math.log(edge) - log_price) / spread, side="right") / len(errors) for edge in edges
    ]
    return Estimates(
        price=np.minimum(np.exp(log_price), cap),
        low=bound((1 - COVERAGE) / 2),
        high=bound((1 + COVERAGE) / 2),
        bands=np.diff(np.column_stack([np.zeros(len(log_price)), *below, np.ones(len(log_price))]), axis=1),
    )


def with_price(matrix: Floats, log_price: Floats) -> Floats:
    """What the spread's trees see: the price's features, and the price."""
    return np.column_stack([matrix, log_price])


def quantile(ordered: Floats, share: float) -> float:
    """The conformal quantile of sorted errors: of n + 1 ranks the one that covers `share` (Vovk and others 2005)."""
    count = len(ordered)
    rank = math.ceil(share * (count + 1)) if share > 0.5 else math.floor(share * (count + 1))
    return float(ordered[min(max(rank, 1), count) - 1])


def typical_block(blocks: Blocks) -> Blocks:
    """One block with the median of every figure, at the place of the block nearest to the median place."""
    middle_latitude, middle_longitude = np.median(blocks.latitude), np.median(blocks.longitude)
    nearest = int(np.argmin(np.hypot(blocks.latitude - middle_latitude, blocks.longitude - middle_longitude)))
    place = blocks.take(slice(nearest, nearest + 1))
    figures = {name: np.array([np.nanmedian(getattr(blocks, name))]) for name in FIGURES}
    return Blocks(
        longitude=place.longitude,
        latitude=place.latitude,
        ocean_proximity=place.ocean_proximity,
        **figures,
    )
