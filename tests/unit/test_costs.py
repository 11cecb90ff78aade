"""What a deployment costs: nothing unknown is passed over, nothing is lost in adding up."""

from __future__ import annotations

import pytest

from tidemark.costs import at_rest, per_sale, prices
from tidemark.costs.at_rest import Line, joined
from tidemark.errors import TidemarkError


def test_lines_for_the_same_thing_are_one_with_their_sum_and_their_arithmetic() -> None:
    lines = [Line("B", "key", 1.0, "$1"), *[Line("A", "alarms", 0.1, "1 x $0.10")] * 3, Line("A", "alarms", 0.2, "2 x")]
    key, alarms = joined(lines)
    assert key == Line("B", "key", 1.0, "$1")
    assert (alarms.stack, alarms.what, alarms.arithmetic) == ("A", "alarms", "3 x (1 x $0.10) + 2 x")
    assert alarms.usd == pytest.approx(0.5)


def test_what_nobody_knows_the_price_of_is_refused_by_name() -> None:
    with pytest.raises(TidemarkError, match="Odd, a AWS::New::Thing"):
        at_rest.lines({"Stack": {"Resources": {"Odd": {"Type": "AWS::New::Thing"}}}})


def test_a_million_sales_cost_less_the_more_come_at_once_and_no_more_than_promised() -> None:
    by_batch = [sum(line.usd for line in per_sale.lines(batch)) for batch in (1, 10, 100)]
    assert by_batch == sorted(by_batch, reverse=True)
    assert by_batch[-1] <= 3
    assert all(line.usd > 0 and line.arithmetic for line in (*per_sale.lines(), *per_sale.retention()))


def test_every_price_says_where_it_is_from() -> None:
    found = [value for value in vars(prices).values() if isinstance(value, prices.Price)]
    assert len(found) >= 20
    assert all(price.usd > 0 and price.unit and price.page.startswith("aws.amazon.com/") for price in found)
