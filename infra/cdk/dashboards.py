"""The dashboards: one question a widget, its answer first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from infra.cdk.measured import MINUTE, own

if TYPE_CHECKING:
    from infra.cdk.watch_stack import Stacks

EVERY_TWO_MINUTES = ("housing-data", "housing-ml", "sales-watch")
FLOWS = (*EVERY_TWO_MINUTES, "sales-model")
HALF, THIRD, WHOLE = 12, 8, 24


def business(scope: Construct, stacks: Stacks) -> None:
    """What is sold."""
    sales = own("ingest", "sales_accepted", label="sales")
    _dashboard(
        scope,
        "Business",
        [
            _number("Sales a minute", sales),
            _number("Takings a minute", own("ingest", "takings", label="takings")),
            _number("Anomalous sales a minute", own("ingest", "anomalies")),
        ],
        [_lines("Sales and takings", [sales], right=[own("ingest", "takings")])],
        [
            _lines(
                "Sales that were not taken",
                [own("ingest", f"sales_{status}", label=status) for status in ("duplicate", "conflict", "rejected")],
            ),
            _lines("House prices asked for", [own("predict", "blocks_priced"), own("predict", "blocks_warned_of")]),
        ],
    )


def live(scope: Construct, stacks: Stacks) -> None:
    """How fast a sale is on the screen, and what is in its way."""
    core = stacks.core
    api = core.http.rest_api
    _dashboard(
        scope,
        "Live",
        [
            _number("Browsers", own("live", "clients", "Maximum")),
            _number("Sale received to told, ms (99 %)", own("live", "told_ms", "p99")),
            _number("Posts untold", own("ingest", "unpublished_posts")),
        ],
        [
            _lines("Ticks and cells", [own("live", "ticks")], right=[own("live", "cells", "Maximum")]),
            _lines("Sales: taken, archived", [own("ingest", "sales_accepted"), own("archive", "sales_archived")]),
        ],
        [
            _lines(
                "API: calls, failures",
                [api.metric_count(period=MINUTE), api.metric_server_error(period=MINUTE)],
                right=[api.metric_latency(period=MINUTE, statistic=rank) for rank in ("p50", "p99")],
            ),
            _lines(
                "Lambdas: how long, ms (99 %)",
                [
                    made.function.metric_duration(period=MINUTE, statistic="p99", label=name)
                    for name, made in core.functions.items()
                ],
            ),
        ],
        [
            _lines(
                "Streams: how far behind, ms",
                [
                    core.functions[name].function.metric("IteratorAge", period=MINUTE, statistic="Maximum", label=name)
                    for name in core.consumers
                ],
            ),
            _lines(
                "Changes given up",
                [
                    queue.failed.metric_approximate_number_of_messages_visible(period=MINUTE, label=name)
                    for name, queue in core.consumers.items()
                ],
            ),
        ],
        [
            _lines(
                "Containers: memory, %",
                [
                    stacks.live.page.service.metric_memory_utilization(period=MINUTE, label="live page"),
                    stacks.explorer.app.service.metric_memory_utilization(period=MINUTE, label="explorer"),
                ],
            ),
            cloudwatch.AlarmStatusWidget(title="Alarms", alarms=_alarms(scope), width=HALF),
        ],
    )


def pipelines(scope: Construct, stacks: Stacks) -> None:
    """Each flow: did it run, how long did it take, what did it say."""
    log = stacks.pipelines.worker.logs.log_group_name
    _dashboard(
        scope,
        "Pipelines",
        [_number(flow, own("flows", "seconds", "Average", flow=flow), width=6) for flow in FLOWS],
        [
            _lines("Runs that ended", [own("flows", "runs", label=flow, flow=flow) for flow in FLOWS]),
            _lines("Runs that failed", [own("flows", "runs_failed", label=flow, flow=flow) for flow in FLOWS]),
        ],
        [
            cloudwatch.LogQueryWidget(
                title="How long each activity took",
                log_group_names=[log],
                query_lines=[
                    "filter ispresent(step)",
                    "stats avg(step_seconds) as seconds, max(step_seconds) as longest, count() as times by flow, step",
                    "sort flow, seconds desc",
                ],
                width=HALF,
                height=9,
            ),
            cloudwatch.LogQueryWidget(
                title="What the activities said",
                log_group_names=[log],
                query_lines=[
                    "fields @timestamp, @message",
                    "filter @message like /Flow run/",
                    "sort @timestamp desc",
                    "limit 200",
                ],
                width=HALF,
                height=9,
            ),
        ],
        [
            _lines(
                "PostgreSQL: processor, %",
                [stacks.pipelines.database.instance.metric_cpu_utilization(period=MINUTE)],
                right=[stacks.pipelines.database.instance.metric_free_storage_space(period=MINUTE)],
            ),
            _lines(
                "Worker: processor and memory, %",
                [
                    stacks.pipelines.worker.service.metric_cpu_utilization(period=MINUTE),
                    stacks.pipelines.worker.service.metric_memory_utilization(period=MINUTE),
                ],
            ),
        ],
    )


def cost(scope: Construct, stacks: Stacks) -> None:
    """What moves the bill. In dollars, with a day's delay, it stands in Cost Explorer, by the tag `project`."""
    tables = {
        "ledger": stacks.core.storage.ledger,
        "cells": stacks.core.storage.cells,
        "runs": stacks.core.storage.runs,
    }
    written = [
        table.metric("ConsumedWriteCapacityUnits", period=MINUTE, statistic="Sum", label=name)
        for name, table in tables.items()
    ]
    sales = own("ingest", "sales_accepted", label="sales")
    _dashboard(
        scope,
        "Cost",
        [
            cloudwatch.GraphWidget(
                title="Write units for each sale",
                left=[
                    cloudwatch.MathExpression(
                        expression="(ledger + cells) / sales",
                        using_metrics={"ledger": written[0], "cells": written[1], "sales": sales},
                        label="write units",
                        period=MINUTE,
                    )
                ],
                width=HALF,
            ),
            _lines("Write units", written),
        ],
        [
            _lines("Sales", [sales]),
            _lines(
                "Lambdas: seconds at work",
                [
                    cloudwatch.MathExpression(
                        expression=f"{name.lower()} / 1000",
                        using_metrics={name.lower(): made.function.metric_duration(period=MINUTE, statistic="Sum")},
                        label=name,
                        period=MINUTE,
                    )
                    for name, made in stacks.core.functions.items()
                ],
            ),
        ],
    )


def _alarms(scope: Construct) -> list[cloudwatch.IAlarm]:
    return [child for child in scope.node.find_all() if isinstance(child, cloudwatch.Alarm)]


def _dashboard(scope: Construct, name: str, *rows: list[cloudwatch.IWidget]) -> None:
    cloudwatch.Dashboard(
        scope, name, dashboard_name=f"Tidemark-{name}", widgets=[list(row) for row in rows], default_interval=None
    )


def _number(title: str, metric: cloudwatch.IMetric, width: int = THIRD) -> cloudwatch.IWidget:
    return cloudwatch.SingleValueWidget(title=title, metrics=[metric], width=width, height=4, sparkline=True)


def _lines(
    title: str, left: Sequence[cloudwatch.IMetric], *, right: Sequence[cloudwatch.IMetric] | None = None
) -> cloudwatch.IWidget:
    return cloudwatch.GraphWidget(title=title, left=left, right=right, width=HALF, height=7)
