"""A batch of sales as columns: what rules, features and scoring compute on."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

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
    columns = tuple(zip(*map(astuple, sales), strict=True))
    reasons: dict[int, str] = {}

    seconds = np.fromiter(map(datetime.timestamp, columns[_FIELDS["sold_at"]]), np.float64, len(sales))
    outside = (seconds < _EARLIEST) | (seconds >= _LATEST)
    if outside.any():
        reasons.update({int(i): "sold_at: expected a time in 1970 to 2199" for i in np.flatnonzero(outside)})

    unit_price, _ = _units(columns, "unit_price", reasons)
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
        is_return=np.array([kind == "return" for kind in columns[_FIELDS["kind"]]], dtype=np.bool_),
    )


def _units(columns: tuple[tuple[object, ...], ...], field: str, reasons: dict[int, str]) -> tuple[Ints, Bools]:
    """A column of money in units, 0 where there is none, and where there is one."""
    # numpy reads decimal strings and None (as NaN) too; the schema has already refused every other text.
    values = np.array(columns[_FIELDS[field]], dtype=np.float64)
    given = ~np.isnan(values)
    units = np.rint(np.where(given, values, 0.0) * money.SCALE)
    off = given & (units / money.SCALE != values)
    if off.any():
        reasons.update({int(i): f"{field}: expected at most 4 decimal places" for i in np.flatnonzero(off)})
    return units.astype(np.int64), given


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
