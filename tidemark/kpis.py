"""The KPIs: pure functions over summed cells, the one definition of each metric.

The browser's copy (`web/`) and this one pass the same vectors, `tests/vectors/kpis.json`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import msgspec

from tidemark import money, stock
from tidemark.cells import MEASURES, ZERO, Cell, Combo, Measures, add
from tidemark.history.periods import Period, shelves
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


def kpis(cells: Iterable[Cell], selection: Selection, store: Store, moved: Iterable[Period] = ()) -> Kpis:
    """The KPIs of the selected part of `cells`, which must hold each cell once, and of `moved`.

    `moved`: periods of history, whole within the selection's time, that hold none of the cells.
    """
    tally = _Tally(selection, store)
    for cell in cells:
        tally.count_cell(cell)
    for period in moved:
        tally.count_period(period)
    return _report(tally.summed, tally.days(), tally.sold, store)


class _Tally:
    """The sum of what is selected, the minutes of its first and last sale, and what left the shelves."""

    def __init__(self, selection: Selection, store: Store) -> None:
        self._selection, self._store = selection, store
        self.summed = ZERO
        self._first: int | None = None
        self._last: int | None = None
        self.sold: stock.SoldByShelf = defaultdict(lambda: defaultdict(int))

    def days(self) -> tuple[int, int] | None:
        """The store's days of the first and the last sale."""
        if self._first is None or self._last is None:
            return None
        return local_day(self._store.zone, self._first), local_day(self._store.zone, self._last)

    def count_cell(self, cell: Cell) -> None:
        """Add what is selected of a cell."""
        minute, branch, _ = cell.key
        selected = self._selection
        if (
            (selected.branch is not None and branch not in selected.branch)
            or (selected.since is not None and minute < selected.since)
            or (selected.until is not None and minute >= selected.until)
        ):
            return
        day = local_day(self._store.zone, minute)
        for combo, values in cell.combos.items():
            if selected.product_line is None or combo.product_line in selected.product_line:
                # Stock is not kept by customer or payment: every sale of the line empties its shelf.
                self.sold[branch, combo.product_line][day] += values[_COGS] - values[_RETURNED_COGS]
                self._add(combo, values, minute, minute)

    def count_period(self, period: Period) -> None:
        """Add what is selected of a period."""
        branch, content = period.key.branch, period.content()
        selected = self._selection
        if selected.branch is not None and branch not in selected.branch:
            return
        for day, line, cogs in shelves(period.key, content, self._store.zone):
            if selected.product_line is None or line in selected.product_line:
                self.sold[branch, line][day] += cogs
        for combo, portion in content.portions.items():
            if selected.product_line is None or combo.product_line in selected.product_line:
                self._add(combo, portion.measures, portion.first, portion.last)

    def _add(self, combo: Combo, values: Measures, first: int, last: int) -> None:
        selected = self._selection
        if (selected.customer_type is None or combo.customer_type in selected.customer_type) and (
            selected.payment is None or combo.payment in selected.payment
        ):
            self.summed = add(self.summed, values)
            self._first = first if self._first is None else min(self._first, first)
            self._last = last if self._last is None else max(self._last, last)


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
