"""Every metric that Tidemark's own parts write, by the part that writes it; `docs/metrics.md` is generated from here.

They are lines of a log in CloudWatch's embedded metric format, in the namespace `Tidemark`, with the dimension
`service`. What AWS keeps of its own parts (calls, errors, durations, ages, queues) is not written a second time.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

Kind = Literal["rate", "latency", "error", "state"]


class Metric(NamedTuple):
    """`service`.`name`; `dimensions` beside `service`."""

    service: str
    name: str
    unit: str
    kind: Kind
    what: str
    dimensions: tuple[str, ...] = ()


METRICS = (
    Metric("ingest", "post_ms", "Milliseconds", "latency", "a post within the Lambda, from its call to its answer"),
    Metric("ingest", "posts_refused", "Count", "error", "posts answered 4xx, or 503 where a table does not answer"),
    Metric("ingest", "unpublished_posts", "Count", "error", "posts committed that the live stream was not told of"),
    Metric("ingest", "sales_accepted", "Count", "rate", "sales taken and counted"),
    Metric("ingest", "sales_duplicate", "Count", "rate", "sales that were there already"),
    Metric("ingest", "sales_conflict", "Count", "error", "sales whose id another has: kept apart"),
    Metric("ingest", "sales_rejected", "Count", "error", "rows that are no sale"),
    Metric("ingest", "takings", "None", "rate", "money of the sales taken, returns taken off, in the store's currency"),
    Metric("ingest", "anomalies", "Count", "rate", "sales taken that are unusual"),
    Metric("publish", "cells_published", "Count", "rate", "states of cells told to the live stream from the table's"),
    Metric("publish", "cells_unpublished", "Count", "error", "states that could not be told: they are tried again"),
    Metric("archive", "sales_archived", "Count", "rate", "sales written into the lake, those tried again twice"),
    Metric("compact", "cells_moved", "Count", "rate", "cells that became history"),
    Metric("compact", "cells_full", "Count", "state", "old cells whose period can hold no more: they stay"),
    Metric("retain", "sales_erased", "Count", "rate", "sales that name nobody any more, since the policy says so"),
    Metric("retain", "runs_unfinished", "Count", "state", "runs whose time was up: the next hour goes on"),
    Metric("predict", "blocks_priced", "Count", "rate", "blocks of houses priced"),
    Metric("predict", "blocks_warned_of", "Count", "state", "of these, unlike all that the model learnt from"),
    Metric("predict", "predictions_refused", "Count", "error", "calls answered 4xx, or 503 where no model serves"),
    Metric("live", "told_ms", "Milliseconds", "latency", "the oldest sale of a tick, from its receipt to being sent"),
    Metric("live", "clients", "Count", "state", "browsers connected to one ws_server"),
    Metric("live", "cells", "Count", "state", "minutes and branches that one ws_server holds"),
    Metric("live", "ticks", "Count", "rate", "ticks sent since the last line"),
    Metric("live", "stream_up", "Count", "state", "1 while the live stream answers"),
    Metric("flows", "runs", "Count", "rate", "runs that ended", ("flow",)),
    Metric("flows", "runs_failed", "Count", "error", "runs that failed", ("flow",)),
    Metric("flows", "seconds", "Seconds", "latency", "how long a run took", ("flow",)),
)

OF_AWS = (
    ("API Gateway", "`Count`, `5XXError`, `4XXError`, `Latency`", "calls, errors and how long they took"),
    ("each Lambda", "`Invocations`, `Errors`, `Throttles`, `Duration`", "authorize and api have no more than these"),
    ("streams to publish and archive", "`IteratorAge`", "how far behind the stream its consumer is"),
    ("dead letters", "`ApproximateNumberOfMessagesVisible`", "batches that a consumer gave up"),
    ("DynamoDB", "`ConsumedWriteCapacityUnits`", "what is paid for"),
    ("balancer", "`HTTPCode_Target_5XX_Count`, `HTTPCode_ELB_5XX_Count`", "pages that failed"),
    ("containers", "`MemoryUtilization`, `CPUUtilization`", "how full they are"),
    ("PostgreSQL", "`FreeStorageSpace`, `CPUUtilization`", "how full it is"),
)
