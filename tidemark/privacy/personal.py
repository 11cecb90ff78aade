"""What of a sale is personal, and the pseudonyms under which customers are known from the moment a sale comes in.

A pseudonym is a keyed hash (BLAKE2b with a key, RFC 7693) of what the till calls the customer: the same customer is
always the same pseudonym, and without the key nobody can try names until one fits. Who a pseudonym is, only the till
knows. A sale that names no customer is about nobody: nothing of it is personal.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from hashlib import blake2b

import msgspec

from tidemark.errors import SettingsError
from tidemark.ledger import Entry
from tidemark.sale import Row, Sale

PERSONAL = {
    "customer_id": "who bought, by the till's name for them; kept as a pseudonym",
    "gender": "what the till says of whom it names",
}
"""The personal fields of a sale that names a customer. Nothing else of it is: the rest is the shop's."""

SHORTEST_KEY = 32
_BYTES = 16


class Pseudonyms:
    """Names customers anew. Raises SettingsError where the key has less than 32 characters."""

    def __init__(self, key: str) -> None:
        if len(key) < SHORTEST_KEY:
            raise SettingsError(f"the key of the pseudonyms must have {SHORTEST_KEY} characters or more")
        self._key = blake2b(key.encode(), digest_size=32).digest()

    def of(self, customer_id: str) -> str:
        """The pseudonym of a customer: `p-` and 26 letters and digits (128 bits)."""
        found = blake2b(customer_id.encode(), digest_size=_BYTES, key=self._key).digest()
        return f"p-{base64.b32encode(found).decode().rstrip('=').lower()}"

    def apply(self, rows: Sequence[Row]) -> list[Row]:
        """The rows with pseudonyms in place of customers."""
        return [
            msgspec.structs.replace(row, customer_id=self.of(row.customer_id))
            if isinstance(row, Sale) and row.customer_id is not None
            else row
            for row in rows
        ]


def blank_entry(entry: Entry) -> Entry:
    """The sale without what is personal: nothing that is counted or compared changes."""
    return msgspec.structs.replace(entry, **dict.fromkeys(PERSONAL))


def blank_sale(sale: Sale) -> Sale:
    """The same of a sale as it was sent."""
    return msgspec.structs.replace(sale, **dict.fromkeys(PERSONAL))
