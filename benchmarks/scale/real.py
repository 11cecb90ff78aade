"""The same load through the real code: `Ingest`, `Writer` and DynamoDB's adapter, with a counter for DynamoDB.

What the simulation says is held against this before it is believed.
"""

from __future__ import annotations

import itertools
import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, cast

import numpy as np

from benchmarks.scale.load import Load
from benchmarks.scale.writers import WARM, post_times
from simulator.sources import kaggle
from tidemark import cells
from tidemark.adapters.dynamodb import DynamoLedger
from tidemark.adapters.redis_stream import NoStream
from tidemark.costs import item_size
from tidemark.ingest import Ingest
from tidemark.privacy.personal import SHORTEST_KEY, Pseudonyms
from tidemark.scoring import RulesOnly
from tidemark.settings import StoreSettings, TableSettings
from tidemark.writer import Clock

_BEGIN = datetime(2026, 1, 5, 12, tzinfo=UTC)
_TABLES = TableSettings(ledger_table="ledger", cells_table="cells", quarantine_table="quarantine")
_CLOCK = Clock(now_ms=lambda: 1_767_614_400_123, sleep=lambda _: None, remaining=lambda: 10.0)


class Wrote(NamedTuple):
    """What the real code wrote, on average: as `writers.Writes` has it, and the ledger's write units of a sale."""

    transactions: float
    items: float
    cells: float
    cell_units: float
    cell_bytes: float
    combos: float
    ledger_units: float


class _Counting:
    """Stands where DynamoDB's client does, and counts what it is given."""

    def __init__(self) -> None:
        self.count: Counter[str] = Counter()

    def transact_write_items(self, *, TransactItems: list[dict[str, Any]], ClientRequestToken: str) -> None:  # noqa: N803
        self.count["transactions"] += 1
        for each in TransactItems:
            put = each["Put"]
            self.count[put["TableName"]] += 1
            self.count[f"{put['TableName']} units"] += item_size.write_units(put["Item"], transaction=True)
            if "state" in put["Item"]:
                self.count["combos"] += len(cells.unpack(put["Item"]["state"]["B"]))
            self.count[f"{put['TableName']} bytes"] += item_size.size(put["Item"])


def write(load: Load, writers: int) -> Wrote:
    """The load for as long as it is simulated, by so many writers."""
    store = StoreSettings(store_opens=0, store_closes=24).store()
    client = _Counting()
    pseudonyms = Pseudonyms("0" * SHORTEST_KEY)  # no sale here names a customer
    ingests = [
        Ingest(store, RulesOnly(), DynamoLedger(cast("Any", client), _TABLES), NoStream(), pseudonyms)
        for _ in range(writers)
    ]
    random = np.random.default_rng(load.seed + 1_000)
    rows = itertools.chain.from_iterable(_anew(load.seed, store) for _ in itertools.count())
    posts = 0
    for time in post_times(load):
        branch = int(random.integers(load.branches))
        sales: list[dict[str, Any]] = []
        for row in itertools.islice(rows, load.batch):
            sold = _BEGIN + timedelta(seconds=time - random.uniform(0, load.spread_minutes * 60))
            of = int(random.integers(load.branches)) if load.mixed else branch
            number = f"{time:.4f}-{len(sales)}"
            sales.append({**row, "invoice_id": number, "sold_at": sold.isoformat(), "branch": f"B{of}"})
        ingests[int(random.integers(writers))].post(json.dumps({"sales": sales}).encode(), _CLOCK)
        posts += 1
        if time < 60 * WARM:
            client.count.clear()
            posts = 0
    count = client.count
    return Wrote(
        transactions=count["transactions"] / posts,
        items=(count["ledger"] + count["cells"]) / count["transactions"],
        cells=count["cells"] / posts,
        cell_units=count["cells units"] / posts,
        cell_bytes=count["cells bytes"] / count["cells"],
        combos=count["combos"] / count["cells"],
        ledger_units=count["ledger units"] / count["ledger"],
    )


_drawn: dict[int, list[dict[str, Any]]] = {}


def _anew(seed: int, store: Any) -> list[dict[str, Any]]:
    return _drawn.setdefault(seed, list(itertools.islice(kaggle(seed, store), 5_000)))
