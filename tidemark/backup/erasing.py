"""Persons who were erased, and backups: which backups hold them still, and that none comes back with a restore.

An erasure leaves its receipt beside every backup that may hold what it blanked. A restore erases again by these, and by
those that the backup itself has, before it is complete.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from tidemark.backup.notes import noted
from tidemark.backup.store import Store
from tidemark.errors import TidemarkError
from tidemark.ports import Objects, Place
from tidemark.privacy.receipt import PREFIX, Receipt, kept
from tidemark.privacy.selection import Selection
from tidemark.privacy.subjects import Places, erase


def tell_backups(objects: Objects, receipt: Receipt, opened: Callable[[str], Place]) -> list[str]:
    """Leave a receipt beside every backup; `opened` opens a place. Returns the places that could not be reached."""
    missed = []
    for where in sorted({one.place for one in noted(objects)}):
        try:
            opened(where).put(f"{PREFIX}{receipt.id}.json", msgspec.json.encode(receipt))
        except (TidemarkError, OSError):
            missed.append(where)
    return missed


def in_force(receipts: Iterable[Receipt]) -> list[Receipt]:
    """The receipts by which all are erased again, the oldest first: of those of the policy, which leaves one a day, the
    one that reaches furthest says what all others say."""
    given = list(receipts)
    furthest = max((one for one in given if one.customer is None), key=lambda one: one.before, default=None)
    return sorted((one for one in given if one.customer is not None or one is furthest), key=lambda one: one.at)


def erase_again(store: Store, place: Place) -> Iterable[str]:
    """Erase in a restored deployment who was erased since the backup was made; says what it did."""
    receipts = {one.id: one for one in kept(store.objects)}
    for found in place.find(PREFIX):
        one = msgspec.json.decode(place.get(found.key), type=Receipt)
        receipts[one.id] = one
    places = Places(store.ledger, store.lake, store.mirror)
    for one in in_force(receipts.values()):
        done = erase(places, Selection(one.before, one.customer), lag_s=0)
        if done.sales or done.conflicts or done.days:
            yield f"erased again, as on {one.at}: {done.sales:,} sales, {done.conflicts:,} conflicts"
