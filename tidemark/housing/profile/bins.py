"""Columns cut into bins: for reading prices against them, for histograms, and the map of prices."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import ibis
import ibis.expr.types as ir
import msgspec
import numpy as np

from tidemark.housing.columns import BY_NAME, NUMBERS, PRICE
from tidemark.housing.profile.study import TWENTIETHS, Measured, Study, bin_of, finite
from tidemark.models.significance import mean_interval

BINS = 20
MOST_BARS = 60
PER_DEGREE = 10
"""The map's cells: their middles are multiples of 0.1°."""


class Bin(msgspec.Struct, frozen=True):
    """Rows with `low` < value <= `high` (the first bin holds its `low` too), and what they cost on average, in USD.

    `mean_price_low`, `mean_price_high`: 95 % interval of the mean price.
    """

    low: float
    high: float
    count: int
    mean_price: float | None
    sd_price: float | None
    mean_price_low: float | None
    mean_price_high: float | None


class BinnedColumn(msgspec.Struct, frozen=True):
    """A column in at most 20 bins that hold as many rows each (fewer where values repeat), and in 20 equally wide."""

    column: str
    unit: str
    quantile: list[Bin]
    equal_width: list[Bin]


class Binning(msgspec.Struct, frozen=True):
    """Every number in bins."""

    columns: list[BinnedColumn]


class Histogram(msgspec.Struct, frozen=True):
    """`counts[i]`: rows with `edges[i]` < value <= `edges[i + 1]`.

    A long tail is left out: `beyond` rows lie behind the last bar and reach up to `max`.
    """

    column: str
    title: str
    unit: str
    edges: list[float]
    counts: list[int]
    beyond: int
    min: float | None
    q1: float | None
    q3: float | None
    max: float | None
    cap: float | None
    at_cap: int


class Distributions(msgspec.Struct, frozen=True):
    """How every number is spread."""

    rows: int
    columns: list[Histogram]


class Cell(msgspec.Struct, frozen=True):
    """A square of 0.1°, by its middle: its rows and the median of their values, in USD."""

    longitude: float
    latitude: float
    count: int
    median_price: float


class PriceMap(msgspec.Struct, frozen=True):
    """Median house value by place. `degrees`: how wide and high a cell is."""

    degrees: float
    cells: list[Cell]


def quantile_edges(of: Measured) -> list[float]:
    """The edges of the quantile bins: the twentieths, each once."""
    return _distinct([of.quantile(p) for p in TWENTIETHS])


def equal_edges(of: Measured, bins: int = BINS) -> list[float]:
    """The edges of equally wide bins from the least value to the largest."""
    return _distinct(np.linspace(of.quantile(0.0), of.quantile(1.0), bins + 1).tolist())


def _distinct(edges: Sequence[float]) -> list[float]:
    return sorted({edge for edge in edges if finite(edge) is not None})


def binning(study: Study) -> Binning:
    """Quantile and equal-width bins, with counts and mean prices."""
    by_quantile = {name: quantile_edges(study.measured[name]) for name in NUMBERS}
    by_width = {name: equal_edges(study.measured[name]) for name in NUMBERS}
    quantile, width = _priced(study, by_quantile), _priced(study, by_width)
    return Binning(
        [
            BinnedColumn(
                column=name,
                unit=BY_NAME[name].unit,
                quantile=_bins(by_quantile[name], quantile[name]),
                equal_width=_bins(by_width[name], width[name]),
            )
            for name in NUMBERS
        ]
    )


Rows = list[dict[str, Any]]


def _priced(study: Study, edges: Mapping[str, list[float]]) -> dict[str, Rows]:
    def priced(name: str, rungs: ir.Table) -> ir.Table:
        return rungs.group_by(bin=bin_of(rungs.value, edges[name])).aggregate(
            rows=rungs.rows.sum(), price=rungs.price.sum(), price2=rungs.price2.sum()
        )

    return study.by_column(priced)


