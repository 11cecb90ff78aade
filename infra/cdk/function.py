"""A Lambda from its bundle."""

from __future__ import annotations

from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.bundles import ENVIRONMENT
from infra.cdk.network import Network, retention

# To sit in a VPC. Lambda asks for these of any resource: it tries them before it makes the first interface.
_IN_A_VPC = (
    "ec2:CreateNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:DeleteNetworkInterface",
    "ec2:AssignPrivateIpAddresses",
    "ec2:UnassignPrivateIpAddresses",
)


class BundledFunction(Construct):
    """The Lambda `functions/<name>/handler.py`, with its log group and a role that may write there and nothing else.

    Python 3.13 on arm64. With `network` it sits in the VPC's inner subnets, in a security group of its own.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        bundles: Path,
        environment: dict[str, str],
        memory_mb: int = 512,
        timeout_s: int = 28,  # API Gateway waits 29 s
        log_days: int = 30,
        network: Network | None = None,
    ) -> None:
        super().__init__(scope, name)
        folder = name.lower()
        log_group = logs.LogGroup(self, "Logs", retention=retention(log_days), removal_policy=cdk.RemovalPolicy.DESTROY)
        role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        log_group.grant_write(role)
        self.group: ec2.SecurityGroup | None = None
        if network:
            self.group = network.group(self, "Group", f"Tidemark: the Lambda {folder}", calls_out=True)
            role.add_to_principal_policy(iam.PolicyStatement(actions=list(_IN_A_VPC), resources=["*"]))
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
            log_group=log_group,
            role=role,
            vpc=network.vpc if network else None,
            vpc_subnets=network.inner if network else None,
            security_groups=[self.group] if self.group else None,
        )
        self.function.node.add_dependency(role)  # its policies too: Lambda tries them at once
