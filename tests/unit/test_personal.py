"""Pseudonyms, and where personal fields may be."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from botocore import session
from botocore.stub import Stubber
from hypothesis import given
from hypothesis import strategies as st

from flows.trainer import line
from tests.samples import PSEUDONYMS, body, sale
from tidemark import sale as sales
from tidemark.adapters.redis_stream import Notice
from tidemark.cells import Combo
from tidemark.errors import SettingsError
from tidemark.ingest import Examined, candidates_of, examine
from tidemark.ledger import Entry
from tidemark.models.sales_watch import columns
from tidemark.privacy.personal import PERSONAL, Pseudonyms, blank_entry, blank_sale
from tidemark.privacy.receipt import Held, tables_hold
from tidemark.sale import Rejection, Sale
from tidemark.scoring import RulesOnly
from tidemark.store import Store

NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=64)


def taken(**change: Any) -> Any:
    examined = examine(body(sale(**change)), Store(), RulesOnly(), PSEUDONYMS)
    assert isinstance(examined, Examined)
    return next(candidates_of(examined, 0))


@given(NAMES, NAMES)
def test_a_customer_is_always_the_same_pseudonym_and_another_one_another(one: str, other: str) -> None:
    assert PSEUDONYMS.of(one) == Pseudonyms("a key that the tests alone know of").of(one)
    assert (PSEUDONYMS.of(one) == PSEUDONYMS.of(other)) == (one == other)
    assert PSEUDONYMS.of(one) != Pseudonyms("another key that nobody else knows").of(one)
    assert msgspec.convert(PSEUDONYMS.of(one), sales.Name) == PSEUDONYMS.of(one)


def test_a_short_key_is_refused() -> None:
    with pytest.raises(SettingsError, match="32 characters or more"):
        Pseudonyms("x" * 31)


def test_all_but_the_customer_goes_through_as_it_came() -> None:
    rows = sales.decode(body(sale("a"), sale("b", customer_id="Zoë", gender="Female"), {"invoice_id": "c"}))
    first, second, third = PSEUDONYMS.apply(rows)
    assert first is rows[0]
    assert isinstance(second, Sale)
    assert isinstance(rows[1], Sale)
    assert second.customer_id == PSEUDONYMS.of("Zoë")
    assert msgspec.structs.replace(second, customer_id="Zoë") == rows[1]
    assert third is rows[2]
    assert isinstance(third, Rejection)


def test_a_sale_sent_again_has_the_same_digest_and_one_of_another_customer_has_not() -> None:
    assert taken(customer_id="c-1").digest == taken(customer_id="c-1").digest
    assert taken(customer_id="c-1").digest != taken(customer_id="c-2").digest


def test_what_is_blanked_counts_as_it_did() -> None:
    found = taken(customer_id="c-1", gender="Female", rating=9.1).entry
    left = blank_entry(found)
    assert (left.measures(), left.combo, left.invoice_id) == (found.measures(), found.combo, found.invoice_id)
    changed = {name for name in Entry.__struct_fields__ if getattr(left, name) != getattr(found, name)}
    assert changed == set(PERSONAL)
    (sent,) = sales.decode(body(sale(customer_id="c-1", gender="Female")))
    assert isinstance(sent, Sale)
    assert all(getattr(blank_sale(sent), name) is None for name in PERSONAL)


def test_what_is_counted_told_learnt_from_and_watched_has_no_personal_field() -> None:
    trained: dict[str, Any] = msgspec.json.decode(line(taken(customer_id="c-1", gender="Female").entry))
    watched = {column.name for column in columns(Store())}
    for names in (trained, watched, Combo._fields, Notice.__struct_fields__):
        assert not set(PERSONAL) & set(names)


def test_a_receipt_says_what_the_tables_own_backups_hold_and_until_when() -> None:
    at = datetime(2031, 5, 1, tzinfo=UTC)
    with Stubber(client := session.get_session().create_client("dynamodb", region_name="eu-west-1")) as stubbed:
        for answer in ({"PointInTimeRecoveryStatus": "ENABLED", "RecoveryPeriodInDays": 7}, None):
            described: dict[str, Any] = {"ContinuousBackupsStatus": "ENABLED"}
            described |= {"PointInTimeRecoveryDescription": answer} if answer else {}
            stubbed.add_response("describe_continuous_backups", {"ContinuousBackupsDescription": described})
        stubbed.add_client_error("describe_continuous_backups", "AccessDeniedException", "you may not")
        stream, ledger, unsure = tables_hold(client, ["ledger", "none", "quarantine"], at)
    assert stream == Held("the stream of the ledger's changes", "2031-05-02T00:00:00Z")
    assert ledger == Held("point-in-time recovery of the table ledger", "2031-05-08T00:00:00Z")
    assert unsure.until is None
    assert "you may not" in unsure.where
