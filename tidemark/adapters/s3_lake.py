"""The lake on S3: the ledger's sales by the day they were sold (UTC), as gzipped JSON lines.

An object's name begins with the hash of its content, so archiving a batch again writes the same object; a sale may
still stand in several objects (a batch that was cut differently), so everyone reads through the view of
`tidemark/lake_view.py`. After it stands when the oldest of its sales that name a customer was received: what a policy
erases next is found by listing names.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterable
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from tidemark.errors import NotFound
from tidemark.store import MINUTES_PER_DAY, day_name

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

PREFIX = "sales/"
FETCHED_AT_ONCE = 8
NOBODY = 1 << 53  # past every time that a name can say
UNKNOWN = 0
_SAYS = re.compile(r"[0-9a-f]{32}-(?:(?P<oldest>[0-9]{13})|nobody)\.json\.gz", re.ASCII)


class Bought(msgspec.Struct, frozen=True):
    """What of a sale's document says whether it names a customer, and when it came in (milliseconds since 1970)."""

    customer_id: str | None = None
    received_at: int = 0


class LakeObject(NamedTuple):
    """An object as the listing tells of it.

    `oldest`: when the oldest of its sales that name a customer was received, milliseconds since 1970; NOBODY where none
    names one; UNKNOWN where its name does not say, as those of former versions. `size`: bytes as they lie.
    """

    key: str
    oldest: int
    size: int


read_bought = msgspec.json.Decoder(Bought).decode


def packed(minute: int, documents: Iterable[str]) -> tuple[str, bytes]:
    """An object with sales of the day of `minute` (UTC, since 1970): its key, and its content, gzipped."""
    listed = list(documents)
    content = "".join(f"{document}\n" for document in listed).encode()
    name = blake2b(content, digest_size=16).hexdigest()
    named = [sale.received_at for sale in map(read_bought, listed) if sale.customer_id is not None]
    oldest = f"{min(named):013d}" if named else "nobody"
    return (
        f"{PREFIX}day={day_name(minute // MINUTES_PER_DAY)}/{name}-{oldest}.json.gz",
        gzip.compress(content, 6, mtime=0),
    )


def listed_as(key: str, size: int) -> LakeObject:
    """What an object's key says of it."""
    found = _SAYS.fullmatch(key.rpartition("/")[2])
    if found is None:
        return LakeObject(key, UNKNOWN, size)
    return LakeObject(key, int(found["oldest"]) if found["oldest"] else NOBODY, size)


class S3Lake:
    """One bucket. Its objects never change; they are only added and, by a repair or an erasure, replaced."""

    def __init__(self, client: S3Client, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def put(self, minute: int, documents: Iterable[str]) -> str:
        """Add one object with sales of the day of `minute` (UTC, since 1970); returns its key."""
        key, content = packed(minute, documents)
        self._client.put_object(
            Bucket=self._bucket,
            Key=key,
            Body=content,
            ContentType="application/x-ndjson",
            ContentEncoding="gzip",
        )
        return key

    def keys(self, day: str | None = None) -> set[str]:
        """Every object's key, or those of one day (YYYY-MM-DD)."""
        prefix = PREFIX if day is None else f"{PREFIX}day={day}/"
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
        return {item["Key"] for page in pages for item in page.get("Contents", [])}

    def days(self) -> list[str]:
        """The days (YYYY-MM-DD) of which there are objects, the earliest first."""
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=PREFIX, Delimiter="/"
        )
        found = (item["Prefix"] for page in pages for item in page.get("CommonPrefixes", []))
        return sorted(prefix.rpartition("day=")[2].rstrip("/") for prefix in found)

    def objects(self, day: str) -> list[LakeObject]:
        """The objects of a day (YYYY-MM-DD), in the order of their keys."""
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=f"{PREFIX}day={day}/"
        )
        return [listed_as(item["Key"], item["Size"]) for page in pages for item in page.get("Contents", [])]

    def read(self, key: str) -> list[str]:
        """The documents of an object. Raises NotFound where it has been replaced."""
        try:
            content = self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        except self._client.exceptions.NoSuchKey:
            raise NotFound(f"there is no {key!r}") from None
        return [line.decode() for line in gzip.decompress(content).splitlines()]

    def remove(self, keys: Iterable[str]) -> None:
        """Remove objects that others have replaced."""
        for key in keys:
            self._client.delete_object(Bucket=self._bucket, Key=key)

    def purge(self, keys: Iterable[str]) -> None:
        """Remove objects with whatever versions of them the bucket keeps."""
        lists = self._client.get_paginator("list_object_versions")
        for key in keys:
            for page in list(lists.paginate(Bucket=self._bucket, Prefix=key)):
                for version in (*page.get("Versions", []), *page.get("DeleteMarkers", [])):
                    if version["Key"] == key:
                        self._client.delete_object(Bucket=self._bucket, Key=key, VersionId=version["VersionId"])

    def mirror(self, folder: Path) -> None:
        """Bring `folder` to the state of the lake: what is new is fetched, what is gone is removed."""
        wanted = self.keys()
        here = {str(path.relative_to(folder)) for path in folder.rglob("*.json.gz")}
        for key in here - wanted:
            (folder / key).unlink()
        self.fetch(folder, wanted)

    def fetch(self, folder: Path, keys: Iterable[str]) -> None:
        """Bring objects to `folder`, those that are not there yet."""
        from concurrent.futures import ThreadPoolExecutor  # the archive Lambda needs none

        missing = [key for key in keys if not (folder / key).exists()]
        with ThreadPoolExecutor(FETCHED_AT_ONCE) as pool:
            for _ in pool.map(lambda key: self._fetch(folder / key, key), missing):
                pass

    def _fetch(self, path: Path, key: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".part")
        partial.write_bytes(self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read())
        partial.replace(path)
