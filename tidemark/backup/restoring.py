"""Bringing a backup back into an empty deployment.

All of it is held against the manifest first. Then the bucket's files, the sales and the rest are put where nothing is,
each exactly as it was, and the cells are counted anew from the sales: counters equal the ledger because they are its
sums. What is cut off is begun again and goes on: what is there already is what was to be put.

Tills may post meanwhile. A sale of the backup that one of them sends before it is restored is counted once, by the
writer that took it. New writers have names that none had before.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Literal

import msgspec

from tidemark import cells
from tidemark.adapters.cell_items import cell_item, read_cell
from tidemark.adapters.dynamodb import read_sale
from tidemark.backup.erasing import erase_again
from tidemark.backup.items import line_of
from tidemark.backup.reading import Backup
from tidemark.backup.store import CELLS, COPIED, LEDGER, RESTORED, Store
from tidemark.cells import Cell, CellKey, Combo, Measures
from tidemark.errors import Difference, Misuse, NotFound
from tidemark.history.compaction import Compactor
from tidemark.lake_audit import audit_lake, repair_lake
from tidemark.ledger import Counted
from tidemark.ports import Item, Place
from tidemark.writer import Clock

# Added to the version of a restored cell: whoever held it before the loss, and may have seen more of it than the
# backup has, must not take the two for the same.
LATER = 1_000_000
STALLED_S = 45.0  # the archive's retries take less; what has not come to the lake then is put there
LOOK_S = 1.0
SHOWN = 20
COMPACTING_S = 3_600.0

Phase = Literal["filling", "counted", "complete"]
AfterRestore = Callable[[Store, Place], Iterable[str]]
"""Called with the restored deployment and the place of the backup, when sales, counters and lake are there and before
the restore is called complete; again where it was cut off. Says what it did, a line each."""
AFTER: tuple[AfterRestore, ...] = (erase_again,)
"""What is done to every restored deployment."""


class Marker(msgspec.Struct, frozen=True):
    """Which backup a deployment was restored from, and how far that has come."""

    backup: str
    name: str
    phase: Phase


class Plan(msgspec.Struct, frozen=True):
    """What a restore would do.

    `resumes`: a restore of the same backup that was cut off goes on. `strangers`: the deployment has another key of
    pseudonyms than the backup's had, so that it takes known customers for new ones.
    """

    sales: int
    items: dict[str, int]
    files: int
    bytes: int
    resumes: Phase | None
    strangers: bool


class Restored(msgspec.Struct, frozen=True):
    """What a restore did.

    `again`: sales that tills have sent since, and that were left as they were taken then; of them `conflicting` were
    sent with another content than the backup has. `compacted`: cells that are history again. `repaired`: days of the
    lake that the archive had not written.
    """

    sales: int
    again: int
    conflicting: list[str]
    compacted: int
    repaired: int
    after: list[str]


def plan(store: Store, backup: Backup) -> Plan:
    """What a restore would do.

    Raises Misuse where the deployment is not empty, and Difference where the backup is not whole.
    """
    marker = _marker(store)
    if marker and marker.phase == "complete":
        raise Misuse(f"{store.where} was restored already, from {marker.name!r}; `tidemark backup verify` compares")
    if marker and marker.backup != backup.manifest.id:
        raise Misuse(f"a restore of another backup, {marker.name!r}, was begun in {store.where}: go on with that one")
    if marker and marker.phase == "filling" and store.history.heads():
        raise Misuse("cells were moved into history since the restore was begun; begin anew in an empty deployment")
    if not marker and (held := store.held()):
        raise Misuse(f"{store.where} is not empty: {'; '.join(held)}. A backup is restored into an empty one only")
    problems = list(backup.problems())
    if problems:
        raise Difference(f"the backup is not whole, and nothing was touched: {_some(problems)}")
    told = backup.manifest
    files = sum(part.items for part in told.files)
    resumes = marker.phase if marker else None
    return Plan(told.sales, told.items, files, told.size, resumes, told.known_as != store.known_as)


def restore(
    store: Store,
    backup: Backup,
    place: Place,
    *,
    say: Callable[[str], None],
    after: Sequence[AfterRestore] = AFTER,
    stalled_s: float = STALLED_S,
) -> Restored:
    """Restore into an empty deployment, or go on with what was cut off; `plan` must have said yes.

    Raises Difference where what is there is neither of the backup nor a sale that a till has sent.
    """
    again: list[str] = []
    conflicting: list[str] = []
    marker = _marker(store)
    if not marker or marker.phase == "filling":
        _mark(store, backup, "filling")
        _files(store, backup)
        say("the bucket's files are there")
        for table in COPIED:
            if table != LEDGER:
                _rest(store, backup, table)
        for day, items in backup.days():
            taken = _day(store, items)
            again += taken
            conflicting += [name for name, equal in taken.items() if not equal]
            say(f"{len(items):,} sales of {day}")
        _mark(store, backup, "counted")
    repaired = _lake(store, say, stalled_s)
    say("the lake has every sale")
    compacted = _compact(store)
    done = [line for step in after for line in step(store, place)]
    _mark(store, backup, "complete")
    return Restored(backup.manifest.sales, len(again), conflicting, compacted, repaired, done)


def _marker(store: Store) -> Marker | None:
    try:
        return msgspec.json.decode(store.objects.get(RESTORED), type=Marker)
    except NotFound:
        return None


def _mark(store: Store, backup: Backup, phase: Phase) -> None:
    marker = Marker(backup.manifest.id, backup.manifest.name, phase)
    store.objects.put(RESTORED, msgspec.json.encode(marker), content_type="application/json")


def _files(store: Store, backup: Backup) -> None:
    for file in backup.files():
        store.objects.put(file.key, backup.content(file), content_type=file.content_type, stated=file.stated)


def _rest(store: Store, backup: Backup, table: str) -> None:
    for items in backup.items(table):
        wrong = _unlike(store, table, items, store.tables[table].put_absent(items))
        if wrong:
            raise Difference(f"the {table} holds something else under the same key: {_some(wrong)}")


def _unlike(store: Store, table: str, items: Sequence[Item], held: Sequence[Item]) -> list[str]:
    """Of what stood in the way, what is not what was to be put."""
    wanted = {store.name_of(table, item): line_of(item) for item in items}
    return [name for item in held if wanted[name := store.name_of(table, item)] != line_of(item)]


def _day(store: Store, items: list[Item]) -> dict[str, bool]:
    """Put a day's sales and count them. Returns the ids that tills had sent again, and whether they are equal."""
    held = store.tables[LEDGER].put_absent(items)
    sales = {item["invoice_id"]["S"]: read_sale(item) for item in items}
    again: dict[str, bool] = {}
    for item in held:
        name, there = item["invoice_id"]["S"], read_sale(item)
        if not _same_place(there, sales[name]):
            again[name] = there.digest == sales.pop(name).digest
    made = [cell_item(cell) for cell in count(sales.values(), time.time_ns() // 1_000_000)]
    wanted = {store.name_of(CELLS, item): read_cell(item) for item in made}
    for item in store.tables[CELLS].put_absent(made):
        name, cell = store.name_of(CELLS, item), read_cell(item)
        if (cell.version, cell.combos) != (wanted[name].version, wanted[name].combos):
            raise Difference(f"the cell {name} holds something else")
    return again


def _same_place(one: Counted, other: Counted) -> bool:
    """Whether the same cell counts both: then they are the same sale, taken once."""
    return (one.writer, one.version) == (other.writer, other.version)


def count(sales: Iterable[Counted], written_at: int) -> list[Cell]:
    """The cells that count some sales, all that there are of their days.

    `written_at` is now, in milliseconds since 1970: so nobody moves them into history before all are there.
    """
    sums: dict[CellKey, dict[Combo, Measures]] = defaultdict(dict)
    versions: dict[CellKey, int] = defaultdict(int)
    for sale in sales:
        entry = sale.entry
        key = CellKey(entry.minute, entry.branch, sale.writer)
        combos = sums[key]
        combos[entry.combo] = cells.add(combos.get(entry.combo, cells.ZERO), entry.measures())
        versions[key] = max(versions[key], sale.version)
    return [
        Cell(key, versions[key] + LATER, written_at, {combo: combos[combo] for combo in sorted(combos)})
        for key, combos in sums.items()
    ]


def _lake(store: Store, say: Callable[[str], None], stalled_s: float) -> int:
    """Wait for the archive, which is told of every sale that is put; write what does not come. Returns days written."""
    least, since = None, time.monotonic()
    while True:
        began = time.monotonic()
        found = audit_lake(store.ledger, store.lake, store.mirror, lag_s=0)
        if not found.differences:
            return 0
        if least is None or len(found.missing) < least:
            least, since = len(found.missing), time.monotonic()
            say(f"{least:,} sales are on their way to the lake")
        if time.monotonic() - since > stalled_s:
            return repair_lake(store.ledger, store.lake, store.mirror, found)
        time.sleep(max(LOOK_S, time.monotonic() - began))  # a look at much takes its time


def _compact(store: Store) -> int:
    """Move the restored cells into history, as old cells are; what is left the next hourly run moves."""
    now = time.time_ns() // 1_000_000
    deadline = time.monotonic() + COMPACTING_S
    clock = Clock(lambda: now, time.sleep, lambda: deadline - time.monotonic())
    return Compactor(store.cells, store.history, store.zone).run(clock, now + 1).moved


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
