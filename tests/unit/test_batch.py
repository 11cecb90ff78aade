from __future__ import annotations

from decimal import Decimal

import msgspec
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.samples import body, sale
from tidemark import money, rules
from tidemark import sale as sales
from tidemark.batch import Batch, tabulate
from tidemark.ledger import digest
from tidemark.sale import Sale
from tidemark.store import Store


def batch(*rows: dict[str, object], store: Store | None = None) -> Batch:
    decoded = sales.decode(body(*rows))
    assert all(isinstance(row, Sale) for row in decoded), decoded
    return tabulate([row for row in decoded if isinstance(row, Sale)], store or Store())


prices = st.integers(0, money.MAX_PRICE * money.SCALE)


@given(prices, st.booleans(), st.integers(1, 10_000))
def test_money_is_exact_however_it_is_written(units: int, as_number: bool, quantity: int) -> None:
    text = money.to_text(units)
    row = msgspec.json.encode(sale(unit_price="@", quantity=quantity, tax=None, total=None))
    content = b'{"sales":[' + row.replace(b'"@"', text.encode() if as_number else f'"{text}"'.encode()) + b"]}"
    (decoded,) = sales.decode(content)
    assert isinstance(decoded, Sale)
    table = tabulate([decoded], Store())
    cogs = Decimal(text) * quantity
    tax = (cogs * Decimal("0.05")).quantize(Decimal("0.0001"))
    assert money.to_decimal(int(table.cogs[0])) == cogs
    assert money.to_decimal(int(table.tax[0])) == tax
    assert money.to_decimal(int(table.total[0])) == cogs + tax


def test_what_the_client_states_is_kept() -> None:
    table = batch(sale(tax="1", total="2"))
    assert (table.tax[0], table.total[0]) == (10_000, 20_000)


def test_the_digest_is_of_what_is_said_not_of_how() -> None:
    one, two, three, other = batch(
        sale(unit_price="10.50", sold_at="2019-01-05T13:08:00Z"),
        sale(unit_price=10.5, sold_at="2019-01-05T19:38:00+06:30"),
        sale(unit_price="10.5"),
        sale(unit_price="10.51"),
    ).sales
    assert digest(one) == digest(two) == digest(three) != digest(other)


def hits(*rows: dict[str, object], store: Store | None = None) -> list[list[str]]:
    store = store or Store()
    table = batch(*rows, store=store)
    found = rules.check(table, store)
    return [[name for name, hit in found.items() if hit[place]] for place in range(len(rows))]


def test_each_rule_catches_what_it_names_and_nothing_else() -> None:
    assert hits(
        sale(),
        sale(total="548.98"),  # a till that rounds to cents
        sale(total="600"),
        sale(tax="30", total="552.83"),
        sale(sold_at="2019-01-05T09:59:59Z"),
        sale(sold_at="2019-01-05T21:00:00Z"),
        sale(branch="Z"),
        sale(product_line="Fireworks"),
        sale(customer_type="Ghost"),
        sale(payment="Shells"),
    ) == [
        [],
        [],
        ["total_mismatch"],
        ["tax_mismatch"],
        ["closed_hour"],
        ["closed_hour"],
        ["unknown_branch"],
        ["unknown_product_line"],
        ["unknown_customer_type"],
        ["unknown_payment"],
    ]


def test_open_hours_are_the_store_s_own() -> None:
    yangon = Store(zone="Asia/Yangon")
    assert hits(sale(sold_at="2019-01-05T03:30:00Z"), sale(sold_at="2019-01-05T03:29:00Z"), store=yangon) == [
        [],
        ["closed_hour"],
    ]
    assert np.all(batch(sale(), store=yangon).local_minute - batch(sale()).minute == 390)