def _bins(edges: list[float], rows: Rows) -> list[Bin]:
    found = {row["bin"]: row for row in rows}
    bins = []
    for place, (low, high) in enumerate(_spans(edges)):
        row = found.get(place, {"rows": 0, "price": 0.0, "price2": 0.0})
        count = row["rows"]
        sd, least, most = mean_interval(count, row["price"], row["price2"])
        mean = finite(row["price"] / count) if count else None
        bins.append(Bin(low, high, count, mean, finite(sd), finite(least), finite(most)))
    return bins


def _spans(edges: list[float]) -> list[tuple[float, float]]:
    """Neighbouring edges; a column of one value is one bin without width."""
    return list(pairwise(edges)) if len(edges) > 1 else [(edge, edge) for edge in edges]


def bar_edges(of: Measured) -> list[float]:
    """Edges of a histogram's bars, at multiples of a round width.

    Where a tail of 1 % would take more than a third of the axis, it is left to what lies beyond the last bar.
    """
    low, high, tail = of.quantile(0.0), of.quantile(1.0), of.quantile(0.99)
    if finite(low) is None:
        return []
    end = tail if high - low > 1.5 * (tail - low) > 0 else high
    width = round_width((end - low) / MOST_BARS)
    first = math.ceil(low / width) - 1
    return [round(place * width, 10) for place in range(first, math.ceil(end / width) + 1)]


def round_width(least: float) -> float:
    """The smallest of 1, 2 and 5 times a power of ten that is no smaller."""
    if least <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(least))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= least)


def distributions(study: Study) -> Distributions:
    """A histogram of every number."""
    edges = {name: bar_edges(study.measured[name]) for name in NUMBERS}

    def counted(name: str, rungs: ir.Table) -> ir.Table:
        bars, cap = edges[name], BY_NAME[name].cap
        # The last bin is what lies beyond the last bar.
        return rungs.group_by(bin=bin_of(rungs.value, [*bars, math.inf])).aggregate(
            rows=rungs.rows.sum(), at_cap=rungs.rows.sum(where=rungs.value == (cap or 0.0))
        )

    columns = []
    for name, rows in study.by_column(counted).items():
        column, bars = BY_NAME[name], max(len(edges[name]) - 1, 0)
        found = {row["bin"]: row["rows"] for row in rows}
        columns.append(
            Histogram(
                column=name,
                title=column.title,
                unit=column.unit,
                edges=edges[name],
                counts=[found.get(place, 0) for place in range(bars)],
                beyond=found.get(bars, 0),
                min=finite(study.measured[name].quantile(0.0)),
                q1=finite(study.measured[name].quantile(0.25)),
                q3=finite(study.measured[name].quantile(0.75)),
                max=finite(study.measured[name].quantile(1.0)),
                cap=column.cap,
                at_cap=sum(row["at_cap"] or 0 for row in rows) if column.cap else 0,
            )
        )
    return Distributions(study.rows, columns)


def price_map(study: Study) -> PriceMap:
    """The median price of each cell of 0.1°."""
    table = study.table
    x, y = (((table[name] * PER_DEGREE) + 0.5).floor().cast("int64") for name in ("longitude", "latitude"))
    prices = table.group_by(x=x, y=y, price=table[PRICE]).aggregate(rows=lambda t: t.count())
    cell = ibis.window(group_by=["x", "y"])
    upward = ibis.window(group_by=["x", "y"], order_by="price", rows=(None, 0))
    prices = prices.mutate(upto=prices.rows.sum().over(upward) * 2, of=prices.rows.sum().over(cell))
    cells = prices.group_by("x", "y").aggregate(
        count=lambda t: t.rows.sum(),
        lower=lambda t: t.price.min(where=t.upto >= t.of),
        upper=lambda t: t.price.min(where=t.upto > t.of),
    )
    return PriceMap(
        1 / PER_DEGREE,
        [
            Cell(row["x"] / PER_DEGREE, row["y"] / PER_DEGREE, row["count"], (row["lower"] + row["upper"]) / 2)
            for row in sorted(study.run(cells), key=lambda row: (row["x"], row["y"]))
        ],
    )
