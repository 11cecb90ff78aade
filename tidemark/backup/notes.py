"""Which backups a deployment remembers, wherever they lie: what an erasure is asked about."""

from __future__ import annotations

from datetime import datetime

import msgspec

from tidemark.ports import Objects
from tidemark.privacy.receipt import Held

NOTES = "backups/"


class Note(msgspec.Struct, frozen=True):
    """That a backup was begun; it is to be gone after `kept_until`. `place`: where it lies, as it was named."""

    name: str
    created_at: datetime
    kept_until: datetime
    place: str = ""


def note(objects: Objects, told: Note) -> None:
    """Let a deployment remember a backup of it."""
    objects.put(f"{NOTES}{told.name}.json", msgspec.json.encode(told), content_type="application/json")


def noted(objects: Objects) -> list[Note]:
    """The backups of a deployment that may be there still, the oldest first.

    A backup is on this list from before its first item is copied until `prune` has removed it, wherever it lies: one
    that is past its day and not pruned is on it too.
    """
    found = [msgspec.json.decode(objects.get(one.key), type=Note) for one in objects.find(NOTES)]
    return sorted(found, key=lambda one: one.created_at)


def held_by_backups(objects: Objects) -> list[Held]:
    """The backups that hold still what is erased now, and until when they are kept."""
    return [
        Held(f"the backup {one.name} in {one.place}", one.kept_until.isoformat(timespec="seconds"))
        for one in noted(objects)
    ]
