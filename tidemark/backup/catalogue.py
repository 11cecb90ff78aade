"""Which backups there are: those in a place, and those that a deployment remembers, wherever they lie."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import NamedTuple

import msgspec

from tidemark.backup import manifest
from tidemark.backup.manifest import FILE, Manifest
from tidemark.backup.store import NOTES
from tidemark.errors import NotFound, TidemarkError
from tidemark.ports import Objects, Place

ERASURES = "erasures"  # receipts beside the backups (`tidemark/backup/erasing.py`)
UNFINISHED_MS = 86_400_000  # what was begun longer ago than that is never finished any more


class Note(msgspec.Struct, frozen=True):
    """That a backup was begun; it is to be gone after `kept_until`. `place`: where it lies, as it was named."""

    name: str
    created_at: datetime
    kept_until: datetime
    place: str = ""


class Listed(NamedTuple):
    """A backup in a place: its manifest, or why it has none that can be read. `modified`: milliseconds since 1970."""

    name: str
    manifest: Manifest | None
    problem: str
    size: int
    modified: int


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


def listed(place: Place) -> list[Listed]:
    """What is in a place, by name."""
    files = defaultdict(list)
    for found in place.find(""):
        name, _, below = found.key.partition("/")
        if below and name != ERASURES:
            files[name].append(found)
    listing = []
    for name, some in sorted(files.items()):
        made, problem = None, ""
        try:
            made = manifest.read(place, name)
        except NotFound:
            problem = "never finished"
        except TidemarkError as error:
            problem = str(error)
        listing.append(Listed(name, made, problem, sum(one.size for one in some), max(one.modified for one in some)))
    return listing


def prune(place: Place, objects: Objects | None, now: datetime) -> list[str]:
    """Remove the backups whose day has passed, and what was begun a day ago and never finished; returns their names.

    `objects`: the deployment that remembers them, where it can be asked.
    """
    gone = []
    for one in listed(place):
        unfinished = one.problem == "never finished" and one.modified < now.timestamp() * 1000 - UNFINISHED_MS
        if unfinished or (one.manifest and one.manifest.kept_until < now):
            place.remove(f"{one.name}/{FILE}")  # first: with less than all of its parts it is no backup
            for found in place.find(f"{one.name}/"):
                place.remove(found.key)
            if objects:
                objects.remove(f"{NOTES}{one.name}.json")
            gone.append(one.name)
    return gone
