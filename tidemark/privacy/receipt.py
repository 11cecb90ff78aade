"""The receipt of an erasure: what was blanked, what stays and why, and who holds it still, until when."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from tidemark.ports import Objects
from tidemark.privacy.personal import PERSONAL
from tidemark.privacy.selection import Erased

PREFIX = "erasures/"
STREAM_HOURS = 24  # AWS, DynamoDB Streams
STAYS = ("invoice_id", "amounts and times", "the digest of what was sent, keyed by the pseudonym")
_NEVER = ("counters and history", "live stream and socket frames", "models, their training data and reports", "logs")


class Held(msgspec.Struct, frozen=True):
    """A place that holds what was erased still; `until`: RFC 3339, None where that is not known."""

    where: str
    until: str | None


class Receipt(msgspec.Struct, frozen=True):
    """`customer`: the pseudonym; None where the policy erased what was too old. `before`: milliseconds since 1970."""

    id: str
    at: str
    customer: str | None
    before: int
    erased: Erased
    fields: tuple[str, ...]
    stays: tuple[str, ...]
    never_held: tuple[str, ...]
    still_held: list[Held]


def name_of(at: datetime) -> str:
    """The name of a new receipt, of an erasure that began at some time."""
    return f"{at:%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"


def write(
    erased: Erased, *, name: str = "", customer: str | None, before: int, at: datetime, still_held: Sequence[Held]
) -> Receipt:
    """The receipt of what was erased up to `at`; a new one, or `name`, which takes that one's place."""
    name = name or name_of(at)
    return Receipt(name, _text(at), customer, before, erased, tuple(PERSONAL), STAYS, _NEVER, list(still_held))


def keep(objects: Objects, receipt: Receipt) -> str:
    """Keep a receipt in the bucket: what is restored from a backup is erased again by it. Returns its key."""
    key = f"{PREFIX}{receipt.id}.json"
    objects.put(key, msgspec.json.format(msgspec.json.encode(receipt)), content_type="application/json")
    return key


def kept(objects: Objects) -> list[Receipt]:
    """Every receipt that was kept, the oldest first."""
    return [msgspec.json.decode(objects.get(found.key), type=Receipt) for found in objects.find(PREFIX)]


def tables_hold(dynamodb: Any, tables: Sequence[str], at: datetime) -> list[Held]:
    """What the tables' own backups and streams hold; asked of DynamoDB, and its words where it does not say."""
    found = [Held("the stream of the ledger's changes", _text(at + timedelta(hours=STREAM_HOURS)))]
    for table in tables:
        where = f"point-in-time recovery of the table {table}"
        try:
            answer = dynamodb.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
        except (ClientError, BotoCoreError) as error:
            found.append(Held(f"{where}, perhaps: {error}", None))
            continue
        recovery = answer.get("PointInTimeRecoveryDescription", {})
        if recovery.get("PointInTimeRecoveryStatus") == "ENABLED":
            days = int(recovery.get("RecoveryPeriodInDays", 35))
            found.append(Held(where, _text(at + timedelta(days=days))))
    return found


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
