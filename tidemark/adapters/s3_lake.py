"""The lake on S3: the ledger's sales by the day they were sold (UTC), as gzipped JSON lines.

An object's name is the hash of its content, so archiving a batch again writes the same object; a sale may still stand
in several objects (a batch that was cut differently), so everyone reads through the view of `tidemark/lake_view.py`.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterable
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

from tidemark.store import MINUTES_PER_DAY, day_name

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

PREFIX = "sales/"
FETCHED_AT_ONCE = 8


class S3Lake:
    """One bucket. Its objects never change; they are only added and, by a repair or an erasure, replaced."""

    def __init__(self, client: S3Client, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def put(self, minute: int, documents: Iterable[str]) -> str:
        """Add one object with sales of the day of `minute` (UTC, since 1970); returns its key."""
        content = "".join(f"{document}\n" for document in documents).encode()
        name = blake2b(content, digest_size=16).hexdigest()
        key = f"{PREFIX}day={day_name(minute // MINUTES_PER_DAY)}/{name}.json.gz"
        self._client.put_object(
            Bucket=self._bucket,
            Key=key,
            Body=gzip.compress(content, 6, mtime=0),
            ContentType="application/x-ndjson",
            ContentEncoding="gzip",
        )
        return key

    def keys(self, day: str | None = None) -> set[str]:
        """Every object's key, or those of one day (YYYY-MM-DD)."""
        prefix = PREFIX if day is None else f"{PREFIX}day={day}/"
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
        return {item["Key"] for page in pages for item in page.get("Contents", [])}

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
