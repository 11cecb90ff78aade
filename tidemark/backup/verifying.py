"""Comparing a backup with a deployment: every item and file by content, then counters and lake with the ledger."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable

import msgspec

from tidemark.adapters.dynamodb import read_sale
from tidemark.audit import Audit, audit
from tidemark.backup.creating import File
from tidemark.backup.items import key_of, line_of
from tidemark.backup.reading import Backup
from tidemark.backup.store import AT_WORK, COPIED, LEDGER, QUARANTINE, RUNS, Store
from tidemark.errors import NotFound
from tidemark.lake_audit import audit_lake
from tidemark.ledger import Entry
from tidemark.ports import Conflict, Item
from tidemark.privacy.personal import blank_entry, blank_sale

FILES = "files"


class Compared(msgspec.Struct, frozen=True):
    """Of a table, or of the bucket's files, what the backup has and how it stands in the deployment.

    `erased`: equal, but for what was blanked of a person since. `since`: what the deployment has and the backup has
    not. Of the ledger `unknown` are those that the backup ought to have: they were taken before it was begun.
    """

    what: str
    held: int
    equal: int
    erased: int
    missing: list[str]
    different: list[str]
    since: int
    unknown: list[str]

    @property
    def differences(self) -> int:
        """How many differ."""
        return len(self.missing) + len(self.different) + len(self.unknown)


class Verified(msgspec.Struct, frozen=True):
    """What a comparison found. `lake`: how many sales of the ledger and the lake differ."""

    compared: list[Compared]
    counters: Audit
    lake: int

    @property
    def differences(self) -> int:
        """How many differ in all; none is equality."""
        counted = len(self.counters.differences) + self.counters.more_differences
        return sum(one.differences for one in self.compared) + counted + self.lake


def verify(
    store: Store, backup: Backup, *, say: Callable[[str], None], now: Callable[[], float] = time.time
) -> Verified:
    """Compare. Raises Difference where the backup itself is not whole.

    A deployment that goes on selling has more than the backup; what flows have changed since is different.
    """
    compared = []
    for table in COPIED:
        compared.append(_table(store, backup, table, now()))
        say(f"{compared[-1].held:,} items of the {table} compared")
    compared.append(_files(store, backup))
    say(f"{compared[-1].held:,} files compared")
    counters = audit(store.ledger, store.counters, store.history)
    lake = audit_lake(store.ledger, store.lake, store.mirror).differences
    return Verified(compared, counters, lake)


def same(held: Item, there: Item) -> bool:
    """Whether an item of a backup is the same in the deployment."""
    return line_of(held) == line_of(there)


def _table(store: Store, backup: Backup, table: str, now: float) -> Compared:
    items = store.tables[table]
    names: set[str] = set()
    missing: list[str] = []
    different: list[str] = []
    equal = erased = 0
    began = backup.manifest.created_at.timestamp() * 1000
    for some in backup.items(table):
        there = {key_of(item, items.keys): item for item in items.get(some)}
        for item in some:
            name = key_of(item, items.keys)
            names.add(name)
            if name not in there:
                if not _expired(item, now):
                    missing.append(name)
            elif same(item, there[name]) or (table == LEDGER and _sent_again(item, there[name], began)):
                equal += 1
            elif table in (LEDGER, QUARANTINE) and same(_blank(table, item), there[name]):
                erased += 1
            else:
                different.append(name)
    since, unknown = 0, list[str]()
    for item in items.scan():
        name = key_of(item, items.keys)
        if name in names or (table == RUNS and item["list"]["S"] == AT_WORK):
            continue
        if table == LEDGER and read_sale(item).entry.received_at < began:
            unknown.append(name)
        else:
            since += 1
    return Compared(table, len(names), equal, erased, sorted(missing), sorted(different), since, sorted(unknown))


def _blank(table: str, item: Item) -> Item:
    """An item without what is personal, as an erasure leaves it."""
    doc = item["doc"]["S"]
    if table == LEDGER:
        blanked: object = blank_entry(msgspec.json.decode(doc, type=Entry))
    else:
        conflict = msgspec.json.decode(doc, type=Conflict)
        blanked = msgspec.structs.replace(conflict, sale=blank_sale(conflict.sale))
    return {**item, "doc": {"S": msgspec.json.encode(blanked).decode()}}


def _sent_again(held: Item, there: Item, began: float) -> bool:
    """Whether a till sent the sale again before it was restored."""
    one, other = read_sale(held), read_sale(there)
    return one.digest == other.digest and other.entry.received_at >= began and one.writer != other.writer


def _expired(item: Item, now: float) -> bool:
    return "expires_at" in item and int(item["expires_at"]["N"]) <= now


def _files(store: Store, backup: Backup) -> Compared:
    keys: set[str] = set()
    missing: list[str] = []
    different: list[str] = []
    equal = 0
    for file in backup.files():
        keys.add(file.key)
        try:
            there = store.objects.fetch(file.key)
        except NotFound:
            missing.append(file.key)
            continue
        sha256 = hashlib.sha256(there.content).hexdigest()
        if File(file.key, len(there.content), sha256, there.content_type, there.stated) == file:
            equal += 1
        else:
            different.append(file.key)
    since = sum(found.key not in keys for found in store.files())
    return Compared(FILES, len(keys), equal, 0, missing, different, since, [])
