"""What a backup says of itself: its manifest, written last. Files without one are no backup."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

import msgspec

from tidemark.errors import Difference, NotFound
from tidemark.ports import Place

FORMAT = 1
FILE = "manifest.json"


class Part(msgspec.Struct, frozen=True):
    """A file of a backup: `items` lines, gzipped to `size` bytes with this SHA-256. Its name is below the backup's."""

    name: str
    items: int
    size: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup holds, and until when it is kept.

    It holds what was there at `created_at`, and some of what came until `finished_at`. `tables`: by name the parts with
    their items. `files`: the parts that list the bucket's files, whose contents are kept under their own SHA-256.
    `sales`: how many, returns too. `takings`: their totals less those of returns, a decimal string.
    `known_as`: the pseudonym of nobody under the deployment's key, which tells whether another has the same key.
    """

    format: int = FORMAT
    id: str
    name: str
    version: str
    source: str
    created_at: datetime
    finished_at: datetime
    kept_until: datetime
    tables: dict[str, list[Part]]
    files: list[Part]
    file_bytes: int
    sales: int
    takings: str
    known_as: str = ""

    @property
    def items(self) -> dict[str, int]:
        """How many items it has of each table."""
        return {name: sum(part.items for part in parts) for name, parts in self.tables.items()}

    @property
    def size(self) -> int:
        """Bytes, but for the manifest itself."""
        parts = [*self.files, *(part for parts in self.tables.values() for part in parts)]
        return self.file_bytes + sum(part.size for part in parts)


class _Sealed(msgspec.Struct, frozen=True):
    """A manifest with the hash of its own text."""

    sha256: str
    manifest: msgspec.Raw


def write(place: Place, manifest: Manifest) -> None:
    """Write the manifest: from now on it is a backup."""
    text = msgspec.json.encode(manifest)
    sealed = _Sealed(hashlib.sha256(text).hexdigest(), msgspec.Raw(text))
    place.put(f"{manifest.name}/{FILE}", msgspec.json.encode(sealed))


def read(place: Place, name: str) -> Manifest:
    """A backup's manifest.

    Raises NotFound where there is none, and Difference where it is damaged or of a format that is not known here.
    """
    try:
        content = place.get(f"{name}/{FILE}")
    except NotFound:
        unfinished = "; files of one that was never finished are there" if place.find(f"{name}/") else ""
        raise NotFound(f"there is no backup {name!r}{unfinished}") from None
    try:
        sealed = msgspec.json.decode(content, type=_Sealed)
        text = bytes(sealed.manifest)
        told: dict[str, Any] = msgspec.json.decode(text)
        if told.get("format") != FORMAT:
            raise Difference(f"backup {name!r} is of format {told.get('format')!r}; this version reads {FORMAT}")
        manifest = msgspec.json.decode(text, type=Manifest)
    except (msgspec.MsgspecError, AttributeError):
        raise Difference(f"damaged: {FILE}") from None
    if hashlib.sha256(text).hexdigest() != sealed.sha256 or manifest.name != name:
        raise Difference(f"damaged: {FILE}")
    return manifest
