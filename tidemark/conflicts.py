"""What came with the id of a sale that the ledger holds, and how it differs from it."""

from __future__ import annotations

from itertools import product
from typing import Any

import msgspec

from tidemark import money
from tidemark.ledger import Counted, digest, units
from tidemark.sale import Sale

_DECIMALS = {"unit_price", "tax", "total", "rating"}
_FIELDS = tuple(name for name in Sale.__struct_fields__ if name != "invoice_id")


def as_sent(counted: Counted) -> Sale:
    """The sale that a client sent, from what the ledger holds of it.

    The ledger has a tax and a total for every sale; whether the client stated them, the digest tells.
    """
    entry = counted.entry
    given = {name: getattr(entry, name) for name in Sale.__struct_fields__}
    full = Sale(**{**given, "rating": None if entry.rating is None else float(entry.rating)})
    for tax, total in product((entry.tax, None), (entry.total, None)):
        sent = msgspec.structs.replace(full, tax=tax, total=total)
        if digest(sent) == counted.digest:
            return sent
    return full


def differences(kept: Sale, came: Sale) -> dict[str, tuple[Any, Any]]:
    """The fields in which two sales differ, each as (kept, came); None where one does not state it.

    Money and ratings are decimal strings, equal by value; times are equal where they are the same moment.
    """
    pairs = {name: (_plain(kept, name), _plain(came, name)) for name in _FIELDS}
    return {name: (one, other) for name, (one, other) in pairs.items() if one != other}


def _plain(sale: Sale, name: str) -> Any:
    value = getattr(sale, name)
    return value if value is None or name not in _DECIMALS else money.to_text(units(value))
