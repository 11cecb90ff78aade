"""Alarms: each thing that may go wrong, how bad it must be, and who is told."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from infra.cdk.sizes import Profile

RUNBOOKS = "docs/runbooks/"


class Alarms(Construct):
    """Whoever subscribes to the topic is told of an alarm, and when it is over. `email`: is asked to subscribe."""

    def __init__(self, scope: Construct, name: str, *, profile: Profile, email: str) -> None:
        super().__init__(scope, name)
        key = kms.Key(
            self,
            "Key",
            description="Tidemark: what alarms say",
            enable_key_rotation=True,
            removal_policy=cdk.RemovalPolicy.RETAIN if profile.keep else cdk.RemovalPolicy.DESTROY,
        )
        self.topic = sns.Topic(self, "Topic", display_name="Tidemark", master_key=key, enforce_ssl=True)
        for service in ("cloudwatch.amazonaws.com", "budgets.amazonaws.com"):
            teller = iam.ServicePrincipal(
                service, conditions={"StringEquals": {"aws:SourceAccount": cdk.Aws.ACCOUNT_ID}}
            )
            key.grant(teller, "kms:Decrypt", "kms:GenerateDataKey")
            self.topic.grant_publish(teller)
        if email:
            self.topic.add_subscription(subscriptions.EmailSubscription(email))
        self._tell = actions.SnsAction(self.topic)
        self.all: list[cloudwatch.Alarm] = []

    def add(
        self,
        name: str,
        metric: cloudwatch.IMetric,
        threshold: float,
        what: str,
        *,
        minutes: int = 5,
        missing: cloudwatch.TreatMissingData = cloudwatch.TreatMissingData.NOT_BREACHING,
        below: bool = False,
    ) -> None:
        """Alarm where the metric is at least (or, with `below`, less than) the threshold for `minutes` minutes."""
        alarm = cloudwatch.Alarm(
            self,
            name,
            metric=metric,
            threshold=threshold,
            evaluation_periods=minutes,
            datapoints_to_alarm=minutes,
            comparison_operator=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD
            if below
            else cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            treat_missing_data=missing,
            alarm_description=f"{what} What to do: {RUNBOOKS}{_dashed(name)}.md",
        )
        alarm.add_alarm_action(self._tell)
        alarm.add_ok_action(self._tell)
        self.all.append(alarm)


def _dashed(name: str) -> str:
    return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("-")
