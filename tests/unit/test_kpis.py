"""The KPIs against an independent reckoning: fractions over the single sales, day by day."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from tests.vectors import generate
from tidemark import stock
from tidemark.cells import ZERO, Cell, CellKey, Combo, add, measures, pack, unpack
from tidemark.kpis import Selection, kpis
from tidemark.store import Store
from ws_server.truth import Truth

MONDAY = int(datetime(2019, 1, 7, tzinfo=UTC).timestamp()) // 86_400


def cell(minute: int, *, quantity: int = 1, cogs: int = 10_000, line: str = "Food and beverages", branch: str = "A",
         customer: str = "Member", writer: str = "w", version: int = 1) -> Cell:  # fmt: skip
    values = measures(
        kind="sale", quantity=quantity, total=cogs + cogs // 20, cogs=cogs, tax=cogs // 20, rating=80_000, anomaly=False
    )
    return Cell(CellKey(minute, branch, writer), version, 0, {Combo(line, customer, "Cash"): values})


def test_no_sales_say_nothing() -> None:
    empty = kpis([], Selection(), Store())
    assert (empty.sales, empty.tickets, empty.average_transaction, empty.items_per_hour) == ("0", 0, None, None)


def test_items_per_hour_is_over_the_open_hours_of_the_calendar_days() -> None:
    day = 1440 * MONDAY + 600
    found = kpis([cell(day, quantity=5), cell(day + 1440 * 3, quantity=6)], Selection(), Store())
    assert found.items_per_hour == 0.25  # 11 items in 4 days of 11 hours
    assert (found.first_day, found.last_day) == ("2019-01-07", "2019-01-10")


def test_a_selection_narrows_the_sales_and_their_range() -> None:
    day = 1440 * MONDAY + 600
    cells = [cell(day), cell(day + 1440 * 3, customer="Normal"), cell(day + 1440 * 5, branch="B")]
    members = kpis(cells, Selection(customer_type=frozenset({"Member"}), branch=frozenset({"A"})), Store())
    assert (members.tickets, members.first_day, members.last_day) == (1, "2019-01-07", "2019-01-07")
    later = kpis(cells, Selection(since=day + 1, until=day + 1440 * 5), Store())
    assert (later.tickets, later.first_day) == (1, "2019-01-10")


def test_a_return_is_counted_apart() -> None:
    values = measures(kind="return", quantity=2, total=21_000, cogs=20_000, tax=1_000, rating=None, anomaly=False)
    back = Cell(CellKey(1440 * MONDAY + 600, "A", "v"), 1, 0, {Combo("Food and beverages", "Member", "Cash"): values})
    found = kpis([cell(1440 * MONDAY + 600), back], Selection(), Store())
    assert (found.tickets, found.items, found.sales) == (1, 1, "1.05")
    assert (found.returns, found.returned_sales, found.net_sales) == (1, "2.1", "-1.05")


@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(-50, 400)), max_size=12),
    st.integers(0, 10),
    st.integers(0, 25),
    st.integers(1, 500),
)
def test_the_stock_is_what_walking_day_by_day_gives(
    sold: list[tuple[int, int]], first: int, length: int, full: int
) -> None:
    by_day: dict[int, int] = {}
    for day, cogs in sold:
        by_day[MONDAY + day] = by_day.get(MONDAY + day, 0) + cogs
    first_day, last_day = MONDAY + first, MONDAY + first + length
    left, expected = full, 0
    for day in range(first_day, last_day + 1):
        if (day - MONDAY) % 7 == 0:
            left = full
        left = min(full, max(0, left - by_day.get(day, 0)))
        expected += left
    assert stock.closing_sum({("A", "line"): by_day}, first_day, last_day, full) == expected


def test_turnover_is_cost_over_average_stock() -> None:
    store = Store(stock_at_cost=100 * 10_000)
    found = kpis([cell(1440 * MONDAY + 600, cogs=40 * 10_000)], Selection(), store)
    assert found.average_stock == "60"
    assert found.inventory_turnover == round(float(Fraction(40, 60)), 4)
    assert found.stock == "simulated"


ITEMS = 4  # the place in a row of `items`, behind line, customer, payment and tickets


@given(st.permutations([cell(1, version=v, quantity=v) for v in range(1, 6)]), st.integers(1, 5))
def test_merging_does_not_mind_order_or_repetition(states: list[Cell], repeats: int) -> None:
    truth = Truth()
    for state in states * repeats:
        truth.merge([state])
    truth.advance()
    ((*_, (row,)),) = json.loads(truth.since(0))["cells"]
    assert row[ITEMS] == 5


def test_cells_are_packed_without_loss() -> None:
    combos = dict(cell(1, cogs=2**60).combos)
    assert unpack(pack(combos)) == combos
    assert add(ZERO, ZERO) == ZERO


def test_the_vectors_that_the_page_must_pass_are_ours() -> None:
    assert json.loads(generate.PATH.read_text()) == json.loads(json.dumps(generate.vectors())), (
        "run `python -m tests.vectors.generate`"
    )
