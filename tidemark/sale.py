"""The sale as a client sends it, and how a request's body becomes sales.

`docs/sale.schema.json` is generated from `Sale`. A body is read on a fast path that takes all of its sales at
once; only where that refuses, row by row, so that one wrong row names itself and costs the others nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from tidemark import money
from tidemark.errors import BadRequest, TooLarge

MAX_SALES = 500
MAX_BODY_BYTES = 1_048_576

Name = Annotated[str, Meta(min_length=1, max_length=64)]
# The pattern is checked for a whole batch at once (tidemark/batch.py): one by one it takes as long as all the rest.
Text = Annotated[
    str,
    Meta(
        max_length=16,
        description="a decimal of at most 4 places",
        extra_json_schema={"pattern": money.TEXT_PATTERN},
    ),
]
Price = Annotated[float, Meta(ge=0, le=money.MAX_PRICE)] | Text
Amount = Annotated[float, Meta(ge=0, le=money.MAX_AMOUNT)] | Text


class Sale(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """One line of a till's journal.

    Money is a decimal string or a JSON number, of at most 4 places either way. `sold_at` is RFC 3339 with a
    zone. `quantity` is positive for a return too: `kind` says what it is.
    """

    invoice_id: Name
    sold_at: Annotated[datetime, Meta(tz=True, description="RFC 3339, with a zone")]
    branch: Name
    customer_type: Name
    product_line: Name
    unit_price: Price
    quantity: Annotated[int, Meta(ge=1, le=10_000)]
    payment: Name
    city: Name | None = None
    gender: Name | None = None
    rating: Annotated[float, Meta(ge=0, le=10)] | None = None
    tax: Amount | None = None
    total: Amount | None = None
    kind: Literal["sale", "return"] = "sale"
    customer_id: Name | None = None
    schema_version: Literal[1] = 1


class Rejection(msgspec.Struct, frozen=True):
    """A row that is not a sale: the id it gave, where one could be read, and what is wrong where."""

    invoice_id: str | None
    reason: str


Row = Sale | Rejection


class _Envelope(msgspec.Struct, forbid_unknown_fields=True):
    sales: Annotated[list[Sale], Meta(min_length=1, max_length=MAX_SALES)]


class _RawEnvelope(msgspec.Struct, forbid_unknown_fields=True):
    sales: list[msgspec.Raw]


class _Identified(msgspec.Struct):
    invoice_id: Name | None = None


_envelope = msgspec.json.Decoder(_Envelope)
_raw_envelope = msgspec.json.Decoder(_RawEnvelope)
_sale = msgspec.json.Decoder(Sale)
_identified = msgspec.json.Decoder(_Identified)
_PATH = re.compile(r" - at `\$\.?(?P<path>[^`]*)`$")


def json_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a sale."""
    schema = msgspec.json.schema(Sale)
    body = schema["$defs"]["Sale"]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "sale.schema.json",
        **body,
        "description": " ".join((Sale.__doc__ or "").split()),
    }


def decode(body: bytes) -> list[Row]:
    """The rows of a request's body `{"sales": [1 to 500 sales]}`, in the order sent.

    Raises BadRequest where the envelope is not of that form, TooLarge where the body is over 1 MiB.
    """
    if len(body) > MAX_BODY_BYTES:
        raise TooLarge(f"the body is {len(body):,} bytes; at most {MAX_BODY_BYTES:,} are taken")
    try:
        return list(_envelope.decode(body).sales)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _decode_row_by_row(body)


def _decode_row_by_row(body: bytes) -> list[Row]:
    try:
        raws = _raw_envelope.decode(body).sales
    except msgspec.ValidationError as error:
        raise BadRequest(explain(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _decode_leniently(body)
    _check_count(len(raws))
    return [_decode_row(bytes(raw)) for raw in raws]


def _decode_row(raw: bytes) -> Row:
    try:
        return _sale.decode(raw)
    except msgspec.ValidationError as error:
        reason = explain(error)
    except UnicodeDecodeError:
        reason = "a string is not UTF-8"
    except RecursionError:
        reason = "nested too deeply"
    try:
        return Rejection(_identified.decode(raw).invoice_id, reason)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return Rejection(None, reason)


def _check_count(count: int) -> None:
    if not 1 <= count <= MAX_SALES:
        raise BadRequest(f"sales: 1 to {MAX_SALES} sales a request, got {count}")


class _NotJson:
    """Stands where a body says NaN or Infinity, which JSON has not."""

    def __init__(self, word: str) -> None:
        self.word = word


def read_leniently(body: bytes) -> object:
    """The document in a body that the strict decoder cannot read, where only its strings are broken.

    Raises BadRequest that says where it is no JSON.
    """
    try:
        document: object = json.loads(body.decode(), parse_constant=_NotJson)
    except UnicodeDecodeError as error:
        raise BadRequest(f"the body is not UTF-8: byte {error.start}") from None
    except RecursionError:
        raise BadRequest("the body is nested too deeply") from None
    except ValueError as error:
        raise BadRequest(f"the body is not JSON: {error}") from None
    for path, value in _walk(document):
        if isinstance(value, _NotJson):
            place = path.encode(errors="replace").decode()  # a key may be no text either
            raise BadRequest(f"{place or 'the body'}: {value.word} is not JSON")
    return document


def lone_surrogate(value: object) -> str | None:
    """Where below `value` a string is not text: the path to it, empty for `value` itself; None where all are."""
    return next((path for path, found in _walk(value) if isinstance(found, str) and not _is_text(found)), None)


def _decode_leniently(body: bytes) -> list[Row]:
    """For a body that the strict decoder cannot read: say where, or find the rows whose strings are broken."""
    document = read_leniently(body)
    rows = document.get("sales") if isinstance(document, dict) else None
    if not isinstance(document, dict) or not isinstance(rows, list) or set(document) != {"sales"}:
        raise BadRequest('the body must be {"sales": [...]} and nothing else')
    _check_count(len(rows))
    return [_convert_row(row) for row in rows]


def _convert_row(row: object) -> Row:
    given = row.get("invoice_id") if isinstance(row, dict) else None
    invoice_id = given if isinstance(given, str) and _is_text(given) else None
    place = lone_surrogate(row)
    if place is not None:
        return Rejection(invoice_id, f"{place or 'row'}: a lone surrogate is not text")
    try:
        return msgspec.convert(row, Sale, strict=True)
    except msgspec.ValidationError as error:
        return Rejection(invoice_id, explain(error))


def _is_text(value: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in value)


def _walk(value: object, path: str = "") -> Iterator[tuple[str, object]]:
    """Every scalar below `value` with its path, and every key of an object as a scalar of that object."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield path, key
            yield from _walk(item, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _walk(item, f"{path}[{index}]")
    else:
        yield path, value


def explain(error: msgspec.ValidationError) -> str:
    """msgspec's message, with the place first: `quantity: expected int, got str`."""
    text = str(error)
    found = _PATH.search(text)
    path = found["path"] if found else ""
    message = text[: found.start()] if found else text
    if message == "Expected `str` of length <= 16":
        message = f"expected {money.TEXT_FORM}"
    elif message == "Expected `datetime` with a timezone component":
        message = "expected a time with its zone, like 2019-01-05T13:08:00+06:30"
    elif message == "Invalid RFC3339 encoded datetime":
        message = "expected an RFC 3339 time, like 2019-01-05T13:08:00+06:30"
    message = message.replace("`", "")
    return f"{path}: {message[:1].lower()}{message[1:]}" if path else f"{message[:1].lower()}{message[1:]}"
