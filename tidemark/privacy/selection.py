"""What an erasure is of, and what it did."""

from __future__ import annotations

import msgspec


class Selection(msgspec.Struct, frozen=True):
    """Sales that name a customer: all of them, or one by their pseudonym; received before some time (milliseconds since
    1970)."""

    before: int
    customer: str | None = None

    def holds(self, customer_id: str | None, received_at: int) -> bool:
        """Whether a sale is among them."""
        return (
            customer_id is not None
            and (self.customer is None or customer_id == self.customer)
            and received_at < self.before
        )


class Erased(msgspec.Struct, frozen=True):
    """What was blanked, and how many of the lake's days were written anew."""

    sales: int
    conflicts: int
    days: int
