"""Bad input: each refusal names the row and the field, and costs the other rows nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.samples import body, sale
from tidemark import sale as sales
from tidemark.errors import BadRequest, TooLarge
from tidemark.ingest import Examined, examine
from tidemark.sale import MAX_BODY_BYTES, Rejection, Row, Sale
from tidemark.scoring import RulesOnly
from tidemark.store import Store

ROOT = Path(__file__).resolve().parents[2]


def rejection(row: object) -> Rejection:
    """The rejection of a wrong row that stands between two good ones."""
    content = (
        b'{"sales":['
        + b",".join(
            part if isinstance(part, bytes) else json.dumps(part).encode() for part in (sale("a"), row, sale("b"))
        )
        + b"]}"
    )
    examined = examine(content, Store(), RulesOnly())
    assert isinstance(examined, Examined)
    first, wrong, last = examined.rows
    assert isinstance(first, Sale)
    assert isinstance(last, Sale)
    assert isinstance(wrong, Rejection)
    assert [row.invoice_id for row in examined.batch.sales] == ["a", "b"]
    return wrong


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"quantity": "7"}, "quantity: expected int, got str"),
        ({"quantity": 0}, "quantity: expected int >= 1"),
        ({"quantity": -3}, "quantity: expected int >= 1"),
        ({"quantity": 10**6}, "quantity: expected int <= 10000"),
        ({"quantity": 1.5}, "quantity: expected int, got float"),
        ({"quantity": True}, "quantity: expected int, got bool"),
        ({"unit_price": "NaN"}, "unit_price: expected a decimal of at most 11 digits and 4 places"),
        ({"unit_price": "1\n2"}, "unit_price: expected a decimal of at most 11 digits and 4 places"),
        ({"unit_price": "10000000.0001"}, "unit_price: expected at most 10000000"),
        ({"unit_price": 10000001}, "unit_price: expected float <= 10000000.0"),
        ({"unit_price": "1e3"}, "unit_price: expected a decimal of at most 11 digits and 4 places"),
        ({"unit_price": "١"}, "unit_price: expected a decimal of at most 11 digits and 4 places"),
        ({"unit_price": "1\n"}, "unit_price: expected a decimal of at most 11 digits and 4 places"),
        ({"total": ""}, "total: expected a decimal of at most 11 digits and 4 places"),
        ({"unit_price": "1.23456"}, "unit_price: expected a decimal of at most 11 digits and 4 places"),
        ({"unit_price": 1.23456}, "unit_price: expected at most 4 decimal places"),
        ({"unit_price": -1}, "unit_price: expected float >= 0.0"),
        ({"unit_price": []}, "unit_price: expected float | str, got array"),
        ({"total": 0.00001}, "total: expected at most 4 decimal places"),
        ({"rating": 11}, "rating: expected float <= 10.0"),
        ({"sold_at": "2019-01-05T13:08:00"}, "sold_at: expected a time with its zone, like 2019-01-05T13:08:00+06:30"),
        ({"sold_at": "yesterday"}, "sold_at: expected an RFC 3339 time, like 2019-01-05T13:08:00+06:30"),
        ({"sold_at": "2500-01-01T00:00:00Z"}, "sold_at: expected a time in 1970 to 2199"),
        ({"branch": ""}, "branch: expected str of length >= 1"),
        ({"branch": "x" * 65}, "branch: expected str of length <= 64"),
        ({"branch": None}, "object missing required field branch"),
        ({"colour": "red"}, "object contains unknown field colour"),
        ({"kind": "gift"}, "kind: invalid enum value 'gift'"),
        ({"schema_version": 2}, "schema_version: invalid enum value 2"),
    ],
)
def test_a_wrong_field_is_named(change: dict[str, Any], reason: str) -> None:
    found = rejection(sale("wrong", **change))
    assert found == Rejection("wrong", reason)


def test_an_invoice_id_that_is_none_is_not_repeated() -> None:
    assert rejection(sale("", quantity=1)).invoice_id is None
    assert rejection([]).reason == "expected object, got array"


def test_a_lone_surrogate_is_no_text() -> None:
    wrong = json.dumps(sale("wrong", branch="\ud800")).encode()
    assert rejection(wrong) == Rejection("wrong", "branch: a lone surrogate is not text")
    wrong = json.dumps(sale("\udfff")).encode()
    assert rejection(wrong) == Rejection(None, "invoice_id: a lone surrogate is not text")


def test_bytes_that_are_no_text_are_refused_by_row() -> None:
    wrong = json.dumps(sale("wrong", branch="@")).encode().replace(b"@", b"\xff")
    assert rejection(wrong) == Rejection("wrong", "a string is not UTF-8")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the body is not JSON: Expecting value: line 1 column 1 (char 0)"),
        (b"hello", "the body is not JSON"),
        (b"[]", "expected object, got array"),
        (b"{}", "object missing required field sales"),
        (b'{"sales":[]}', "sales: 1 to 500 sales a request, got 0"),
        (b'{"sales":{}}', "sales: expected array, got object"),
        (b'{"sales":[],"more":1}', "object contains unknown field more"),
        (body(sale("a"), sale("b")).replace(b'"74.69"', b"NaN", 1), "sales[0].unit_price: NaN is not JSON"),
        (b'{"sales":[{"\\ud800":NaN}]}', "sales[0].?: NaN is not JSON"),
        (b'{"sales":[{"total":-Infinity}]}', "sales[0].total: -Infinity is not JSON"),
        (b'{"sales":[' + b"[" * 100_000, "nested too deeply"),
        (b'{"sales":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested too deeply"),
        (b"\xff\xfe", "the body is not UTF-8"),
        (body(*(sale(str(n)) for n in range(501))), "sales: 1 to 500 sales a request, got 501"),
    ],
)
def test_a_wrong_envelope_is_refused_whole(content: bytes, message: str) -> None:
    with pytest.raises(BadRequest) as refusal:
        sales.decode(content)
    assert message in str(refusal.value)


def test_a_body_over_the_limit_is_not_read() -> None:
    with pytest.raises(TooLarge, match="at most 1,048,576"):
        sales.decode(b" " * (MAX_BODY_BYTES + 1))


def test_the_schema_in_the_documentation_is_the_code_s() -> None:
    written = json.loads((ROOT / "docs" / "sale.schema.json").read_text())
    assert written == sales.json_schema(), "run `make docs`"


def _rows(found: Examined | list[Row]) -> list[Row]:
    return found.rows if isinstance(found, Examined) else found


@pytest.mark.parametrize("row", [sale(), sale(rating=None, unit_price=74.69), sale(kind="return", tax=None)])
def test_what_the_schema_allows_is_taken(row: dict[str, Any]) -> None:
    jsonschema.validate(row, sales.json_schema())
    assert isinstance(sales.decode(body(row))[0], Sale)


@pytest.mark.parametrize("change", [{"quantity": 0}, {"colour": 1}, {"unit_price": "1.23456"}, {"branch": ""}])
def test_what_the_schema_refuses_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(sale(**change), sales.json_schema())
    (row,) = _rows(examine(body(sale(**change)), Store(), RulesOnly()))
    assert isinstance(row, Rejection)
