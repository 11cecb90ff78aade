"""A batch of sales as columns: what rules, features and scoring compute on."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from msgspec.structs import astuple

from tidemark import money
from tidemark.sale import Sale
from tidemark.store import Store, offset_minutes

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

_FIELDS = {name: index for index, name in enumerate(Sale.__struct_fields__)}
_DECIMAL = re.compile(money.TEXT_PATTERN, re.ASCII)
_DECIMALS = re.compile(f"(?:{money.TEXT_PATTERN[1:-1]}\n)*", re.ASCII)
_EARLIEST = 0.0
_LATEST = datetime.fromisoformat("2200-01-01T00:00:00+00:00").timestamp()


class Batch(NamedTuple):
    """`n` sales as columns of length `n`. Money and ratings are units of 1/10,000.

    `minute`: whole UTC minutes since 1970 of `sold_at`; `local_minute`: the same on the store's clock.
    `stated_tax`, `stated_total`, `rated`: where the client gave one. `tax` and `total` are what the client
    stated, or else price x quantity at the store's tax rate, rounded half-even.
    """

    sales: list[Sale]
    text: dict[str, tuple[str, ...]]
    minute: Ints
    local_minute: Ints
    unit_price: Ints
    quantity: Ints
    cogs: Ints
    tax: Ints
    total: Ints
    rating: Ints
    stated_tax: Bools
    stated_total: Bools
    rated: Bools
    is_return: Bools

    def __len__(self) -> int:
        return len(self.sales)


class OffGrid(Exception):
    """Some sales of a batch cannot be held exactly. `reasons`: place in the batch to what is wrong."""

    def __init__(self, reasons: dict[int, str]) -> None:
        super().__init__(reasons)
        self.reasons = reasons


def tabulate(sales: list[Sale], store: Store) -> Batch:
    """The columns of `sales` (at least one).

    Raises OffGrid, naming each sale that has money or a rating of more than 4 places or a time outside 1970-2200.
    """
    return tabulate_rows(sales, map(astuple, sales), store)


def tabulate_rows(sales: list[Sale], rows: Iterable[tuple[object, ...]], store: Store) -> Batch:
    """The same from rows that hold the fields of a sale in their order."""
    columns: tuple[tuple[Any, ...], ...] = tuple(zip(*rows, strict=True))
    reasons: dict[int, str] = {}

    seconds = np.fromiter(map(datetime.timestamp, columns[_FIELDS["sold_at"]]), np.float64, len(sales))
    outside = (seconds < _EARLIEST) | (seconds >= _LATEST)
    if outside.any():
        reasons.update({int(i): "sold_at: expected a time in 1970 to 2199" for i in np.flatnonzero(outside)})

    unit_price, _ = _units(columns, "unit_price", reasons)
    dear = unit_price > money.MAX_PRICE * money.SCALE  # the schema bounds numbers, not texts
    if dear.any():
        reasons.update({int(i): f"unit_price: expected at most {money.MAX_PRICE}" for i in np.flatnonzero(dear)})
    tax, stated_tax = _units(columns, "tax", reasons)
    total, stated_total = _units(columns, "total", reasons)
    rating, rated = _units(columns, "rating", reasons)
    if reasons:
        raise OffGrid(reasons)

    quantity = np.array(columns[_FIELDS["quantity"]], dtype=np.int64)
    minute = np.floor_divide(seconds, 60).astype(np.int64)
    cogs = unit_price * quantity
    if not stated_tax.all():
        tax = np.where(stated_tax, tax, _share(cogs, store.tax_rate_bp))
    if not stated_total.all():
        total = np.where(stated_total, total, cogs + tax)
    return Batch(
        sales=sales,
        text={name: columns[_FIELDS[name]] for name in ("branch", "product_line", "customer_type", "payment")},
        minute=minute,
        local_minute=minute + _offsets(store.zone, minute // 60),
        unit_price=unit_price,
        quantity=quantity,
        cogs=cogs,
        tax=tax,
        total=total,
        rating=rating,
        stated_tax=stated_tax,
        stated_total=stated_total,
        rated=rated,
        is_return=_equal(columns[_FIELDS["kind"]], "return"),
    )


def _equal(column: tuple[Any, ...], value: str) -> Bools:
    if value not in column:
        return np.zeros(len(column), dtype=np.bool_)
    return np.array([held == value for held in column], dtype=np.bool_)


def _units(columns: tuple[tuple[Any, ...], ...], field: str, reasons: dict[int, str]) -> tuple[Ints, Bools]:
    """A column of money in units, 0 where there is none, and where there is one."""
    column = columns[_FIELDS[field]]
    if str in set(map(type, column)):
        column = _only_decimals(column, field, reasons)
    values = np.array(column, dtype=np.float64)  # None becomes NaN, a decimal text its nearest double
    given = ~np.isnan(values)
    units = np.rint(np.where(given, values, 0.0) * money.SCALE)
    off = given & (units / money.SCALE != values)
    if off.any():
        reasons.update({int(i): f"{field}: expected at most 4 decimal places" for i in np.flatnonzero(off)})
    return units.astype(np.int64), given


def _only_decimals(column: tuple[Any, ...], field: str, reasons: dict[int, str]) -> tuple[Any, ...]:
    """The column with its texts as numbers; those that are no decimals are left out and named in `reasons`."""
    texts = [value for value in column if type(value) is str]
    joined = "\n".join(texts) + "\n"
    # One match for all of them; a text with a line break of its own would pass for two.
    if joined.count("\n") == len(texts) and _DECIMALS.fullmatch(joined):
        return tuple([float(value) if type(value) is str else value for value in column])
    wrong = {place for place, value in enumerate(column) if type(value) is str and not _DECIMAL.fullmatch(value)}
    reasons.update(dict.fromkeys(wrong, f"{field}: expected {money.TEXT_FORM}"))
    return tuple(None if place in wrong or value is None else float(value) for place, value in enumerate(column))


def _share(cogs: Ints, basis_points: int) -> Ints:
    """`cogs * basis_points / 10,000`, rounded half-even, in whole numbers throughout."""
    quotient, remainder = np.divmod(cogs * basis_points, 10_000)
    up = (remainder > 5_000) | ((remainder == 5_000) & (quotient % 2 == 1))
    rounded: Ints = quotient + up
    return rounded


def _offsets(zone: str, hours: Ints) -> Ints | int:
    if zone == "UTC":
        return 0
    distinct, where = np.unique(hours, return_inverse=True)
    offsets: Ints = np.array([offset_minutes(zone, int(hour)) for hour in distinct], dtype=np.int64)
    shifted: Ints = offsets[where]
    return shifted
