"""A Lambda from its bundle."""

from __future__ import annotations

from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.bundles import ENVIRONMENT


class BundledFunction(Construct):
    """The Lambda `functions/<name>/handler.py`, with its log group. Python 3.13 on arm64."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        bundles: Path,
        environment: dict[str, str],
        memory_mb: int = 512,
        timeout_s: int = 28,  # API Gateway waits 29 s
    ) -> None:
        super().__init__(scope, name)
        folder = name.lower()
        self.function = lambda_.Function(
            self,
            "Function",
            description=f"Tidemark: {folder}",
            runtime=lambda_.Runtime.PYTHON_3_13,
            architecture=lambda_.Architecture.ARM_64,
            code=lambda_.Code.from_asset(str(bundles / folder)),
            handler=f"functions.{folder}.handler.handler",
            environment={"POWERTOOLS_LOG_LEVEL": "INFO", **ENVIRONMENT, **environment},
            memory_size=memory_mb,
            timeout=cdk.Duration.seconds(timeout_s),
            log_group=logs.LogGroup(
                self,
                "Logs",
                retention=logs.RetentionDays.ONE_MONTH,
                removal_policy=cdk.RemovalPolicy.DESTROY,
            ),
        )
