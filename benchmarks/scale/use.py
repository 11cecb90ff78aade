"""How much of each limit a load uses, and what to turn where that is too much."""

from __future__ import annotations

import math
from typing import NamedTuple

from benchmarks.scale import limits, live, partitions, writers
from benchmarks.scale.limits import Figure
from benchmarks.scale.load import Load
from tidemark.costs.item_size import IN_A_TRANSACTION

LEDGER_UNITS = IN_A_TRANSACTION * math.ceil(limits.LEDGER_BYTES.value / limits.ITEM_UNIT.value)
INDEX_UNITS = math.ceil(limits.LEDGER_BYTES.value / limits.ITEM_UNIT.value)  # an index is written outside of it


A_BUSY_BRANCH = 10  # times what a branch sells on average, the busiest sells


class Use(NamedTuple):
    """`used` of what is `allowed`, both in `unit`. `turn`: what to change, and where.

    `takes`: where it breaks sales are refused, to be sent again; else sales are taken, and shown late or not at all.
    `passing`: the limit moves out of the way by itself, in half an hour at most each time that twice as much comes.
    """

    limit: str
    used: float
    allowed: float
    unit: str
    turn: str
    takes: bool = True
    passing: bool = False

    @property
    def share(self) -> float:
        """Of the limit; above 1 it breaks."""
        return self.used / self.allowed


class Outcome(NamedTuple):
    """What a load comes to."""

    load: Load
    writes: writers.Writes
    live: live.Live
    uses: list[Use]
    concurrency: float
    puts: float

    @property
    def units_a_sale(self) -> float:
        """Write units of ledger, index and cells."""
        return LEDGER_UNITS + INDEX_UNITS + self.writes.cell_units / self.load.batch


def outcome(load: Load) -> Outcome:
    """Simulate a load, and hold it against every limit."""
    writes = writers.simulate(load)
    page = live.simulate(load, writes, int(limits.TASKS.value))
    shards = max(limits.NEW_TABLE_UNITS.value, load.sales_per_second * LEDGER_UNITS) / limits.PARTITION_UNITS.value
    each = load.sales_per_second / shards
    puts = shards * max(each / limits.ARCHIVE_BATCH.value, min(1 / limits.ARCHIVE_WINDOW_S.value, each))
    cells = load.posts * writes.cells
    at_once = (
        writes.writers
        + min(load.posts, load.addresses / limits.TOKEN_KNOWN_S.value) * limits.AUTHORIZE_MS.value / 1000
        + load.sales_per_second * limits.ARCHIVE_MS.value / 1000
        + cells * limits.PUBLISH_MS.value / 1000
    )
    uses = [
        *_in(load),
        _use("Lambdas at once", at_once, limits.CONCURRENCY, "executions", "quota of the account; larger POSTs"),
        *_tables(load, writes),
        *(use._replace(takes=False) for use in (*_streams(load, writes, each, puts), *_page(load, page))),
    ]
    return Outcome(load, writes, page, uses, at_once, puts)


def _use(limit: str, used: float, allowed: Figure, unit: str, turn: str) -> Use:
    return Use(limit, used, allowed.value, unit, turn)


def _in(load: Load) -> list[Use]:
    """What stands in front of ingest."""
    return [
        _use(
            "firewall, one address",
            load.posts / load.addresses,
            limits.ONE_ADDRESS,
            "POSTs/s",
            "`ONE_ADDRESS` in `infra/cdk/firewall.py`; larger POSTs",
        ),
        _use(
            "API Gateway, our stage",
            load.posts,
            limits.STAGE_RATE,
            "POSTs/s",
            "`RATE`, `BURST` in `infra/cdk/http_api.py`; larger POSTs",
        ),
        _use("API Gateway, account", load.posts, limits.ACCOUNT_RATE, "POSTs/s", "quota of the account; larger POSTs"),
        _use("firewall, all requests", load.posts, limits.FIREWALL_RATE, "POSTs/s", "quota; larger POSTs"),
    ]


