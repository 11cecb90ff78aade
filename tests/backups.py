"""A deployment in memory, as a backup sees it."""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from tests.property.faulty_ledger import FaultyLedger, LossyStream, environment
from tests.samples import body
from tidemark.adapters.cell_items import cell_item, read_cell
from tidemark.adapters.dynamodb import read_sale, sale_item
from tidemark.adapters.memory_history import MemoryHistory
from tidemark.adapters.memory_items import MemoryItems
from tidemark.adapters.memory_runs import MemoryObjects
from tidemark.adapters.s3_lake import PREFIX, LakeObject, S3Lake, listed_as, packed
from tidemark.audit import audit
from tidemark.backup.store import CELLS, FEEDBACK, HISTORY, LEDGER, QUARANTINE, RUNS, Store
from tidemark.kpis import Kpis, Selection
from tidemark.ledger import Entry
from tidemark.ports import Item, Items
from tidemark.store import Store as Retailer
from tidemark.writer import Clock


class Lake(S3Lake):
    """The lake in a bucket in memory."""

    def __init__(self, objects: MemoryObjects) -> None:
        self._objects = objects

    def put(self, minute: int, documents: Iterable[str]) -> str:
        key, content = packed(minute, documents)
        self._objects.put(key, content)
        return key

    def days(self) -> list[str]:
        return sorted({key.split("day=")[1].split("/")[0] for key in self.keys()})

    def objects(self, day: str) -> list[LakeObject]:
        return [listed_as(found.key, found.size) for found in self._objects.find(f"{PREFIX}day={day}/")]

    def read(self, key: str) -> list[str]:
        return [line.decode() for line in gzip.decompress(self._objects.get(key)).splitlines()]

    def keys(self, day: str | None = None) -> set[str]:
        return {found.key for found in self._objects.find(PREFIX if day is None else f"{PREFIX}day={day}/")}

    def remove(self, keys: Iterable[str]) -> None:
        for key in keys:
            self._objects.remove(key)

    def purge(self, keys: Iterable[str]) -> None:
        self.remove(keys)

    def fetch(self, folder: Path, keys: Iterable[str]) -> None:
        for key in keys:
            (folder / key).parent.mkdir(parents=True, exist_ok=True)
            (folder / key).write_bytes(self._objects.get(key))


class SaleItems(Items):
    """The sales of a ledger in memory as items; `between` is called now and then while they are read."""

    keys = ("invoice_id",)

    def __init__(self, ledger: FaultyLedger, archive: Callable[[Entry], object]) -> None:
        self._ledger, self._archive = ledger, archive
        self.between: Callable[[], object] = lambda: None

    def scan(self) -> Iterator[Item]:
        seen = 0
        # As a scan does, it meets some of what is written while it goes on.
        while seen < len(self._ledger.sold):
            counted, token = list(self._ledger.sold.values())[seen]
            yield sale_item(counted, token)
            seen += 1
            self.between()

    def get(self, keys: Sequence[Item]) -> list[Item]:
        found = (self._ledger.sold.get(key["invoice_id"]["S"]) for key in keys)
        return [sale_item(*one) for one in found if one]

    def put_absent(self, items: Sequence[Item]) -> list[Item]:
        held = self.get(items)
        for item in items:
            counted = read_sale(item)
            if counted.entry.invoice_id not in self._ledger.sold:
                self._ledger.sold[counted.entry.invoice_id] = (counted, item["commit"]["S"])
                self._archive(counted.entry)
        return held


class CellItems(Items):
    """The cells of a ledger in memory as items."""

    keys = ("hour_shard", "cell")

    def __init__(self, ledger: FaultyLedger) -> None:
        self._ledger = ledger

    def scan(self) -> Iterator[Item]:
        return iter([cell_item(cell) for cell in self._ledger.cells.values()])

    def get(self, keys: Sequence[Item]) -> list[Item]:
        wanted = {(key["hour_shard"]["S"], key["cell"]["S"]) for key in keys}
        return [item for item in self.scan() if (item["hour_shard"]["S"], item["cell"]["S"]) in wanted]

    def put_absent(self, items: Sequence[Item]) -> list[Item]:
        held = self.get(items)
        for cell in map(read_cell, items):
            self._ledger.cells.setdefault(cell.key, cell)
        return held


class Deployment:
    """A deployment: post to `ingest`, back up `store`."""

    def __init__(self, folder: Path, name: str) -> None:
        self.ledger = FaultyLedger()
        self.history = MemoryHistory(self.ledger)
        self.objects = MemoryObjects()
        self.lake = Lake(self.objects)
        self.sales = SaleItems(self.ledger, self.archive)
        self.stream = LossyStream()
        self.ingest = environment(self.ledger, self.stream)
        self.store = Store(
            where=name,
            tables={
                LEDGER: self.sales,
                CELLS: CellItems(self.ledger),
                HISTORY: MemoryItems("part", "at"),
                QUARANTINE: MemoryItems("invoice_id", "digest"),
                FEEDBACK: MemoryItems("inbox", "id"),
                RUNS: MemoryItems("list", "id"),
            },
            objects=self.objects,
            ledger=self.ledger,
            cells=self.ledger,
            history=self.history,
            lake=self.lake,
            zone="UTC",
            mirror=folder / name,
        )

    def post(self, *rows: dict[str, object]) -> list[str]:
        """Send some sales; what became of each. What is taken is archived."""
        clock = Clock(lambda: time.time_ns() // 1_000_000, lambda seconds: None, lambda: 1.0)
        results = self.ingest.post(body(*rows), clock).answer.results
        for counted, _ in self.ledger.sold.values():
            self.archive(counted.entry)
        return [result.status for result in results]

    def archive(self, entry: Entry) -> None:
        """What the archive Lambda does with a sale."""
        self.lake.put(entry.minute, [msgspec.json.encode(entry).decode()])

    def kpis(self) -> Kpis:
        """Of all time."""
        return self.store.counters.kpis(Selection(), Retailer())

    def differences(self) -> list[str]:
        """What an audit finds wrong."""
        return audit(self.ledger, self.store.counters, self.history).differences
