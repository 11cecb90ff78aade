"""The write units that `tidemark cost` and docs/scale.md reckon with are those that the emulator charges."""

from __future__ import annotations

from collections import Counter
from typing import Any, cast

import pytest

from tests.cloud import Cloud
from tests.contract.tables import clone_table
from tests.samples import PSEUDONYMS, body, minute, sale
from tidemark.adapters.dynamodb import INDEX, DynamoLedger
from tidemark.adapters.redis_stream import NoStream
from tidemark.costs import item_size
from tidemark.ingest import Ingest
from tidemark.local import stores
from tidemark.scoring import RulesOnly
from tidemark.settings import TableSettings
from tidemark.store import Store
from tidemark.writer import Clock

CLOCK = Clock(now_ms=lambda: 1_767_614_400_123, sleep=lambda _: None, remaining=lambda: 10.0)


class Weighing:
    """A client that asks what each transaction has cost, and reckons it."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.charged: Counter[str] = Counter()
        self.reckoned: Counter[str] = Counter()

    def transact_write_items(self, *, TransactItems: list[dict[str, Any]], ClientRequestToken: str) -> None:  # noqa: N803
        for put in (each["Put"] for each in TransactItems):
            self.reckoned[put["TableName"]] += item_size.write_units(put["Item"], transaction=True)
            if "doc" in put["Item"]:
                self.reckoned[INDEX] += item_size.write_units(put["Item"], transaction=False)
        answer = self._client.transact_write_items(
            TransactItems=TransactItems, ClientRequestToken=ClientRequestToken, ReturnConsumedCapacity="INDEXES"
        )
        for table in answer["ConsumedCapacity"]:
            self.charged[table["TableName"]] += int(table["WriteCapacityUnits"])
            for name, index in table.get("GlobalSecondaryIndexes", {}).items():
                self.charged[name] += int(index["CapacityUnits"])


@pytest.mark.parametrize("batch", [1, 95, 300])
def test_units_are_those_that_are_charged(cloud: Cloud, batch: int) -> None:
    outputs, dynamodb = stores.running(cloud.home), stores.client(cloud.home, "dynamodb")
    names = {
        "ledger_table": clone_table(dynamodb, outputs["LedgerTable"], f"ledger-units-{batch}"),
        "cells_table": clone_table(dynamodb, outputs["CellsTable"], f"cells-units-{batch}"),
    }
    weighing = Weighing(dynamodb)
    settings = TableSettings(**names, quarantine_table="")
    ingest = Ingest(Store(), RulesOnly(), DynamoLedger(cast("Any", weighing), settings), NoStream(), PSEUDONYMS)
    # One sale is so long that it takes a second unit.
    rows = [sale(f"u-{number}", sold_at=minute(number % 3), branch="AB"[number % 2]) for number in range(batch)]
    rows[0] |= {
        "customer_id": "c" * 64,
        "city": "c" * 64,
        "branch": "b" * 64,
        "payment": "p" * 64,
        "product_line": "l" * 64,
    }
    ingest.post(body(*rows), CLOCK)
    assert weighing.charged == weighing.reckoned
    assert set(weighing.charged) == {*names.values(), INDEX}
    for name in names.values():
        dynamodb.delete_table(TableName=name)
