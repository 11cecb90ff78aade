"""Reading a backup: each part is held against the manifest before a line of it is believed."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterable, Iterator
from itertools import groupby

import msgspec

from tidemark.backup.creating import BLOBS, File
from tidemark.backup.items import item_of
from tidemark.backup.manifest import Manifest, Part
from tidemark.backup.store import LEDGER
from tidemark.errors import Difference, NotFound
from tidemark.ports import Item, Place

_file = msgspec.json.Decoder(File).decode


class Backup:
    """A backup in a place."""

    def __init__(self, place: Place, manifest: Manifest) -> None:
        self._place = place
        self.manifest = manifest

    def items(self, table: str) -> Iterator[list[Item]]:
        """The items of a table, part by part. Raises Difference that names a part that is missing or damaged."""
        for part in self.manifest.tables[table]:
            yield self._items(part)

    def days(self) -> Iterator[tuple[str, list[Item]]]:
        """The sales of each day (YYYY-MM-DD, UTC) that has some."""
        parts = sorted(self.manifest.tables[LEDGER], key=_day)
        for day, some in groupby(parts, key=_day):
            yield day, [item for part in some for item in self._items(part)]

    def files(self) -> Iterator[File]:
        """The bucket's files."""
        for part in self.manifest.files:
            yield from map(_file, self._lines(part))

    def content(self, file: File) -> bytes:
        """A file's content. Raises Difference where it is missing or damaged."""
        return self._checked(f"{BLOBS}{file.sha256}", file.size, file.sha256)

    def problems(self) -> Iterable[str]:
        """What is missing or damaged, by name; all of the backup is read."""
        tables = (part for parts in self.manifest.tables.values() for part in parts)
        for part in (*tables, *self.manifest.files):
            try:
                if len(self._lines(part)) != part.items:
                    yield f"damaged: {part.name}"
            except Difference as error:
                yield str(error)
        seen: set[str] = set()
        for part in self.manifest.files:
            try:
                files = [_file(line) for line in self._lines(part)]
            except Difference:
                continue  # named above
            for file in files:
                if file.sha256 not in seen:
                    seen.add(file.sha256)
                    try:
                        self.content(file)
                    except Difference as error:
                        yield f"{error} ({file.key})"

    def _items(self, part: Part) -> list[Item]:
        return [item_of(line) for line in self._lines(part)]

    def _lines(self, part: Part) -> list[bytes]:
        return gzip.decompress(self._checked(part.name, part.size, part.sha256)).splitlines()

    def _checked(self, name: str, size: int, sha256: str) -> bytes:
        try:
            content = self._place.get(f"{self.manifest.name}/{name}")
        except NotFound:
            raise Difference(f"missing: {name}") from None
        if len(content) != size or hashlib.sha256(content).hexdigest() != sha256:
            raise Difference(f"damaged: {name}")
        return content


def _day(part: Part) -> str:
    return part.name.split("/")[1]
