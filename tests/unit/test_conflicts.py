"""How a sale that came with the id of another differs from it: exactly in what its client said otherwise."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from tests.samples import body, sale
from tidemark import sale as sales
from tidemark.conflicts import as_sent, differences
from tidemark.ingest import Examined, candidates_of, examine
from tidemark.ledger import Counted, Entry, digest
from tidemark.sale import Sale
from tidemark.scoring import RulesOnly
from tidemark.store import Store

OPTIONAL = ("city", "gender", "rating", "tax", "total", "customer_id")
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "sold_at": st.sampled_from(["2019-01-05T13:08:00Z", "2019-01-05T19:38:00+06:30", "2019-01-05T13:08:00.000001Z"]),
    "branch": st.sampled_from(["A", "B"]),
    "customer_type": st.sampled_from(["Member", "Normal"]),
    "product_line": st.sampled_from(["Health and beauty", "Sports and travel"]),
    "unit_price": st.sampled_from(["74.69", 74.69, "74.6900", "74.7", 0]),
    "quantity": st.integers(1, 3),
    "payment": st.sampled_from(["Cash", "Ewallet"]),
    "kind": st.sampled_from(["sale", "return"]),
    "city": st.sampled_from([None, "Yangon", "Mandalay"]),
    "gender": st.sampled_from([None, "Female"]),
    "rating": st.sampled_from([None, 9, 9.0, 9.1]),
    "tax": st.sampled_from([None, "26.1415", 26.1415, "3.7345", 0]),
    "total": st.sampled_from([None, "548.9715", "0548.9715", 78.4245, "0"]),
    "customer_id": st.sampled_from([None, "c-1"]),
}


def sent(**content: Any) -> Sale:
    (row,) = sales.decode(body(sale(**content)))
    assert isinstance(row, Sale)
    return row


def counted(**content: Any) -> Counted:
    """The sale as the ledger gives it back."""
    examined = examine(body(sale(**content)), Store(), RulesOnly())
    assert isinstance(examined, Examined)
    (candidate,) = candidates_of(examined, 0)
    entry = msgspec.json.decode(msgspec.json.encode(candidate.entry), type=Entry)
    return Counted(entry, candidate.digest, "w", 1)


@given(kept=st.fixed_dictionaries(VALUES), came=st.fixed_dictionaries(VALUES))
def test_what_has_another_digest_differs_and_nothing_else_does(kept: dict[str, Any], came: dict[str, Any]) -> None:
    held = counted(**kept)
    one, other = as_sent(held), sent(**came)
    assert digest(one) == held.digest
    found = differences(one, other)
    assert bool(found) == (digest(one) != digest(other))
    for name, (before, after) in found.items():
        assert before != after
        if name in OPTIONAL:
            assert (before is None, after is None) == (kept[name] is None, came[name] is None)


@given(content=st.fixed_dictionaries(VALUES), changes=st.fixed_dictionaries({}, optional={
    "quantity": st.just(9), "branch": st.just("C"), "tax": st.just("1.5"), "rating": st.just(2.5),
    "sold_at": st.just("2019-02-01T10:00:00Z"), "customer_id": st.just("c-2"),
}))  # fmt: skip
def test_the_fields_that_were_changed_are_named(content: dict[str, Any], changes: dict[str, Any]) -> None:
    found = differences(as_sent(counted(**content)), sent(**(content | changes)))
    assert set(found) == set(changes)


def test_a_difference_says_what_was_kept_and_what_came() -> None:
    found = differences(as_sent(counted(tax=None, total=None)), sent(quantity=8, unit_price=74.5, rating=None, tax="1"))
    assert found == {
        "unit_price": ("74.69", "74.5"),
        "quantity": (7, 8),
        "rating": ("9.1", None),
        "tax": (None, "1"),
        "total": (None, "548.9715"),
    }
