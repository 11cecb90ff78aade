"""A Lambda that follows a table's stream."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_sqs as sqs
from constructs import Construct


class StreamConsumer(Construct):
    """Reads changes in batches; what fails is bisected, tried again and at last kept in a queue.

    `partial`: the consumer names the records that failed.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        table: dynamodb.TableV2,
        consumer: lambda_.Function,
        batch_size: int,
        events: tuple[str, ...] = ("INSERT", "MODIFY"),
        partial: bool = True,
        window_s: int = 0,
    ) -> None:
        super().__init__(scope, name)
        self.consumer = consumer
        self.failed = sqs.Queue(
            self,
            "Failed",
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=cdk.Duration.days(14),
        )
        consumer.add_event_source(
            sources.DynamoEventSource(
                table,
                starting_position=lambda_.StartingPosition.TRIM_HORIZON,
                batch_size=batch_size,
                max_batching_window=cdk.Duration.seconds(window_s),
                bisect_batch_on_error=True,
                report_batch_item_failures=partial,
                retry_attempts=10,
                max_record_age=cdk.Duration.hours(20),  # the stream forgets after 24: till then a queue knows of it
                on_failure=sources.SqsDlq(self.failed),
                filters=[lambda_.FilterCriteria.filter({"eventName": lambda_.FilterRule.or_(*events)})],
            )
        )

    def allow_redrive(self, grantee: iam.IGrantable) -> None:
        """To take what was given up out of the queue, and to have the consumer take what it stands for."""
        taking = ("ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility", "GetQueueAttributes")
        for actions, resource in (
            ([f"sqs:{action}" for action in taking], self.failed.queue_arn),
            (["lambda:InvokeFunction"], self.consumer.function_arn),
        ):
            grantee.grant_principal.add_to_principal_policy(
                iam.PolicyStatement(actions=list(actions), resources=[resource])
            )
