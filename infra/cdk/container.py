"""A container on Fargate, from its image in `infra/images/`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecr_assets as assets
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_logs as logs
from aws_cdk import aws_servicediscovery as discovery
from constructs import Construct

from infra import images
from infra.cdk.network import Network, retention
from infra.cdk.sizes import Profile, Task

STOP_S = 120  # the longest that Fargate waits


class Cluster(Construct):
    """Where the containers run, and how they find each other: `http://<name>.tidemark.internal:<port>`."""

    DOMAIN = "tidemark.internal"

    def __init__(self, scope: Construct, name: str, *, network: Network, profile: Profile) -> None:
        super().__init__(scope, name)
        self.network = network
        self.profile = profile
        self.ecs = ecs.Cluster(
            self,
            "Ecs",
            vpc=network.vpc,
            enable_fargate_capacity_providers=True,
            container_insights_v2=ecs.ContainerInsights.ENABLED
            if profile.container_insights
            else ecs.ContainerInsights.DISABLED,
            default_cloud_map_namespace=ecs.CloudMapNamespaceOptions(
                name=self.DOMAIN, type=discovery.NamespaceType.DNS_PRIVATE, vpc=network.vpc
            ),
        )


class Container(Construct):
    """One service: `task.count` containers of an image, in public subnets with a way out and none in.

    `health`: the command that says whether it is well, run inside of it. `found_as`: its name in the cluster's domain.
    A deployment whose containers do not become well is rolled back.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        cluster: Cluster,
        image: images.Image,
        task: Task,
        environment: Mapping[str, str],
        secrets: Mapping[str, ecs.Secret],
        health: Sequence[str],
        port: int | None = None,
        found_as: str | None = None,
        grace_s: int = 60,
        stop_s: int = 30,
        one_at_a_time: bool = False,
    ) -> None:
        super().__init__(scope, name)
        profile = cluster.profile
        self.logs = logs.LogGroup(
            self, "Logs", retention=retention(profile.log_days), removal_policy=cdk.RemovalPolicy.DESTROY
        )
        self.group = cluster.network.group(self, "Group", f"Tidemark: {name}", calls_out=True)
        self.task = ecs.FargateTaskDefinition(
            self,
            "Task",
            cpu=task.cpu,
            memory_limit_mib=task.memory,
            runtime_platform=ecs.RuntimePlatform(
                cpu_architecture=ecs.CpuArchitecture.ARM64, operating_system_family=ecs.OperatingSystemFamily.LINUX
            ),
        )
        self.task.add_container(
            "Container",
            image=ecs.ContainerImage.from_docker_image_asset(
                assets.DockerImageAsset(
                    self,
                    "Image",
                    directory=str(images.ROOT),
                    file=image.file,
                    exclude=image.ignored,
                    ignore_mode=cdk.IgnoreMode.DOCKER,
                    platform=assets.Platform.LINUX_ARM64,
                )
            ),
            environment=dict(environment),
            secrets=dict(secrets),
            logging=ecs.LogDrivers.aws_logs(stream_prefix=name.lower(), log_group=self.logs),
            port_mappings=[ecs.PortMapping(container_port=port)] if port else None,
            stop_timeout=cdk.Duration.seconds(min(stop_s, STOP_S)),
            health_check=ecs.HealthCheck(
                command=["CMD", *health],
                interval=cdk.Duration.seconds(30),
                timeout=cdk.Duration.seconds(10),
                retries=3,
                start_period=cdk.Duration.seconds(grace_s),
            ),
        )
        self.service = ecs.FargateService(
            self,
            "Service",
            cluster=cluster.ecs,
            task_definition=self.task,
            desired_count=task.count,
            vpc_subnets=cluster.network.public,
            assign_public_ip=True,
            security_groups=[self.group],
            capacity_provider_strategies=[
                ecs.CapacityProviderStrategy(capacity_provider="FARGATE_SPOT" if profile.spot else "FARGATE", weight=1)
            ],
            circuit_breaker=ecs.DeploymentCircuitBreaker(enable=True, rollback=True),
            # A worker must not run twice; a page must not be away.
            min_healthy_percent=0 if one_at_a_time else 100,
            max_healthy_percent=100 if one_at_a_time else 200,
            health_check_grace_period=cdk.Duration.seconds(grace_s) if port and not found_as else None,
            cloud_map_options=ecs.CloudMapOptions(name=found_as, dns_record_type=discovery.DnsRecordType.A)
            if found_as
            else None,
            propagate_tags=ecs.PropagatedTagSource.SERVICE,
        )

    def allow_from(self, other: ec2.ISecurityGroup, port: int, who: str) -> None:
        """Let another part in."""
        self.group.add_ingress_rule(other, ec2.Port.tcp(port), who)
