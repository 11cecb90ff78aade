"""Every constant of the simulation, with its source: what AWS allows, what the settings allow, what was measured.

Quotas are the defaults of an account in us-east-1, looked up in AWS's documentation on 2026-11-28. `docs/scale.md`
shows this table.
"""

from __future__ import annotations

from typing import NamedTuple

from infra.cdk import sizes
from tidemark import cells, writer
from tidemark.adapters import redis_stream
from tidemark.costs import item_size, per_sale
from ws_server import broadcast, ticks

AWS = "AWS, "
ASSUMED = "assumed"
MEASURED = "measured"


class Figure(NamedTuple):
    """`value` in `unit`, and where it comes from."""

    value: float
    unit: str
    source: str


_DYNAMODB_QUOTAS = f"{AWS}Quotas in Amazon DynamoDB"
_ON_DEMAND = f"{AWS}DynamoDB on-demand capacity mode"
_PARTITION = f"{AWS}Understanding DynamoDB warm throughput in different scenarios"
_LAMBDA = f"{AWS}Lambda quotas"
_LAMBDA_SCALING = f"{AWS}Lambda scaling behavior"
_API = f"{AWS}Amazon API Gateway quotas"
_MICRO = f"{MEASURED} 2026-11-28, real code on one of 2 shared cores"

# -- DynamoDB
PARTITION_UNITS = Figure(1_000, "write units/s, one partition", _PARTITION)
TABLE_UNITS = Figure(40_000, "write units/s, one table or index", _DYNAMODB_QUOTAS)
NEW_TABLE_UNITS = Figure(4_000, "write units/s, a new table; twice the peak after 30 min", _ON_DEMAND)
TRANSACTION_ITEMS = Figure(writer.MAX_ITEMS, "items, one transaction", _DYNAMODB_QUOTAS)
ITEM_UNIT = Figure(item_size.UNIT, "bytes, one write unit; twice in a transaction", f"{AWS}DynamoDB item sizes")
SHARDS = Figure(cells.SHARDS, "partitions an hour's cells are spread over", "`tidemark/cells.py`")

# -- API Gateway and firewall
STAGE_RATE = Figure(2_000, "requests/s, the stage", "`infra/cdk/http_api.py`, RATE")
ACCOUNT_RATE = Figure(10_000, "requests/s, all APIs of an account and region", _API)
ONE_ADDRESS = Figure(10_000 / 300, "requests/s, one address, over 5 minutes", "`infra/cdk/firewall.py`, ONE_ADDRESS")
FIREWALL_RATE = Figure(100_000, "requests/s, one web ACL", f"{AWS}AWS WAF quotas")
TOKEN_KNOWN_S = Figure(20, "s that a token's answer is kept", "`infra/cdk/http_api.py`")

# -- Lambda
CONCURRENCY = Figure(1_000, "executions at once, all Lambdas of an account and region", _LAMBDA)
REQUESTS_EACH = Figure(10, "requests/s, one environment", _LAMBDA)
SCALING = Figure(1_000, "more environments every 10 s, one Lambda", _LAMBDA_SCALING)
INGEST_CPU = Figure(1_024 / 1_769, "of a processor has the Lambda ingest (1,024 MB)", f"{AWS}Lambda memory")
ARCHIVE_BATCH = Figure(1_000, "changes at once, Lambda archive", "`infra/cdk/core_stack.py`")
ARCHIVE_WINDOW_S = Figure(5, "s that Lambda archive waits for them", "`infra/cdk/core_stack.py`")
PARALLEL = Figure(1, "batches at once of one stream shard; up to 10", f"{AWS}Lambda parameters for DynamoDB streams")

# -- S3
PREFIX_PUTS = Figure(3_500, "PUTs/s, one partitioned prefix", f"{AWS}S3 performance guidelines")

# -- the live stream
STREAM_LENGTH = Figure(redis_stream.LENGTH, "entries kept", "`tidemark/adapters/redis_stream.py`")
NODE_BYTES = Figure(1.37e9, f"bytes of memory, {sizes.PROD.cache_node}", f"{AWS}ElastiCache supported node types")
XADD_US = Figure(1.0, "µs, Redis: one XADD", f"{_MICRO}, pipelined")
XADD_US_KB = Figure(2.8, "µs a kB of it", f"{_MICRO}, pipelined")
XREAD_US = Figure(0.3, "µs, Redis: one entry read by one ws_server", _MICRO)
XREAD_US_KB = Figure(1.1, "µs a kB of it", _MICRO)

