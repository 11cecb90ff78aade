"""The newest sales of the lake, for what looks at sales as they come; the archive Lambda imports none of it."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from tidemark.adapters.s3_lake import PREFIX
from tidemark.ledger import Entry

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

_entry = msgspec.json.Decoder(Entry).decode


class NewestSales:
    """The lake in one bucket, from its end."""

    def __init__(self, client: S3Client, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def read(self, most: int) -> list[Entry]:
        """Of the days that were sold last the sales that came last, each once, in the order they were sold.

        Costs the names of those days' objects, and the content of as many as hold `most` sales, whatever lies before.
        """
        found: dict[str, Entry] = {}
        for key in self._keys():
            content = self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()
            found.update((entry.invoice_id, entry) for entry in map(_entry, gzip.decompress(content).splitlines()))
            if len(found) >= most:
                break
        last = sorted(found.values(), key=lambda entry: (entry.received_at, entry.sold_at, entry.invoice_id))[-most:]
        return sorted(last, key=lambda entry: (entry.sold_at, entry.invoice_id))

    def _keys(self) -> Iterator[str]:
        """Every object's key: the newest day first, and of a day what was written last."""
        lists = self._client.get_paginator("list_objects_v2")
        days = [
            day["Prefix"]
            for page in lists.paginate(Bucket=self._bucket, Prefix=PREFIX, Delimiter="/")
            for day in page.get("CommonPrefixes", [])
        ]
        for day in sorted(days, reverse=True):
            objects = [
                item for page in lists.paginate(Bucket=self._bucket, Prefix=day) for item in page.get("Contents", [])
            ]
            yield from (item["Key"] for item in sorted(objects, key=lambda item: item["LastModified"], reverse=True))
