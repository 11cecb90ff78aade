"""The store: its clock, its open hours, what it sells and where; the supermarket's where nothing else is set."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Annotated
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

MINUTES_PER_DAY = 1440


class Store(msgspec.Struct, frozen=True):
    """What the metrics and rules need to know of the retailer.

    `zone`: IANA name of the store's time zone. `currency`: ISO 4217, for display. `opens`, `closes`: whole hours.
    `tax_rate_bp`: tax in basis points (500 is 5 %). `stock_at_cost`: the simulated full shelf of one
    product line in one branch, in units of 1/10,000. The tuples are the known codes: another code is
    counted like any other and flagged.
    """

    zone: str = "UTC"
    currency: str = "USD"
    opens: Annotated[int, Meta(ge=0, le=23)] = 10
    closes: Annotated[int, Meta(ge=1, le=24)] = 21
    tax_rate_bp: Annotated[int, Meta(ge=0, le=5_000)] = 500
    stock_at_cost: Annotated[int, Meta(gt=0)] = 5_000 * 10_000
    branches: tuple[str, ...] = ("A", "B", "C")
    product_lines: tuple[str, ...] = (
        "Electronic accessories",
        "Fashion accessories",
        "Food and beverages",
        "Health and beauty",
        "Home and lifestyle",
        "Sports and travel",
    )
    customer_types: tuple[str, ...] = ("Member", "Normal")
    payments: tuple[str, ...] = ("Cash", "Credit card", "Ewallet")

    @property
    def open_hours(self) -> int:
        """Hours a day that the store is open."""
        return self.closes - self.opens


@lru_cache(maxsize=8192)
def offset_minutes(zone: str, utc_hour: int) -> int:
    """Minutes that the zone is ahead of UTC in the given hour since 1970 (rules change on whole hours)."""
    offset = datetime.fromtimestamp(utc_hour * 3600, UTC).astimezone(ZoneInfo(zone)).utcoffset() or timedelta()
    return int(offset.total_seconds()) // 60


def local_minute(zone: str, minute: int) -> int:
    """The minute since 1970 that the store's own clock shows at the UTC minute `minute`."""
    return minute + offset_minutes(zone, minute // 60)


def local_day(zone: str, minute: int) -> int:
    """The store's calendar day, in days since 1970-01-01, at the UTC minute `minute`."""
    return local_minute(zone, minute) // MINUTES_PER_DAY


def day_name(day: int) -> str:
    """`YYYY-MM-DD` of a day counted from 1970-01-01."""
    return (date(1970, 1, 1) + timedelta(days=day)).isoformat()


def day_number(name: str) -> int:
    """The day of a name, counted from 1970-01-01."""
    return (date.fromisoformat(name) - date(1970, 1, 1)).days
