"""What a million sales cost: from what the ingest code itself writes for them, at prices by the piece."""

from __future__ import annotations

import json
import math
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, NamedTuple, cast

from simulator.sources import kaggle
from tidemark.adapters.dynamodb import DynamoLedger
from tidemark.adapters.redis_stream import NoStream
from tidemark.costs import item_size, prices
from tidemark.ingest import Ingest
from tidemark.privacy.personal import SHORTEST_KEY, Pseudonyms
from tidemark.scoring import RulesOnly
from tidemark.settings import StoreSettings, TableSettings
from tidemark.writer import Clock

MILLION = 1_000_000
TRIED = 2_000  # sales that are written to see what each costs
A_SECOND = 100  # sales: a batch of 100 lies within one minute or two, as a till's does
TABLES = TableSettings(ledger_table="ledger", cells_table="cells", quarantine_table="quarantine")

# How long Lambdas work. `ingest`: measured on ministack at 100 sales a POST (`tidemark bench ingest`), doubled: a
# Lambda of 1,024 MB has 0.58 of a processor, and DynamoDB is a network away. The others likewise.
INGEST_MS, INGEST_GB = 120.0, 1.0
AUTHORIZE_MS, AUTHORIZE_GB = 20.0, 0.5
KNOWN = 0.9  # of calls, whose token API Gateway still knows
ARCHIVE_MS, ARCHIVE_GB, ARCHIVED_AT_ONCE = 400.0, 0.5, 500  # of at most 1,000, within 5 s
PUBLISH_MS, PUBLISH_GB, PUBLISHED_AT_ONCE = 20.0, 0.5, 10
BLANK_MS, BLANK_GB = 5.0, 1.769  # a sale of 10,000 on ministack: 194 a second, 3.3 ms of a processor each
A_MOVED_CELL = 5  # write units: 2 mark it, 2 are its share of a minute's period, 1 deletes it
LOGGED_BYTES = 1_600  # a POST: a line, its metrics, a line of API Gateway's
LAKE_BYTES = 180  # a sale, compressed
ANSWER_BYTES = 90  # a sale's result


class Usage(NamedTuple):
    """What was written for `TRIED` sales, each figure for one sale."""

    batch: int
    ledger_units: float
    index_units: float
    cell_units: float
    cells: float
    ledger_bytes: float


class Line(NamedTuple):
    """`usd` for a million sales, and how it comes about."""

    what: str
    usd: float
    arithmetic: str


class _Counting:
    """Stands where DynamoDB's client does, and counts what it is given."""

    def __init__(self) -> None:
        self.count: Counter[str] = Counter()

    def transact_write_items(self, *, TransactItems: list[dict[str, Any]], ClientRequestToken: str) -> None:  # noqa: N803
        for each in TransactItems:
            put = each["Put"]
            table, item = put["TableName"], put["Item"]
            self.count[f"{table} items"] += 1
            self.count[f"{table} units"] += item_size.write_units(item, transaction=True)
            self.count[f"{table} bytes"] += item_size.size(item)
            if table == TABLES.ledger_table:  # its index holds the whole item again
                self.count["index units"] += item_size.write_units(item, transaction=False)


