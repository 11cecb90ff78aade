"""The Watch stack: dashboards, alarms, and a budget."""

from __future__ import annotations

from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_budgets as budgets
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from infra.cdk import dashboards
from infra.cdk.alarms import Alarms
from infra.cdk.core_stack import CoreStack
from infra.cdk.explorer_stack import ExplorerStack
from infra.cdk.live_stack import LiveStack
from infra.cdk.measured import MINUTE, own, share
from infra.cdk.pipelines_stack import PipelinesStack
from infra.cdk.sizes import Profile

SLOW_MS = 2_000
OLD_MS = 60_000
FAILED_PERCENT = 1
FULL_PERCENT = 90
LITTLE_DISK = 2_000_000_000
FLOW_WAITS = 10  # minutes without a run of a flow that is due every two


@dataclass(frozen=True)
class Stacks:
    """What is watched."""

    core: CoreStack
    live: LiveStack
    pipelines: PipelinesStack
    explorer: ExplorerStack


class WatchStack(cdk.Stack):
    """Everything that runs, on four dashboards; what goes wrong, told to whoever subscribes."""

    def __init__(self, scope: Construct, name: str, *, stacks: Stacks, email: str) -> None:
        profile = stacks.core.profile
        super().__init__(
            scope, name, description="Tidemark: dashboards, alarms, budget", termination_protection=profile.keep
        )
        self.alarms = Alarms(self, "Alarms", profile=profile, email=email)
        self._watch_api(stacks.core)
        self._watch_streams(stacks.core)
        self._watch_containers(stacks)
        self._watch_pipelines(stacks)
        for made in (dashboards.business, dashboards.live, dashboards.pipelines, dashboards.cost):
            made(self, stacks)
        self._budget(profile)
        cdk.CfnOutput(self, "AlarmTopic", value=self.alarms.topic.topic_arn)

    def _watch_api(self, core: CoreStack) -> None:
        api, add = core.http.rest_api, self.alarms.add
        add("ApiFails", api.metric_server_error(period=MINUTE, statistic="Sum"), 5, "The API answers with 5xx.")
        add("ApiIsSlow", api.metric_latency(period=MINUTE, statistic="p99"), SLOW_MS, "A hundredth of calls is slow.")
        for name, function in core.functions.items():
            made = function.function
            add(
                f"Lambda{name}Fails",
                share(made.metric_errors(period=MINUTE), made.metric_invocations(period=MINUTE), "failed"),
                FAILED_PERCENT,
                f"The Lambda {name.lower()} fails.",
            )
        throttled = core.functions["Ingest"].function.metric_throttles(period=MINUTE)
        add("IngestIsThrottled", throttled, 1, "AWS lets no more of the Lambda ingest run at once.")
        add("SalesUnpublished", own("ingest", "unpublished_posts"), 1, "The live stream does not answer.")

    def _watch_streams(self, core: CoreStack) -> None:
        for name, consumer in core.consumers.items():
            age = core.functions[name].function.metric("IteratorAge", period=MINUTE, statistic="Maximum")
            self.alarms.add(f"{name}LagsBehind", age, OLD_MS, f"The Lambda {name.lower()} is a minute behind.")
            waiting = consumer.failed.metric_approximate_number_of_messages_visible(period=MINUTE, statistic="Maximum")
            self.alarms.add(
                f"{name}GaveUp", waiting, 1, f"The Lambda {name.lower()} gave changes up: they wait.", minutes=1
            )

    def _watch_containers(self, stacks: Stacks) -> None:
        add, balancer = self.alarms.add, stacks.live.door.balancer
        for name, failed in {
            "PagesFail": balancer.metrics.http_code_target(
                cdk.aws_elasticloadbalancingv2.HttpCodeTarget.TARGET_5XX_COUNT, period=MINUTE
            ),
            "BalancerFails": balancer.metrics.http_code_elb(
                cdk.aws_elasticloadbalancingv2.HttpCodeElb.ELB_5XX_COUNT, period=MINUTE
            ),
        }.items():
            add(name, failed, 5, "Pages are answered with 5xx.")
        for name, service in {
            "LivePage": stacks.live.page.service,
            "Explorer": stacks.explorer.app.service,
            "Worker": stacks.pipelines.worker.service,
        }.items():
            used = service.metric_memory_utilization(period=MINUTE)
            add(f"{name}IsFull", used, FULL_PERCENT, f"{name} has little memory left.")
        away = own("live", "stream_up", "Minimum")
        add("LivePageIsBlind", away, 1, "The live page does not hear the live stream.", below=True)

    def _watch_pipelines(self, stacks: Stacks) -> None:
        add, database = self.alarms.add, stacks.pipelines.database.instance
        add(
            "DatabaseIsFull",
            database.metric_free_storage_space(period=MINUTE),
            LITTLE_DISK,
            "PostgreSQL has less than 2 GB left.",
            below=True,
        )
        for flow in dashboards.EVERY_TWO_MINUTES:
            add(
                f"{''.join(map(str.capitalize, flow.split('-')))}Stands",
                own("flows", "runs", "Sum", flow=flow),
                1,
                f"The flow {flow} has not ended a run for {FLOW_WAITS} minutes.",
                minutes=FLOW_WAITS,
                below=True,
                missing=cloudwatch.TreatMissingData.BREACHING,
            )

    def _budget(self, profile: Profile) -> None:
        told = budgets.CfnBudget.SubscriberProperty(subscription_type="SNS", address=self.alarms.topic.topic_arn)
        budgets.CfnBudget(
            self,
            "Budget",
            budget=budgets.CfnBudget.BudgetDataProperty(
                budget_type="COST",
                time_unit="MONTHLY",
                budget_limit=budgets.CfnBudget.SpendProperty(amount=profile.budget_usd, unit="USD"),
                cost_filters={"TagKeyValue": ["user:project$tidemark"]},
            ),
            notifications_with_subscribers=[
                budgets.CfnBudget.NotificationWithSubscribersProperty(
                    notification=budgets.CfnBudget.NotificationProperty(
                        notification_type=kind,
                        comparison_operator="GREATER_THAN",
                        threshold=percent,
                        threshold_type="PERCENTAGE",
                    ),
                    subscribers=[told],
                )
                for kind, percent in (("ACTUAL", 80), ("FORECASTED", 100))
            ],
        )
