"""What is kept of a customer: found, given back, and erased; and what is older than the policy allows, likewise.

Erasing blanks the personal fields and keeps the rest: id and digest, so that the same sale sent again is a duplicate
and not counted anew; amounts, so that no counter changes. The lake's days are written anew from the ledger.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from tidemark.adapters.s3_lake import S3Lake
from tidemark.errors import Unavailable
from tidemark.lake_audit import LAG_S, LOOK_S, rewrite_days
from tidemark.lake_view import named, open_view
from tidemark.ledger import Counted
from tidemark.ports import Conflict, Feedback, Ledger
from tidemark.privacy.personal import blank_sale
from tidemark.privacy.selection import Erased, Selection
from tidemark.store import MINUTES_PER_DAY

TRIES = 3
REMARKS = 100
ERASED = "(erased)"


class Kept(msgspec.Struct, frozen=True):
    """All that is kept of a selection's customers: `conflicts` came with the id of another sale."""

    sales: list[Counted]
    conflicts: list[Conflict]


class Places(msgspec.Struct, frozen=True):
    """Where sales are kept: `mirror` is this machine's copy of the lake."""

    ledger: Ledger
    lake: S3Lake
    mirror: Path


def find(ledger: Ledger, selection: Selection) -> Kept:
    """Every sale and every conflict of a selection, by reading all of them."""
    return Kept(
        [found for found in ledger.scan() if selection.holds(found.entry.customer_id, found.entry.received_at)],
        [found for found in ledger.quarantined() if selection.holds(found.sale.customer_id, found.received_at)],
    )


def erase(
    places: Places, selection: Selection, *, now: Callable[[], float] = time.time, lag_s: float = LAG_S
) -> Erased:
    """Blank what is personal in a selection, wherever it is kept. Killed in the middle, it can be begun again.

    Raises Unavailable where something of it is there still at the end: it is to be begun again.
    """
    kept = find(places.ledger, selection)
    _await_archived(places, kept.sales, now, lag_s)
    for found in kept.sales:
        places.ledger.blank(found.entry)
    places.ledger.quarantine([msgspec.structs.replace(found, sale=blank_sale(found.sale)) for found in kept.conflicts])
    days = 0
    for _ in range(TRIES):  # what was under way to the lake as it was before may have come meanwhile
        places.lake.mirror(places.mirror)
        left = _named_days(places, selection)
        if not left:
            break
        rewrite_days(places.ledger, places.lake, left, places.lake.purge)
        days += len(left)
    if left or find(places.ledger, selection) != Kept([], []):
        raise Unavailable("something came in while it was erased; begin again")
    return Erased(len(kept.sales), len(kept.conflicts), days)


def _named_days(places: Places, selection: Selection) -> set[int]:
    found = named(places.mirror, selection.customer, before=selection.before)
    return {sale.minute // MINUTES_PER_DAY for sale in found}


def _await_archived(places: Places, sales: list[Counted], now: Callable[[], float], lag_s: float) -> None:
    """Wait for sales that are on their way to the lake as they are still; an erasure must not be overtaken by them."""
    wanted = {found.entry.invoice_id: found.entry.received_at for found in sales}
    while True:
        places.lake.mirror(places.mirror)
        there = {name for (name,) in open_view(places.mirror).execute("SELECT invoice_id FROM sales").fetchall()}
        missing = [at for name, at in wanted.items() if name not in there]
        if not any(at / 1000 > now() - lag_s for at in missing):
            return
        time.sleep(LOOK_S)


def export(kept: Kept, verdicts: dict[str, bool]) -> Iterator[dict[str, object]]:
    """What is kept, as records that another program can read, each with what it is; `verdicts`: of some sales whether
    they were anomalies."""
    for found in kept.sales:
        said = {"verdict": verdicts[found.entry.invoice_id]} if found.entry.invoice_id in verdicts else {}
        yield {"kind": "sale", **msgspec.to_builtins(found.entry), **said}
    for apart in kept.conflicts:
        received = {"received_at": apart.received_at}
        yield {"kind": "another content under the id of a sale", **msgspec.to_builtins(apart.sale), **received}


def erase_sender(feedback: Feedback, sender: str) -> int:
    """Blank who sent some feedback, and the words. Returns how many remarks that were."""
    erased, cursor = 0, None
    while True:
        page = feedback.page(limit=REMARKS, cursor=cursor)
        for remark in page.feedback:
            if remark.sender == sender:
                feedback.add(msgspec.structs.replace(remark, sender=None, text=ERASED))
                erased += 1
        if (cursor := page.cursor) is None:
            return erased
