"""A table under study: what several steps need of it is computed once.

The heart is a column's *ladder*: its distinct values in order, with how many rows have each, how many up to it, and the
prices that go with it. Moments, quantiles, ranks, fences, histograms and mean prices of bins all are exact sums over
ladders, so that the rows themselves are read once a column and once for all pairs, however many there are.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, TypeVar

import ibis
import ibis.expr.types as ir
import msgspec

from tidemark.errors import NotFound
from tidemark.housing.columns import BY_NAME, CATEGORY, COLUMNS, NUMBERS, PRICE

TWENTIETHS = tuple(k / 20 for k in range(21))
QUANTILES = (*TWENTIETHS, 0.99)
"""The quantiles that are always computed: the edges of 20 bins, the quartiles among them, and where the tail begins."""

(GAPPY,) = (column.name for column in COLUMNS if column.nulls)
"""The one column that may be empty: pairs with it are of the rows that have it ("paired")."""

T = TypeVar("T")


class Moments(NamedTuple):
    """Of all rows that have a value: their number, mean and sum of squares about it."""

    rows: int
    mean: float
    squares: float

    def sd(self) -> float | None:
        """Sample standard deviation."""
        return math.sqrt(self.squares / (self.rows - 1)) if self.rows > 1 else None


class Measured(msgspec.Struct, frozen=True):
    """What a column's ladder says. `quantiles`: at `QUANTILES`, linear between neighbours as NumPy's default.

    `paired`: of the rows where `GAPPY` has a value. `rank_squares`: of the average ranks about their mean.
    """

    column: str
    moments: Moments
    paired: Moments
    rank_squares: float
    paired_rank_squares: float
    cubes: float
    distinct: int
    whole: bool
    quantiles: tuple[float, ...]

    @property
    def unit(self) -> str:
        """The column's unit."""
        return BY_NAME[self.column].unit

    def quantile(self, p: float) -> float:
        """One of `QUANTILES`."""
        return self.quantiles[QUANTILES.index(p)]


class Category(msgspec.Struct, frozen=True):
    """A category's rows, how many of them lack `GAPPY`, and the sums of their prices and of the squares of these."""

    name: str
    rows: int
    missing: int
    price: float
    price2: float


def ladder(table: ir.Table, column: str) -> ir.Table:
    """The distinct values of a column (`value`), each with its rows, the rows up to it, and its prices."""
    price = table[PRICE]
    distinct = (
        table.filter(table[column].notnull())
        .group_by(value=table[column])
        .aggregate(
            rows=lambda t: t.count(),
            paired=lambda t: t[GAPPY].count(),
            price=price.sum(),
            price2=(price * price).sum(),
        )
    )
    upward = ibis.window(order_by="value", rows=(None, 0))
    return distinct.mutate(
        upto=distinct.rows.sum().over(upward).cast("int64"),
        paired_upto=distinct.paired.sum().over(upward).cast("int64"),
    )


def bin_of(value: ir.NumericValue, edges: Iterable[float]) -> ir.IntegerValue:
    """Which of the bins between `edges` a value is in: above the one edge, up to and with the next; the first holds
    its lower edge too. Null where the value is."""
    inner = list(edges)[1:-1]
    return ibis.cases(
        (value.isnull(), ibis.null("int8")),
        *((value <= edge, ibis.literal(place, "int8")) for place, edge in enumerate(inner)),
        else_=ibis.literal(len(inner), "int8"),
    )


class Study:
    """A clean table (the ten columns, block_id, held_out) and what is known of it.

    `keep`: small tables that several queries read are kept in the backend, as long as its connection. Without it they
    are part of every query, for a backend without temporary tables, such as Athena.
    """

    def __init__(self, table: ir.Table, *, keep: bool = True) -> None:
        self.table = table
        self._keep = keep
        self._known: dict[str, Any] = {}

    def run(self, expression: ir.Table) -> list[dict[str, Any]]:
        """The rows of an expression. Every query of every step goes through here."""
        rows: list[dict[str, Any]] = expression.to_pyarrow().to_pylist()
        return rows

    def once(self, name: str, compute: Callable[[], T]) -> T:
        """What `compute` gives, computed when it is first asked for."""
        if name not in self._known:
            self._known[name] = compute()
        known: T = self._known[name]
        return known

    def kept(self, name: str, expression: ir.Table) -> ir.Table:
        """The expression, evaluated once where tables can be kept."""

        def keep() -> ir.Table:
            if not self._keep:
                return expression
            return self.table.get_backend().create_table(ibis.util.gen_name(name), expression, temp=True)

        return self.once(f"table {name}", keep)

    def ladder(self, column: str) -> ir.Table:
        """A column's ladder."""
        return self.kept(f"ladder_{column}", ladder(self.table, column))

    def by_column(self, query: Callable[[str, ir.Table], ir.Table]) -> dict[str, list[dict[str, Any]]]:
        """The same question to every number's ladder, in one query."""
        asked = [query(name, self.ladder(name)).mutate(of=ibis.literal(name)) for name in NUMBERS]
        found: dict[str, list[dict[str, Any]]] = {name: [] for name in NUMBERS}
        for row in self.run(ibis.union(*asked)):
            found[row.pop("of")].append(row)
        return found

    @property
    def rows(self) -> int:
        """Rows in all. Raises NotFound where there are none."""
        return sum(category.rows for category in self.categories)

    @property
    def categories(self) -> list[Category]:
        """Every category that occurs, in the order of its name."""
        return self.once("categories", self._categories)

    @property
    def measured(self) -> Mapping[str, Measured]:
        """Every number, measured."""
        return self.once("measured", self._measure)

    def _categories(self) -> list[Category]:
        price = self.table[PRICE]
        found = self.run(
            self.table.group_by(name=CATEGORY).aggregate(
                rows=lambda t: t.count(),
                missing=lambda t: t[GAPPY].isnull().sum(),
                price=price.sum(),
                price2=(price * price).sum(),
            )
        )
        if not found:
            raise NotFound("there is no clean row yet: nothing can be said of the data")
        return sorted((Category(**row) for row in found), key=lambda category: category.name)

    def _measure(self) -> dict[str, Measured]:
        self.rows  # noqa: B018  # says so where there are none
        first = self.by_column(_sizes)
        return {
            name: _measured(name, first[name][0], row)
            for name, (row,) in self.by_column(lambda name, rungs: _moments(rungs, first[name][0])).items()
        }


