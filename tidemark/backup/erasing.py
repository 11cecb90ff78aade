"""Persons who were erased, and backups: which backups hold them still, and that none comes back with a restore.

An erasure leaves its receipt beside every backup that may hold what it blanked. A restore erases again by these, and by
those that the backup itself has, before it is complete.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from tidemark.backup.catalogue import noted
from tidemark.backup.store import Store
from tidemark.errors import TidemarkError
from tidemark.ports import Objects, Place
from tidemark.privacy.receipt import PREFIX, Held, Receipt, kept
from tidemark.privacy.subjects import Places, Selection, erase


def held_by_backups(objects: Objects) -> list[Held]:
    """The backups that hold still what is erased now, and until when they are kept."""
    return [
        Held(f"the backup {one.name} in {one.place}", one.kept_until.isoformat(timespec="seconds"))
        for one in noted(objects)
    ]


def tell_backups(objects: Objects, receipt: Receipt, opened: Callable[[str], Place]) -> list[str]:
    """Leave a receipt beside every backup; `opened` opens a place. Returns the places that could not be reached."""
    missed = []
    for where in sorted({one.place for one in noted(objects)}):
        try:
            opened(where).put(f"{PREFIX}{receipt.id}.json", msgspec.json.encode(receipt))
        except (TidemarkError, OSError):
            missed.append(where)
    return missed


def erase_again(store: Store, place: Place) -> Iterable[str]:
    """Erase in a restored deployment who was erased since the backup was made; says what it did."""
    receipts = {one.id: one for one in kept(store.objects)}
    for found in place.find(PREFIX):
        one = msgspec.json.decode(place.get(found.key), type=Receipt)
        receipts[one.id] = one
    places = Places(store.ledger, store.lake, store.mirror)
    for one in sorted(receipts.values(), key=lambda one: one.at):
        done = erase(places, Selection(one.before, one.customer), lag_s=0)
        if done.sales or done.conflicts or done.days:
            yield f"erased again, as on {one.at}: {done.sales:,} sales, {done.conflicts:,} conflicts"
