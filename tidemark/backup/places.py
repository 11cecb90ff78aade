"""Where backups lie: a folder, or a bucket."""

from __future__ import annotations

from pathlib import Path

from tidemark.adapters.folder_place import FolderPlace
from tidemark.adapters.s3_objects import S3Place
from tidemark.errors import Misuse
from tidemark.opened import Client, Opened
from tidemark.ports import Place

S3 = "s3://"


def absolute(text: str) -> str:
    """A place as it is named from anywhere."""
    return text.rstrip("/") if text.startswith(S3) else str(Path(text).expanduser().absolute())


def place(text: str, client: Client, deployment: Opened | None = None) -> Place:
    """The place that is named: a folder, or `s3://bucket/prefix`.

    Raises Misuse where it is in the bucket of the deployment itself.
    """
    if not text.startswith(S3):
        return FolderPlace(Path(text).expanduser().absolute())
    bucket, _, prefix = text.removeprefix(S3).partition("/")
    if not bucket:
        raise Misuse(f"{text!r} names no bucket")
    if deployment and bucket == deployment.outputs["LakeBucket"]:
        raise Misuse(f"{bucket} is the deployment's own bucket: what destroys it would destroy its backups")
    prefix = prefix.strip("/")
    return S3Place(client("s3"), bucket, f"{prefix}/" if prefix else "")
