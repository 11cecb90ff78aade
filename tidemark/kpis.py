"""The KPIs: pure functions over summed cells, the one definition of each metric.

The browser's copy (`web/`) and this one pass the same vectors, `tests/vectors/kpis.json`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import msgspec

from tidemark import money, stock
from tidemark.cells import MEASURES, ZERO, Cell, Measures, add
from tidemark.store import Store, day_name, local_day


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """Which sales are meant; None is any. Minutes are UTC since 1970, `until` exclusive."""

    branch: frozenset[str] | None = None
    product_line: frozenset[str] | None = None
    customer_type: frozenset[str] | None = None
    payment: frozenset[str] | None = None
    since: int | None = None
    until: int | None = None


class Kpis(msgspec.Struct, frozen=True):
    """What a manager asks first. Money is a decimal string; None where nothing can be said.

    `sales`: takings with tax, returns not taken off (`net_sales` takes them off). `items_per_hour`: items over
    the open hours of the calendar days from the first to the last sale. `inventory_turnover`: cost of goods sold
    over the average stock at cost, of a *simulated* stock (`tidemark/stock.py`). `rating`: mean of the rated sales.
    """

    sales: str
    tickets: int
    items: int
    average_transaction: str | None
    items_per_hour: float | None
    cogs: str
    tax: str
    returns: int
    returned_sales: str
    net_sales: str
    anomalies: int
    rating: float | None
    inventory_turnover: float | None
    average_stock: str | None
    stock: str
    first_day: str | None
    last_day: str | None


def kpis(cells: Iterable[Cell], selection: Selection, store: Store) -> Kpis:
    """The KPIs of the selected part of `cells`, which must hold each cell once."""
    summed = ZERO
    first: int | None = None
    last: int | None = None
    sold: stock.SoldByShelf = defaultdict(lambda: defaultdict(int))
    for cell in cells:
        minute, branch, _ = cell.key
        if (
            (selection.branch is not None and branch not in selection.branch)
            or (selection.since is not None and minute < selection.since)
            or (selection.until is not None and minute >= selection.until)
        ):
            continue
        day = local_day(store.zone, minute)
        for combo, values in cell.combos.items():
            if selection.product_line is not None and combo.product_line not in selection.product_line:
                continue
            # Stock is not kept by customer or payment: every sale of the line empties its shelf.
            sold[branch, combo.product_line][day] += values[_COGS] - values[_RETURNED_COGS]
            if (selection.customer_type is None or combo.customer_type in selection.customer_type) and (
                selection.payment is None or combo.payment in selection.payment
            ):
                summed = add(summed, values)
                first = minute if first is None else min(first, minute)
                last = minute if last is None else max(last, minute)
    if first is None or last is None:
        return _report(ZERO, None, sold, store)
    return _report(summed, (local_day(store.zone, first), local_day(store.zone, last)), sold, store)


_COGS = MEASURES.index("cogs")
_RETURNED_COGS = MEASURES.index("returned_cogs")


def _report(summed: Measures, days: tuple[int, int] | None, sold: stock.SoldByShelf, store: Store) -> Kpis:
    m = dict(zip(MEASURES, summed, strict=True))
    average_stock = turnover = items_per_hour = None
    if days is not None:
        count = days[1] - days[0] + 1
        items_per_hour = _ratio(m["items"], count * store.open_hours)
        closing = stock.closing_sum(sold, days[0], days[1], store.stock_at_cost)
        average_stock = money.divide(closing, count, 4)
        turnover = _ratio(m["cogs"] * count, closing)
    return Kpis(
        sales=money.to_text(m["sales"]),
        tickets=m["tickets"],
        items=m["items"],
        average_transaction=money.divide(m["sales"], m["tickets"]) if m["tickets"] else None,
        items_per_hour=items_per_hour,
        cogs=money.to_text(m["cogs"]),
        tax=money.to_text(m["tax"]),
        returns=m["returns"],
        returned_sales=money.to_text(m["returned_sales"]),
        net_sales=money.to_text(m["sales"] - m["returned_sales"]),
        anomalies=m["anomalies"],
        rating=_ratio(m["rating_sum"], m["rating_count"] * money.SCALE),
        inventory_turnover=turnover,
        average_stock=average_stock,
        stock="simulated",
        first_day=None if days is None else day_name(days[0]),
        last_day=None if days is None else day_name(days[1]),
    )


def _ratio(numerator: int, denominator: int) -> float | None:
    return float(money.ratio(numerator, denominator, 4)) if denominator else None
