"""A bucket on S3."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from tidemark.errors import NotFound
from tidemark.ports import OCTETS, Found, Object, Objects, Place

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_s3.type_defs import CopySourceTypeDef

_ABSENT = {"404", "NoSuchKey", "NotFound"}
_CHANGED = {"412", "PreconditionFailed"}


class S3Objects(Objects):
    """`client` may retry by itself: an object is written whole."""

    def __init__(self, client: S3Client, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def put(
        self,
        key: str,
        content: bytes,
        *,
        content_type: str = OCTETS,
        stated: Mapping[str, str] | None = None,
    ) -> None:
        self._client.put_object(
            Bucket=self._bucket, Key=key, Body=content, ContentType=content_type, Metadata=dict(stated or {})
        )

    def get(self, key: str) -> bytes:
        try:
            return self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        except ClientError as error:
            raise _told(error, key) from error

    def fetch(self, key: str) -> Object:
        try:
            answer = self._client.get_object(Bucket=self._bucket, Key=key)
            return Object(answer["Body"].read(), answer["Metadata"], answer["ETag"], answer["ContentType"])
        except ClientError as error:
            raise _told(error, key) from error

    def find(self, prefix: str) -> list[Found]:
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
        return [
            Found(item["Key"], int(item["LastModified"].timestamp() * 1000), item["Size"])
            for page in pages
            for item in page.get("Contents", [])
        ]

    def remove(self, key: str) -> None:
        self._client.delete_object(Bucket=self._bucket, Key=key)

    def move(self, key: str, to: str, *, version: str) -> None:
        source: CopySourceTypeDef = {"Bucket": self._bucket, "Key": key}
        try:
            self._client.copy_object(Bucket=self._bucket, Key=to, CopySource=source, CopySourceIfMatch=version)
            self._client.delete_object(Bucket=self._bucket, Key=key, IfMatch=version)
        except ClientError as error:
            if error.response["Error"]["Code"] not in _ABSENT | _CHANGED:
                raise


class S3Place(Place):
    """The part of a bucket below a prefix, which ends with a slash or is empty."""

    def __init__(self, client: S3Client, bucket: str, prefix: str) -> None:
        self._objects, self._prefix = S3Objects(client, bucket), prefix

    def put(self, key: str, content: bytes) -> None:
        self._objects.put(self._prefix + key, content)

    def get(self, key: str) -> bytes:
        return self._objects.get(self._prefix + key)

    def find(self, prefix: str) -> list[Found]:
        return [
            Found(found.key.removeprefix(self._prefix), found.modified, found.size)
            for found in self._objects.find(self._prefix + prefix)
        ]

    def remove(self, key: str) -> None:
        self._objects.remove(self._prefix + key)


def _told(error: ClientError, key: str) -> Exception:
    return NotFound(f"there is no {key!r}") if error.response["Error"]["Code"] in _ABSENT else error