# -- ws_server
TASKS = Figure(sizes.PROD.live.count, "tasks of the live page in `prod`", "`infra/cdk/sizes.py`")
TASK_CPU = Figure(
    sizes.PROD.live.cpu / 1_024, "processors, one task in `prod`; one process uses one", "`infra/cdk/sizes.py`"
)
TASK_BYTES = Figure(sizes.PROD.live.memory * 2**20, "bytes of memory, one task in `prod`", "`infra/cdk/sizes.py`")
TASK_CLIENTS = Figure(10_000, "browsers, one task", "`TIDEMARK_MAX_CLIENTS`")
BALANCER_TARGETS = Figure(1_000, "tasks behind one load balancer", f"{AWS}Quotas for your Application Load Balancers")
DISTRIBUTION_BITS = Figure(150e9, "bits/s, one CloudFront distribution", f"{AWS}Quotas - Amazon CloudFront")
SEND_US = Figure(
    4.7, "µs, a message of 300 bytes to one browser", f"{MEASURED}, `bench fan-out`; 6.4 on a busy machine"
)
SEND_US_KB = Figure(0.6, "µs a further kB", f"{MEASURED} 2026-11-28, `bench fan-out`'s case of 8,000 bytes")
READ_US = Figure(9.0, "µs, an entry read, decoded as far as its cells, and merged", _MICRO)
COMBO_US = Figure(0.6, "µs a combination of it", _MICRO)
SUM_US = Figure(2.4, "µs a combination, writer and changed place, at each tick", _MICRO)
CELL_BYTES = Figure(300, "bytes of memory, a cell that ws_server holds", _MICRO)
CELL_BYTES_COMBO = Figure(84, "bytes a combination of it", _MICRO)
TURNS_S = Figure(1 / ticks.TICK_S, "ticks/s to each browser", "`ws_server/ticks.py`")
GROUP = Figure(broadcast.GROUP, "browsers told together, in 4 groups at most", "`ws_server/broadcast.py`")

# -- what one sale is
LEDGER_BYTES = Figure(647, "bytes of a sale's item, scored by the model", f"{MEASURED}, the ingest code")
CELL_ITEM_BYTES = Figure(78, "bytes of a cell's item without its combinations", f"{MEASURED}, the ingest code")
COMBO_ITEM_BYTES = Figure(64.8, "bytes a combination of it", f"{MEASURED}, the ingest code")
ROW_BYTES_COMBO = Figure(57, "bytes a combination, in a tick and in the snapshot", f"{MEASURED}, `ws_server/truth.py`")
COMBOS = Figure(36, "combinations: 6 product lines, 2 kinds of customer, 3 of payment", "the supermarket file")

# -- times
EXAMINE_MS = Figure(0.2, "ms of a whole processor, one POST", _MICRO)
SALE_MS = Figure(0.038, "ms of a whole processor, one sale", _MICRO)
TRANSACTION_MS = Figure(
    10, "ms, a transaction of few items", f"{ASSUMED}: AWS promises single milliseconds for one item"
)
INGEST_MS = Figure(per_sale.INGEST_MS, "ms, a POST of 100 sales", f"{ASSUMED}: twice what ministack takes")
ARCHIVE_MS = Figure(per_sale.ARCHIVE_MS / per_sale.ARCHIVED_AT_ONCE, "ms a sale, Lambda archive", ASSUMED)
PUBLISH_MS = Figure(per_sale.PUBLISH_MS / per_sale.PUBLISHED_AT_ONCE, "ms a cell, Lambda publish", ASSUMED)
AUTHORIZE_MS = Figure(per_sale.AUTHORIZE_MS, "ms, Lambda authorize", ASSUMED)
SNAPSHOT_BYTES = Figure(100e6, "bytes of JSON that a browser is asked to hold", ASSUMED)
OPEN_MINUTES = Figure(660, "minutes a day, 10:00 to 21:00", "`TIDEMARK_STORE_OPENS`, `_CLOSES`")


def all_figures() -> dict[str, Figure]:
    """Every constant by its name, in the order of this file."""
    return {name: value for name, value in globals().items() if isinstance(value, Figure)}
