"""The audit of the lake against the ledger, and its repair."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable
from pathlib import Path

import msgspec

from tidemark.adapters.s3_lake import S3Lake
from tidemark.lake_view import as_lake_sale, named, open_view, read_sales
from tidemark.ports import Ledger
from tidemark.store import MINUTES_PER_DAY, day_name

LAG_S = 60.0  # a sale younger than this may be on its way to the lake still
LOOK_S = 1.0
WRITTEN_AT_ONCE = 10_000  # sales of an object that is written anew: whoever reads one has room for it


class LakeAudit(msgspec.Struct, frozen=True):
    """How many sales the lake holds, and by id those that differ. None differ in a clean audit.

    `different`: also those that name a customer still, although the ledger's was blanked.
    """

    sales: int
    missing: list[str]
    different: list[str]
    unknown: list[str]

    @property
    def differences(self) -> int:
        """How many sales differ."""
        return len(self.missing) + len(self.different) + len(self.unknown)


def audit_lake(
    ledger: Ledger, lake: S3Lake, mirror: Path, *, now: Callable[[], float] = time.time, lag_s: float = LAG_S
) -> LakeAudit:
    """Compare; wait for sales that came in a moment ago as long as they may be on their way."""
    entries = {counted.entry.invoice_id: counted.entry for counted in ledger.scan()}
    while True:
        lake.mirror(mirror)
        found = read_sales(open_view(mirror))
        missing = [name for name in entries if name not in found]
        if not any(entries[name].received_at / 1000 > now() - lag_s for name in missing):
            break
        time.sleep(LOOK_S)
    shared = entries.keys() & found.keys()
    different = {name for name in shared if found[name] != as_lake_sale(entries[name])}
    different |= {name for name, _ in named(mirror) if name in entries and entries[name].customer_id is None}
    return LakeAudit(
        sales=len(found),
        missing=sorted(missing),
        different=sorted(different),
        # what came in since the ledger was read is known to it now
        unknown=sorted(name for name in found.keys() - entries.keys() if ledger.get(name) is None),
    )


def repair_lake(ledger: Ledger, lake: S3Lake, mirror: Path, audit: LakeAudit) -> int:
    """Write the days that differ anew from the ledger. Returns how many days."""
    lake.mirror(mirror)
    found = read_sales(open_view(mirror))
    minutes = [counted.entry.minute for name in (*audit.missing, *audit.different) if (counted := ledger.get(name))]
    minutes += [found[name].minute for name in (*audit.different, *audit.unknown) if name in found]
    days = {minute // MINUTES_PER_DAY for minute in minutes}
    rewrite_days(ledger, lake, days, lake.remove)
    return len(days)


def rewrite_days(ledger: Ledger, lake: S3Lake, days: Collection[int], remove: Callable[[Iterable[str]], None]) -> None:
    """Write some days (UTC, since 1970) anew from the ledger, then `remove` the objects that stood there before.

    Sales may come in meanwhile: what stands in the lake is listed before the ledger is read, so that an object of sales
    that the reading missed is not among those that are removed.
    """
    old = {day: lake.keys(day_name(day)) for day in days}
    by_day: dict[int, list[str]] = {day: [] for day in days}
    for counted in ledger.scan():
        if (day := counted.entry.minute // MINUTES_PER_DAY) in by_day:
            by_day[day].append(msgspec.json.encode(counted.entry).decode())
    for day, documents in by_day.items():
        new = {
            lake.put(day * MINUTES_PER_DAY, documents[start : start + WRITTEN_AT_ONCE])
            for start in range(0, len(documents), WRITTEN_AT_ONCE)
        }
        remove(old[day] - new)