def _sizes(name: str, rungs: ir.Table) -> ir.Table:
    return rungs.aggregate(
        count=rungs.rows.sum(),
        paired=rungs.paired.sum(),
        total=(rungs.value * rungs.rows).sum(),
        paired_total=(rungs.value * rungs.paired).sum(),
        distinct=rungs.count(),
        whole=(rungs.value == rungs.value.floor()).all(),
    )


def _moments(rungs: ir.Table, sizes: Mapping[str, Any]) -> ir.Table:
    count, paired = sizes["count"] or 0, sizes["paired"] or 0
    mean = _ratio(sizes["total"], count)
    paired_mean = _ratio(sizes["paired_total"], paired)
    from_mean = rungs.value - mean
    from_paired_mean = rungs.value - paired_mean
    rank, paired_rank = ranks(rungs, count, paired)
    around = [_neighbours(p, count) for p in QUANTILES]
    at = {
        f"{side}_{k}": rungs.value.min(where=rungs.upto > places[side == "above"])
        for k, places in enumerate(around)
        for side in ("below", "above")
    }
    return rungs.aggregate(
        squares=(from_mean * from_mean * rungs.rows).sum(),
        cubes=(from_mean * from_mean * from_mean * rungs.rows).sum(),
        paired_squares=(from_paired_mean * from_paired_mean * rungs.paired).sum(),
        rank_squares=(rank * rank * rungs.rows).sum(),
        paired_rank_squares=(paired_rank * paired_rank * rungs.paired).sum(),
        **at,
    )


def ranks(rungs: ir.Table, count: int, paired: int) -> tuple[ir.NumericValue, ir.NumericValue]:
    """The average rank of each value, less the mean of all ranks: among all rows, and among the paired ones."""
    rank = rungs.upto - (rungs.rows - 1) / 2.0 - (count + 1) / 2.0
    paired_rank = rungs.paired_upto - (rungs.paired - 1) / 2.0 - (paired + 1) / 2.0
    return rank, paired_rank


def _measured(name: str, sizes: Mapping[str, Any], row: Mapping[str, Any]) -> Measured:
    count, paired = sizes["count"] or 0, sizes["paired"] or 0
    return Measured(
        column=name,
        moments=Moments(count, _ratio(sizes["total"], count), row["squares"] or 0.0),
        paired=Moments(paired, _ratio(sizes["paired_total"], paired), row["paired_squares"] or 0.0),
        rank_squares=row["rank_squares"] or 0.0,
        paired_rank_squares=row["paired_rank_squares"] or 0.0,
        cubes=row["cubes"] or 0.0,
        distinct=sizes["distinct"],
        whole=bool(sizes["whole"]),
        quantiles=tuple(
            _between(row[f"below_{k}"], row[f"above_{k}"], p * (count - 1)) for k, p in enumerate(QUANTILES)
        ),
    )


def _neighbours(p: float, count: int) -> tuple[int, int]:
    place = p * max(count - 1, 0)
    return math.floor(place), math.ceil(place)


def _between(below: float | None, above: float | None, place: float) -> float:
    if below is None or above is None:
        return math.nan
    step, part = above - below, place - math.floor(place)
    return below + step * part if part < 0.5 else above - step * (1 - part)  # as NumPy rounds


def _ratio(total: float | None, count: int) -> float:
    return total / count if total is not None and count else 0.0


def finite(value: float | None) -> float | None:
    """The number, None where there is none: JSON has neither NaN nor infinity."""
    return None if value is None or not math.isfinite(value) else float(value)
