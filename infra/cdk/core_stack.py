"""The Core stack: everything serverless. It only composes; each capability is a construct."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from constructs import Construct

from infra.cdk.function import BundledFunction
from infra.cdk.http_api import HttpApi
from infra.cdk.storage import Storage
from infra.cdk.stream_consumer import StreamConsumer
from tidemark.settings import StoreSettings, variable

COMPACT_S = 600  # of each hour at most


class CoreStack(cdk.Stack):
    """Tables, lake, API and Lambdas."""

    def __init__(self, scope: Construct, name: str, *, bundles: Path, redis_url: str, store: StoreSettings) -> None:
        super().__init__(scope, name, description="Tidemark: ledger, cells, lake and API")
        storage = Storage(self, "Storage")
        stream = {variable("redis_url"): redis_url}
        store_environment = {variable(name): str(value) for name, value in asdict(store).items()}

        authorize = BundledFunction(
            self, "Authorize", bundles=bundles, environment={variable("token_secret"): storage.token_secret.secret_arn}
        )
        storage.token_secret.grant_read(authorize.function)

        ingest = BundledFunction(
            self,
            "Ingest",
            bundles=bundles,
            environment={
                **storage.table_environment,
                **store_environment,
                **stream,
                variable("runs_table"): storage.runs.table_name,
            },
            memory_mb=1024,
        )
        storage.allow_commit(ingest.function)
        storage.allow_sales_model(ingest.function)

        api = BundledFunction(
            self,
            "Api",
            bundles=bundles,
            environment={
                **storage.table_environment,
                **storage.history_environment,
                **store_environment,
                variable("feedback_table"): storage.feedback.table_name,
                **storage.run_environment,
            },
            memory_mb=1024,
        )
        storage.allow_read(api.function)
        storage.allow_feedback(api.function)
        storage.allow_run_reports(api.function)
        storage.allow_verdicts(api.function)

        predict = BundledFunction(
            self,
            "Predict",
            bundles=bundles,
            environment=storage.run_environment,
            memory_mb=1769,  # one processor
        )
        storage.allow_champion(predict.function)

        publish = BundledFunction(self, "Publish", bundles=bundles, environment=stream)
        StreamConsumer(self, "PublishStream", table=storage.cells, consumer=publish.function, batch_size=100)

        archive = BundledFunction(
            self, "Archive", bundles=bundles, environment={variable("lake_bucket"): storage.lake.bucket_name}
        )
        storage.lake.grant_put(archive.function)
        StreamConsumer(
            self,
            "ArchiveStream",
            table=storage.ledger,
            consumer=archive.function,
            batch_size=1_000,
            window_s=5,
            events=("INSERT",),
            partial=False,
        )

        compact = BundledFunction(
            self,
            "Compact",
            bundles=bundles,
            environment={
                variable("cells_table"): storage.cells.table_name,
                **storage.history_environment,
                **store_environment,
            },
            timeout_s=COMPACT_S,
        )
        storage.allow_compaction(compact.function)
        events.Rule(
            self,
            "CompactHourly",
            schedule=events.Schedule.rate(cdk.Duration.hours(1)),
            targets=[targets.LambdaFunction(compact.function, retry_attempts=0)],  # the next hour goes on
        )

        http = HttpApi(
            self,
            "HttpApi",
            authorize=authorize.function,
            ingest=ingest.function,
            api=api.function,
            predict=predict.function,
        )

        cdk.CfnOutput(self, "ApiId", value=http.rest_api.rest_api_id)
        cdk.CfnOutput(self, "ApiUrl", value=http.rest_api.url)
        cdk.CfnOutput(self, "LedgerTable", value=storage.ledger.table_name)
        cdk.CfnOutput(self, "CellsTable", value=storage.cells.table_name)
        cdk.CfnOutput(self, "HistoryTable", value=storage.history.table_name)
        cdk.CfnOutput(self, "QuarantineTable", value=storage.quarantine.table_name)
        cdk.CfnOutput(self, "FeedbackTable", value=storage.feedback.table_name)
        cdk.CfnOutput(self, "RunsTable", value=storage.runs.table_name)
        cdk.CfnOutput(self, "LakeBucket", value=storage.lake.bucket_name)
        cdk.CfnOutput(self, "TokenSecret", value=storage.token_secret.secret_arn)