def _tables(load: Load, writes: writers.Writes) -> list[Use]:
    sales = load.sales_per_second
    cell_units = load.posts * writes.cell_units
    of_shard, of_partition = _hottest(load, writes)
    busiest = sales if load.branches == 1 else A_BUSY_BRANCH * sales / load.branches
    warm = "warm throughput of the table (AWS), hours before; not built into `infra/cdk/storage.py`"
    return [
        _use("ledger, a new table", sales * LEDGER_UNITS, limits.NEW_TABLE_UNITS, "units/s", warm)._replace(
            passing=True
        ),
        _use("ledger", sales * LEDGER_UNITS, limits.TABLE_UNITS, "units/s", "quota of the table"),
        _use("index by branch and day", sales * INDEX_UNITS, limits.TABLE_UNITS, "units/s", "quota of the table"),
        _use(
            "index, busiest branch",
            min(busiest, sales) * INDEX_UNITS,
            limits.PARTITION_UNITS,
            "units/s",
            "nothing: the key has to be spread (below)",
        ),
        _use("cells, a new table", cell_units, limits.NEW_TABLE_UNITS, "units/s", warm)._replace(passing=True),
        _use("cells", cell_units, limits.TABLE_UNITS, "units/s", "quota of the table"),
        _use(
            "cells, hottest shard of the hour",
            cell_units * of_shard,
            limits.PARTITION_UNITS,
            "units/s",
            "`SHARDS` (below)",
        ),
        _use(
            "cells, hottest partition at the turn of the hour",
            cell_units * of_partition,
            limits.PARTITION_UNITS,
            "units/s",
            "`SHARDS` (below); heat splits it after some minutes, and an hour later it comes again",
        )._replace(passing=True),
    ]


def _hottest(load: Load, writes: writers.Writes) -> tuple[float, float]:
    units = max(limits.NEW_TABLE_UNITS.value, load.posts * writes.cell_units)
    parts = math.ceil(units / limits.PARTITION_UNITS.value)
    return partitions.hottest(writes.writers, load.shards, parts, load.seed)


def _streams(load: Load, writes: writers.Writes, sales_each: float, puts: float) -> list[Use]:
    cells = load.posts * writes.cells
    of_shard, _ = _hottest(load, writes)
    factor = "`parallelization_factor` of the consumer, to 10; not built into `infra/cdk/stream_consumer.py`"
    return [
        _use(
            "Lambda archive, one stream shard",
            sales_each * limits.ARCHIVE_MS.value / 1000,
            limits.PARALLEL,
            "batches at once",
            factor,
        ),
        _use(
            "Lambda publish, hottest stream shard",
            cells * of_shard * limits.PUBLISH_MS.value / 1000,
            limits.PARALLEL,
            "batches at once",
            f"{factor}; then `SHARDS`",
        ),
        _use("lake, one day's prefix", puts, limits.PREFIX_PUTS, "PUTs/s", "a larger batch for the Lambda archive"),
    ]


def _page(load: Load, page: live.Live) -> list[Use]:
    tasks = limits.TASKS.value
    kilobytes = page.entry_bytes / 1000
    redis = page.entries / 1e6 * (
        limits.XADD_US.value
        + limits.XADD_US_KB.value * kilobytes
        + tasks * (limits.XREAD_US.value + limits.XREAD_US_KB.value * kilobytes)
    )  # fmt: skip
    one = Figure(1.0, "processor", "")
    node = "`cache_node` in `infra/cdk/sizes.py`"
    more = "`live` in `infra/cdk/sizes.py`: more tasks"
    told = page.tick_bytes * min(limits.TURNS_S.value, load.posts) * 8 * load.clients
    return [
        _use(
            "live stream, commands", redis, one, "processors", f"nothing: one stream is one key; larger POSTs; {node}"
        ),
        _use("live stream, memory", page.entry_bytes * limits.STREAM_LENGTH.value, limits.NODE_BYTES, "bytes", node),
        _use(
            "ws_server, following",
            page.following,
            limits.TASK_CPU,
            "processors",
            "nothing: every task reads all (below); larger POSTs",
        ),
        _use("ws_server, telling browsers", page.telling, limits.TASK_CPU, "processors", more),
        _use("ws_server, browsers", load.clients / tasks, limits.TASK_CLIENTS, "browsers a task", more),
        _use(
            "ws_server, a day's cells",
            page.day_bytes,
            limits.TASK_BYTES,
            "bytes",
            "`live` in `infra/cdk/sizes.py`: more memory; larger POSTs (below)",
        ),
        _use("a browser, a day's snapshot", page.snapshot_bytes, limits.SNAPSHOT_BYTES, "bytes", "nothing (below)"),
        _use("CloudFront, all browsers", told, limits.DISTRIBUTION_BITS, "bits/s", "quota of the distribution"),
    ]
