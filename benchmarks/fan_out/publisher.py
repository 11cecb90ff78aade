"""Sales into the live stream, as ingest would tell of them after its commits: cells in absolute states, anomalies."""

from __future__ import annotations

import contextlib
import itertools
import json
import random
import threading
import time
from collections.abc import Iterator

import msgspec

from simulator import sources
from tidemark.adapters.litert_model import LiteRtScorer
from tidemark.adapters.redis_connection import RedisConnection
from tidemark.adapters.redis_stream import RedisStream
from tidemark.cells import ZERO, Cell, CellKey, Combo, Measures, add
from tidemark.errors import Unavailable
from tidemark.ingest import Examined, candidates_of, examine
from tidemark.models import sales_model
from tidemark.models.keys import SALES_FILE
from tidemark.models.sales_registry import BUNDLED
from tidemark.store import Store
from tidemark.writer import Candidate, new_name

WRITERS = 4
SMALLEST, LARGEST = 250, 500  # sales in a batch
DRAWN = 5_000
OLDER = 1_000


class Publisher(threading.Thread):
    """Publishes `rate` sales a second, after a quarter's worth of older ones; a context manager that ends it.

    `sales`: how many so far.
    """

    def __init__(self, redis_url: str, rate: int) -> None:
        super().__init__(daemon=True)
        self.sales = 0
        self._stream = RedisStream(RedisConnection(redis_url))
        self._rate = rate
        self._drawn = list(_drawn())
        self._stopped = threading.Event()

    def __enter__(self) -> Publisher:
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stopped.set()
        self.join()

    def run(self) -> None:
        """Publish batches in turn from each writer; of many sizes, so that they keep no step with the ticks."""
        self._publish(_Writer(), self._drawn[:OLDER])
        sales, writers = itertools.cycle(self._drawn), itertools.cycle([_Writer() for _ in range(WRITERS)])
        sizes = random.Random(5)
        due = time.monotonic()
        while not self._stopped.wait(max(0.0, due - time.monotonic())):
            size = sizes.randint(SMALLEST, LARGEST)
            due += size / self._rate
            minute = int(time.time() // 60)
            self._publish(next(writers), [_sold(next(sales), self.sales + n, minute) for n in range(size)])
            self.sales += size

    def _publish(self, writer: _Writer, batch: list[Candidate]) -> None:
        with contextlib.suppress(Unavailable):  # as ingest; the next state makes good for it
            self._stream.publish(writer.count(batch), [sold.entry for sold in batch if sold.entry.anomaly])


class _Writer:
    """As `tidemark.writer.Writer` counts, without a ledger."""

    def __init__(self) -> None:
        self._name = new_name()
        self._cells: dict[CellKey, Cell] = {}

    def count(self, batch: list[Candidate]) -> list[Cell]:
        """The cells that the batch moves, in their next version."""
        now = int(time.time() * 1000)
        moved: dict[CellKey, dict[Combo, Measures]] = {}
        for sold in batch:
            key = sold.cell_of(self._name)
            if key not in moved:
                moved[key] = dict(self._cells[key].combos) if key in self._cells else {}
            moved[key][sold.combo] = add(moved[key].get(sold.combo, ZERO), sold.measures)
        for key, combos in moved.items():
            self._cells[key] = Cell(key, self._cells[key].version + 1 if key in self._cells else 1, now, combos)
        return [self._cells[key] for key in moved]


def _drawn() -> Iterator[Candidate]:
    """Sales as they are after ingest's examination."""
    store = Store()
    scorer = LiteRtScorer(sales_model.loads((BUNDLED / SALES_FILE).read_bytes()), store)
    rows = sources.kaggle(21, store)
    for _ in range(DRAWN // LARGEST):
        found = examine(json.dumps({"sales": list(itertools.islice(rows, LARGEST))}).encode(), store, scorer)
        assert isinstance(found, Examined)
        yield from candidates_of(found, 0)


def _sold(like: Candidate, number: int, minute: int) -> Candidate:
    """The same sale again, now and with an id of its own."""
    entry = msgspec.structs.replace(like.entry, invoice_id=f"f-{number}", minute=minute)
    return msgspec.structs.replace(like, entry=entry)
