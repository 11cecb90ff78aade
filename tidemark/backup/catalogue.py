"""Which backups there are in a place. Those that a deployment remembers, wherever they lie: `notes.py`."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import NamedTuple

from tidemark.backup import manifest
from tidemark.backup.manifest import FILE, Manifest
from tidemark.backup.notes import NOTES
from tidemark.errors import NotFound, TidemarkError
from tidemark.ports import Objects, Place

ERASURES = "erasures"  # receipts beside the backups (`tidemark/backup/erasing.py`)
UNFINISHED_MS = 86_400_000  # what was begun longer ago than that is never finished any more


class Listed(NamedTuple):
    """A backup in a place: its manifest, or why it has none that can be read. `modified`: milliseconds since 1970."""

    name: str
    manifest: Manifest | None
    problem: str
    size: int
    modified: int


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
