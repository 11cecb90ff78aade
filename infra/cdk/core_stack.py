"""The Core stack: everything serverless. It only composes; each capability is a construct."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from constructs import Construct

from infra.cdk.firewall import Firewall
from infra.cdk.function import BundledFunction
from infra.cdk.http_api import HttpApi
from infra.cdk.live_stream import LiveStream
from infra.cdk.network import Network
from infra.cdk.sizes import Profile
from infra.cdk.storage import Storage
from infra.cdk.stream_consumer import StreamConsumer
from tidemark.deployment.options import OUTPUT as OPTIONS
from tidemark.local.services import LAMBDAS_A_PROCESSOR
from tidemark.settings import StoreSettings, variable

COMPACT_S = 600  # of each hour at most
RETAIN_S = 900  # AWS, Lambda: the longest


class CoreStack(cdk.Stack):
    """Tables, lake, API and Lambdas; on AWS the network, the live stream and the firewall too.

    `redis_url`: a live stream that is there already, as on the local cloud: then nothing of the network is made.
    `person_days`: for how long sales name customers, 0 where there is no policy.
    `options`: what the deployment was told, which the next one reads (`tidemark/deployment/options.py`).
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        bundles: Path,
        store: StoreSettings,
        profile: Profile,
        redis_url: str = "",
        person_days: float = 0,
        options: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(
            scope,
            name,
            description="Tidemark: ledger, cells, lake and API",
            termination_protection=profile.keep,
        )
        self.profile = profile
        self.storage = storage = Storage(self, "Storage", profile=profile)
        self.store_environment = {variable(name): str(value) for name, value in asdict(store).items()}
        self.network = None if redis_url else Network(self, "Network", profile=profile)
        self.live_stream = (
            LiveStream(self, "LiveStream", network=self.network, profile=profile) if self.network else None
        )
        if self.live_stream:
            stream = self.live_stream.environment
        else:  # one machine: a client may have half of the Lambdas that run there at once
            at_once = LAMBDAS_A_PROCESSOR * (os.cpu_count() or 1) // 2
            stream = {variable("redis_url"): redis_url, variable("client_requests"): str(at_once)}

        def function(
            name: str, environment: dict[str, str], *, memory_mb: int = 512, network: Network | None = None
        ) -> BundledFunction:
            return BundledFunction(
                self,
                name,
                bundles=bundles,
                environment=environment,
                memory_mb=memory_mb,
                log_days=profile.log_days,
                network=network,
            )

        authorize = function("Authorize", {variable("token_secret"): storage.token_secret.secret_arn})
        storage.token_secret.grant_read(authorize.function)

        ingest = function(
            "Ingest",
            {
                **storage.table_environment,
                **self.store_environment,
                **stream,
                variable("runs_table"): storage.runs.table_name,
                # In the VPC it has no way to Secrets Manager: CloudFormation fills the key in.
                variable("person_key"): storage.person_key.secret_value.unsafe_unwrap(),
            },
            memory_mb=1024,
            network=self.network,
        )
        storage.allow_commit(ingest.function)
        storage.allow_sales_model(ingest.function)

        api = function(
            "Api",
            {
                **storage.table_environment,
                **storage.history_environment,
                **self.store_environment,
                variable("feedback_table"): storage.feedback.table_name,
                **storage.run_environment,
            },
            memory_mb=1024,
        )
        storage.allow_read(api.function)
        storage.allow_feedback(api.function)
        storage.allow_run_reports(api.function)
        storage.allow_verdicts(api.function)

        predict = function("Predict", storage.run_environment, memory_mb=1769)  # one processor
        storage.allow_champion(predict.function)

        publish = function("Publish", stream, network=self.network)
        published = StreamConsumer(
            self, "PublishStream", table=storage.cells, consumer=publish.function, batch_size=100
        )

        archive = function("Archive", {variable("lake_bucket"): storage.lake.bucket_name})
        storage.allow_archive(archive.function)
        archived = StreamConsumer(
            self,
            "ArchiveStream",
            table=storage.ledger,
            consumer=archive.function,
            batch_size=1_000,
            window_s=5,
            events=("INSERT",),
            partial=False,
        )
        self.consumers = {"Publish": published, "Archive": archived}
        for name, consumer in self.consumers.items():
            consumer.allow_redrive(api.function)
            api.function.add_environment(variable(f"{name.lower()}_failed_queue"), consumer.failed.queue_url)
            api.function.add_environment(variable(f"{name.lower()}_function"), consumer.consumer.function_name)
        for told in (ingest, publish):
            if self.live_stream and told.group:
                self.live_stream.allow_from(told, told.group, told.node.id)

        compact = BundledFunction(
            self,
            "Compact",
            bundles=bundles,
            environment={
                variable("cells_table"): storage.cells.table_name,
                **storage.history_environment,
                **self.store_environment,
            },
            timeout_s=COMPACT_S,
            log_days=profile.log_days,
        )
        storage.allow_compaction(compact.function)
        self._each_hour(compact)

        retain = BundledFunction(
            self,
            "Retain",
            bundles=bundles,
            environment={
                **storage.table_environment,
                **storage.run_environment,
                variable("person_days"): f"{person_days:g}",
            },
            memory_mb=1769,  # one processor: it unpacks and packs
            timeout_s=RETAIN_S,
            log_days=profile.log_days,
        )
        storage.allow_retention(retain.function)
        self._each_hour(
            retain,
            enabled=person_days > 0,
            description="Once a day, and each hour until a round that was cut off is done",
        )

        self.http = HttpApi(
            self,
            "HttpApi",
            authorize=authorize.function,
            ingest=ingest.function,
            api=api.function,
            predict=predict.function,
            log_days=profile.log_days,
        )
        self.firewall = Firewall(self, "Firewall") if self.network else None
        if self.firewall:
            self.firewall.protect(self, "ApiProtected", self.http.rest_api.deployment_stage.stage_arn)

        self.functions = {
            found.node.id: found for found in (authorize, ingest, api, predict, publish, archive, compact, retain)
        }
        kept = {**self.store_environment, variable("person_days"): f"{person_days:g}"}
        self._tell({**(options or {}), **kept})

    def _each_hour(self, called: BundledFunction, *, enabled: bool = True, description: str | None = None) -> None:
        events.Rule(
            self,
            f"{called.node.id}Hourly",
            description=description,
            enabled=enabled,
            schedule=events.Schedule.rate(cdk.Duration.hours(1)),
            targets=[targets.LambdaFunction(called.function, retry_attempts=0)],  # the next hour goes on
        )

    def _tell(self, options: Mapping[str, str]) -> None:
        storage, rest = self.storage, self.http.rest_api
        for name, value in {
            "ApiId": rest.rest_api_id,
            "ApiUrl": rest.url,
            "LedgerTable": storage.ledger.table_name,
            "CellsTable": storage.cells.table_name,
            "HistoryTable": storage.history.table_name,
            "QuarantineTable": storage.quarantine.table_name,
            "FeedbackTable": storage.feedback.table_name,
            "RunsTable": storage.runs.table_name,
            "LakeBucket": storage.lake.bucket_name,
            "TokenSecret": storage.token_secret.secret_arn,
            "PersonKey": storage.person_key.secret_arn,
            "ReaderToken": storage.reader_token.secret_arn,
            **{f"{name}FailedQueue": consumer.failed.queue_url for name, consumer in self.consumers.items()},
            **{f"{name}Function": consumer.consumer.function_name for name, consumer in self.consumers.items()},
            OPTIONS: json.dumps(options, sort_keys=True),
        }.items():
            cdk.CfnOutput(self, name, value=value)
