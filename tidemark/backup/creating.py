"""Making a backup, while sales go on.

The ledger is the truth, and no sale in it ever changes: whatever its scan meets is exact, and every sale that was
committed before it began is met. Cells, history and lake are made of it, so they are not copied. The manifest is
written when all else lies there; what is cut off before is no backup.
"""

from __future__ import annotations

import gzip
import hashlib
import re
import secrets
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import msgspec

from tidemark import __version__, money
from tidemark.adapters.dynamodb import read_sale
from tidemark.backup import catalogue, manifest, notes
from tidemark.backup.items import line_of
from tidemark.backup.manifest import Manifest, Part
from tidemark.backup.store import COPIED, LEDGER, Store
from tidemark.errors import Misuse, NotFound
from tidemark.ports import OCTETS, Place
from tidemark.store import MINUTES_PER_DAY, day_name

DAYS = 35
PART_BYTES = 16_000_000  # of lines, before they are packed
GATHERED_BYTES = 64_000_000  # of the ledger's days together
BLOBS = "files/"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}", re.ASCII)
Say = Callable[[str], None]


class File(msgspec.Struct, frozen=True):
    """A file of the bucket; its content is kept as `files/SHA256`."""

    key: str
    size: int
    sha256: str
    content_type: str = OCTETS
    stated: dict[str, str] = {}


def create(
    store: Store,
    place: Place,
    name: str,
    *,
    days: int,
    say: Say,
    where: str = "",
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Manifest:
    """Copy what cannot be made again of a deployment.

    `days`: how long the backup is to be kept. `where`: how the place is named, for whoever erases a person later.

    Raises Misuse where the name cannot be one, or is taken.
    """
    if not _NAME.fullmatch(name) or name == catalogue.ERASURES:
        raise Misuse(f"{name!r} cannot be a backup's name: letters, digits, dots, dashes and underscores, 80 at most")
    if place.find(f"{name}/"):
        raise Misuse(f"{name!r} is there already, or was begun; take another name")
    created_at = now()
    kept_until = created_at + timedelta(days=days)
    # Before anything is copied: what a backup may hold of a person is known from then on, however this ends.
    notes.note(store.objects, notes.Note(name, created_at, kept_until, where))
    written = _Written(place, name)
    tables = {}
    for table in COPIED:
        tables[table] = written.ledger(store) if table == LEDGER else written.lines(table, _lines(store, table))
        say(f"{sum(part.items for part in tables[table]):,} items of the {table}")
    files = written.lines("files-list", written.blobs(store))
    say(f"{sum(part.items for part in files):,} files")
    made = Manifest(
        id=secrets.token_hex(16),
        name=name,
        version=__version__,
        source=store.where,
        created_at=created_at,
        finished_at=now(),
        kept_until=kept_until,
        tables=tables,
        files=files,
        file_bytes=written.blob_bytes,
        sales=sum(part.items for part in tables[LEDGER]),
        takings=money.to_text(written.takings),
        known_as=store.known_as,
    )
    manifest.write(place, made)
    return made


def _lines(store: Store, table: str) -> Iterator[bytes]:
    return (line_of(item) for item in store.items(table))


class _Written:
    """The parts of one backup, as they are written."""

    def __init__(self, place: Place, name: str) -> None:
        self._place, self._name = place, name
        self._blobs: set[str] = set()
        self.blob_bytes = self.takings = 0

    def lines(self, what: str, lines: Iterator[bytes]) -> list[Part]:
        """Some lines in parts of at most some size."""
        parts: list[Part] = []
        gathered: list[bytes] = []
        size = 0
        for line in lines:
            gathered.append(line)
            size += len(line)
            if size >= PART_BYTES:
                parts.append(self._part(f"{what}/{len(parts):05d}", gathered))
                gathered, size = [], 0
        return [*parts, self._part(f"{what}/{len(parts):05d}", gathered)] if gathered else parts

    def ledger(self, store: Store) -> list[Part]:
        """The sales by the day they were sold: what counts a sale is of its day, so a day can be restored by itself."""
        parts: list[Part] = []
        days: dict[int, list[bytes]] = defaultdict(list)
        size = 0
        for item in store.items(LEDGER):
            entry, line = read_sale(item).entry, line_of(item)
            self.takings += money.from_text(entry.total) * (-1 if entry.kind == "return" else 1)
            days[entry.minute // MINUTES_PER_DAY].append(line)
            size += len(line)
            if size >= GATHERED_BYTES:
                parts += self._days(days, len(parts))
                size = 0
        return parts + self._days(days, len(parts))

    def _days(self, days: dict[int, list[bytes]], begin: int) -> list[Part]:
        made = [
            self._part(f"{LEDGER}/{day_name(day)}/{begin + number:05d}", lines)
            for number, (day, lines) in enumerate(sorted(days.items()))
        ]
        days.clear()
        return made

    def blobs(self, store: Store) -> Iterator[bytes]:
        """Copy the bucket's files, those with the same content once; yields what the list says of each."""
        for found in store.files():
            try:
                held = store.objects.fetch(found.key)
            except NotFound:  # its time was up since it was listed
                continue
            sha256 = hashlib.sha256(held.content).hexdigest()
            if sha256 not in self._blobs:
                self._place.put(f"{self._name}/{BLOBS}{sha256}", held.content)
                self._blobs.add(sha256)
                self.blob_bytes += len(held.content)
            yield msgspec.json.encode(File(found.key, len(held.content), sha256, held.content_type, held.stated))

    def _part(self, name: str, lines: list[bytes]) -> Part:
        content = gzip.compress(b"".join(line + b"\n" for line in lines), 6, mtime=0)
        part = Part(f"{name}.jsonl.gz", len(lines), len(content), hashlib.sha256(content).hexdigest())
        self._place.put(f"{self._name}/{part.name}", content)
        return part
