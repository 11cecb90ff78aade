"""Bodies that are posted to the API: the sale's first, and the three smaller ones.

Only BadRequest and TooLarge may come out. The path that takes all sales at once, the one that takes a row at a time and
the lenient one must say the same; a sale survives being written and read again; its money is exact to the last digit.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

import msgspec

from tests.fuzz.targets import Target
from tests.samples import body, sale
from tidemark import feedback, money, verdicts
from tidemark.batch import Batch
from tidemark.errors import BadRequest, TooLarge
from tidemark.housing import requests
from tidemark.ingest import Examined, candidates_of, examine
from tidemark.sale import Row, Sale, _decode_leniently, _decode_row_by_row, _envelope, decode
from tidemark.scoring import RulesOnly
from tidemark.store import Store

STORES = (Store(), Store(zone="Asia/Yangon"))
LATEST_MINUTE = 230 * 366 * 24 * 60
OTHERS = (feedback.decode, verdicts.decode, requests.decode)


def check(data: bytes) -> None:
    """Decode, validate and table a body, by every path there is."""
    for other in OTHERS:
        try:
            msgspec.json.encode(other(data))
        except (BadRequest, TooLarge) as error:
            str(error).encode()  # it goes into an answer
    try:
        rows = decode(data)
    except (BadRequest, TooLarge) as error:
        str(error).encode()
        return
    assert 1 <= len(rows) <= 500
    _paths_agree(data, rows)
    for store in STORES:
        examined = examine(data, store, RulesOnly())
        if isinstance(examined, Examined):
            assert len(examined.rows) == len(rows)
            _is_exact(examined.batch)
            assert len(list(candidates_of(examined, 1_700_000_000_000))) == len(examined.batch)
    msgspec.json.encode(rows)


def _paths_agree(data: bytes, rows: list[Row]) -> None:
    try:
        fast: list[Sale] | None = _envelope.decode(data).sales
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        fast = None
    slow = _decode_row_by_row(data)
    assert slow == rows, "by row"
    assert fast is None or fast == rows, "all at once"
    try:
        lenient = _decode_leniently(data)
    except BadRequest:  # it asks for UTF-8 throughout, the others row by row
        return
    assert len(lenient) == len(rows)
    for strict, loose in zip(rows, lenient, strict=True):
        assert not (isinstance(strict, Sale) and isinstance(loose, Sale)) or strict == loose, "leniently"
        if isinstance(strict, Sale):
            assert msgspec.json.decode(msgspec.json.encode(strict), type=Sale) == strict


def _is_exact(batch: Batch) -> None:
    for place, row in enumerate(batch.sales):
        assert 0 <= batch.minute[place] < LATEST_MINUTE
        assert batch.unit_price[place] == _units(row.unit_price)
        assert int(batch.cogs[place]) == _units(row.unit_price) * row.quantity
        for given, stated, found in (
            (row.tax, batch.stated_tax, batch.tax),
            (row.total, batch.stated_total, batch.total),
            (row.rating, batch.rated, batch.rating),
        ):
            assert bool(stated[place]) == (given is not None)
            assert given is None or found[place] == _units(given)


def _units(value: float | str) -> int:
    return money.from_decimal(Decimal(value if isinstance(value, str) else repr(value)))


def _seeds() -> Iterable[bytes]:
    yield body(sale())
    yield body(sale("a"), sale("b", city=None, unit_price=74.69, kind="return", customer_id="c-1", schema_version=1))
    yield body(sale(), sale("x", quantity=0), sale("y", unit_price="1.00001"), sale("z", colour="red"))
    yield body(sale()).replace(b'"A"', b'"\\ud800"')
    yield body(sale()).replace(b"9.1", b"NaN")
    yield body(sale(sold_at="1969-12-31T23:59:59.999999-23:59", tax=1e-4, total="99999999999.9999"))
    yield b'{"sales":[' + b"[" * 600 + b"]" * 600 + b"]}"
    yield b'{"text":"good","view":"?branch=A","mood":"good"}'
    yield b'{"verdicts":[{"invoice_id":"a","anomaly":true}]}'
    yield (
        b'{"longitude":-122.2,"latitude":37.8,"housing_median_age":41,"total_rooms":880,"total_bedrooms":129,'
        b'"population":322,"households":126,"median_income":8.3252,"ocean_proximity":"NEAR BAY"}'
    )


TARGET = Target("sales", check, _seeds, 4_096)