def usage(batch: int) -> Usage:
    """What one sale writes where `batch` come at once: the ingest code at work, on sales as they are simulated."""
    store = StoreSettings(store_opens=0, store_closes=24).store()
    client = _Counting()
    ingest = Ingest(
        store, RulesOnly(), DynamoLedger(cast("Any", client), TABLES), NoStream(), Pseudonyms("0" * SHORTEST_KEY)
    )
    clock = Clock(now_ms=lambda: time.time_ns() // 1_000_000, sleep=time.sleep, remaining=lambda: 10.0)
    begin = datetime(2026, 1, 5, 12, tzinfo=UTC)
    rows = [
        {**row, "sold_at": (begin + timedelta(seconds=number / A_SECOND)).isoformat()}
        for number, row in enumerate(islice(kaggle(1, store), TRIED))
    ]
    for start in range(0, TRIED, batch):
        ingest.post(json.dumps({"sales": rows[start : start + batch]}).encode(), clock)
    count = client.count
    return Usage(
        batch,
        count["ledger units"] / TRIED,
        count["index units"] / TRIED,
        count["cells units"] / TRIED,
        count["cells items"] / TRIED,
        count["ledger bytes"] / TRIED,
    )


def lines(batch: int = 100) -> list[Line]:
    """Every line of a million sales, sent `batch` at a time."""
    used = usage(batch)
    posts = math.ceil(MILLION / batch)
    cell_writes = used.cells * MILLION
    archived = MILLION / ARCHIVED_AT_ONCE
    published = cell_writes / PUBLISHED_AT_ONCE
    stored_gb = used.ledger_bytes * 2 * MILLION / 1e9

    def writes(what: str, units: float) -> Line:
        price = prices.DYNAMODB_WRITE.usd
        return Line(what, units * MILLION * price, f"{units:.2f} units x 1M x ${price * MILLION:g} a million")

    def compaction(what: str) -> Line:
        units, price = used.cells * A_MOVED_CELL, prices.DYNAMODB_WRITE.usd
        arithmetic = f"{used.cells:.3f} cells x {A_MOVED_CELL} units x 1M x ${price * MILLION:g} a million"
        return Line(what, units * MILLION * price, arithmetic)

    def calls(what: str, count: float, price: prices.Price) -> Line:
        return Line(what, count * price.usd, f"{count:,.0f} x ${price.usd * MILLION:g} a million")

    def work(what: str, count: float, milliseconds: float, gigabytes: float) -> Line:
        usd = count * (milliseconds / 1000 * gigabytes * prices.LAMBDA_GB_S.usd + prices.LAMBDA_CALL.usd)
        rate = (
            f"(${prices.LAMBDA_GB_S.usd * 1e6:g} a million GB s, and ${prices.LAMBDA_CALL.usd * 1e6:g} a million calls)"
        )
        return Line(what, usd, f"{count:,.0f} x {milliseconds:g} ms x {gigabytes:g} GB {rate}")

    logged = posts * LOGGED_BYTES / 1e9
    answered = MILLION * ANSWER_BYTES / 1e9
    return [
        writes("ledger", used.ledger_units),
        writes("ledger's index by branch and day", used.index_units),
        writes("cells", used.cell_units),
        compaction("cells that become history"),
        Line(
            "ledger and index, kept for the first month",
            stored_gb * prices.DYNAMODB_GB.usd,
            f"{stored_gb:.2f} GB x ${prices.DYNAMODB_GB.usd}",
        ),
        Line(
            "ledger's backup of any second, for a month",
            stored_gb / 2 * prices.DYNAMODB_BACKUP_GB.usd,
            f"{stored_gb / 2:.2f} GB x ${prices.DYNAMODB_BACKUP_GB.usd}",
        ),
        calls("API Gateway", posts, prices.API_CALL),
        calls("firewall", posts, prices.WAF_CALL),
        work("Lambda ingest", posts, INGEST_MS, INGEST_GB),
        work("Lambda authorize", posts * (1 - KNOWN), AUTHORIZE_MS, AUTHORIZE_GB),
        work("Lambda archive", archived, ARCHIVE_MS, ARCHIVE_GB),
        work("Lambda publish", published, PUBLISH_MS, PUBLISH_GB),
        calls("lake: objects put", archived, prices.S3_PUT),
        Line(
            "lake: kept for the first month",
            MILLION * LAKE_BYTES / 1e9 * prices.S3_GB.usd,
            f"{MILLION * LAKE_BYTES / 1e9:.2f} GB x ${prices.S3_GB.usd}",
        ),
        Line("logs", logged * prices.LOG_GB.usd, f"{logged:.3f} GB x ${prices.LOG_GB.usd}"),
        Line("answers", answered * prices.TRANSFER_GB.usd, f"{answered:.3f} GB x ${prices.TRANSFER_GB.usd}"),
    ]


def retention() -> list[Line]:
    """What a million sales that name customers cost more, once, where they name nobody any more after some time."""
    reads, writes = prices.DYNAMODB_READ.usd, prices.DYNAMODB_WRITE.usd
    work = BLANK_MS / 1000 * BLANK_GB * prices.LAMBDA_GB_S.usd
    return [
        Line("read in the ledger", MILLION * reads, f"1 unit x 1M x ${reads * MILLION:g} a million"),
        Line("blanked there and in its index", 2 * MILLION * writes, f"2 units x 1M x ${writes * MILLION:g} a million"),
        Line(
            "Lambda retain",
            MILLION * work,
            f"1M x {BLANK_MS:g} ms x {BLANK_GB:g} GB (${prices.LAMBDA_GB_S.usd * 1e6:g} a million GB s)",
        ),
    ]
