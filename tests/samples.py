"""Sales for tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from tidemark.privacy.personal import Pseudonyms

PSEUDONYMS = Pseudonyms("a key that the tests alone know of")
# The KPIs of the real supermarket file.
REAL = {
    "sales": "322966.749",
    "tickets": 1000,
    "items": 5510,
    "cogs": "307587.38",
    "average_transaction": "322.966749",
    "items_per_hour": 5.6282,
}
START = datetime(2019, 1, 7, 10, 0, tzinfo=UTC)


def sale(invoice_id: str = "750-67-8428", **changes: Any) -> dict[str, Any]:
    """A good sale as a client sends it, with changes; a change to None leaves the field out."""
    row = {
        "invoice_id": invoice_id,
        "sold_at": "2019-01-05T13:08:00+00:00",
        "branch": "A",
        "city": "Yangon",
        "customer_type": "Member",
        "gender": "Female",
        "product_line": "Health and beauty",
        "unit_price": "74.69",
        "quantity": 7,
        "tax": "26.1415",
        "total": "548.9715",
        "payment": "Ewallet",
        "rating": 9.1,
        **changes,
    }
    return {name: value for name, value in row.items() if value is not None}


def body(*rows: Any) -> bytes:
    """A request's body."""
    return msgspec.json.encode({"sales": list(rows)})


def minute(number: int) -> str:
    """The time of the n-th minute after Monday 2019-01-07 10:00 UTC."""
    return (START + timedelta(minutes=number)).isoformat()


def of_own_line(number: int, at: int) -> dict[str, Any]:
    """The n-th sale, in a minute: of a product line of its own, so that what is counted says how often it was."""
    return sale(
        f"sale-{number}",
        sold_at=minute(at),
        branch="AB"[number % 3 == 0],
        product_line=f"line {number}",
        quantity=1 + number % 9,
        tax=None,
        total=None,
        kind="return" if number % 7 == 0 else "sale",
    )
