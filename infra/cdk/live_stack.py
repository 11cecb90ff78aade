"""The Live stack: the pages' address, sign-in, and the live page's server."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_ecs as ecs
from constructs import Construct

from infra import images
from infra.cdk.container import Cluster, Container
from infra.cdk.core_stack import CoreStack
from infra.cdk.front_door import FrontDoor
from infra.cdk.sign_in import Client, SignIn
from infra.images.ports import LIVE as PORT
from tidemark.settings import variable

LAST = 1_000  # what no other path takes
SIGNED_IN_AT = "/signin/callback"


class LiveStack(cdk.Stack):
    """Flask-SocketIO on Fargate behind CloudFront. The other pages come in by the same door."""

    def __init__(self, scope: Construct, name: str, *, core: CoreStack, domain: str, certificate_arn: str) -> None:
        super().__init__(scope, name, description="Tidemark: the live page", termination_protection=core.profile.keep)
        assert core.network is not None
        assert core.firewall is not None
        assert core.live_stream is not None
        profile, storage = core.profile, core.storage
        self.cluster = Cluster(self, "Cluster", network=core.network, profile=profile)
        self.door = FrontDoor(
            self,
            "FrontDoor",
            network=core.network,
            firewall=core.firewall,
            profile=profile,
            domain=domain,
            certificate_arn=certificate_arn,
        )
        self.sign_in = SignIn(self, "SignIn", profile=profile)
        client = Client(self, "Client", pool=self.sign_in.pool, address=self.door.address, callback=SIGNED_IN_AT)
        self.page = Container(
            self,
            "Page",
            cluster=self.cluster,
            image=images.LIVE,
            task=profile.live,
            port=PORT,
            environment={
                **storage.table_environment,
                **storage.history_environment,
                **core.store_environment,
                variable("redis_url"): core.live_stream.url,
                variable("token_secret"): storage.token_secret.secret_arn,
                variable("host"): "0.0.0.0",  # noqa: S104  # in a container, whose group lets the load balancer in
                variable("port"): str(PORT),
                variable("api_url"): core.http.rest_api.url.removesuffix("/"),
                variable("public_url"): self.door.address,
                variable("oidc_issuer"): self.sign_in.issuer,
                variable("oidc_client_id"): client.id,
                variable("source_label"): "Sales posted to this API",
            },
            secrets={
                variable("redis_password"): ecs.Secret.from_secrets_manager(core.live_stream.password),
                variable("oidc_client_secret"): ecs.Secret.from_secrets_manager(client.secret),
            },
            health=images.answers(PORT, "/healthz"),
            stop_s=60,
        )
        core.live_stream.allow_from(self, self.page.group, "the live page")
        storage.token_secret.grant_read(self.page.task.task_role)
        storage.allow_counters(self.page.task.task_role)
        self.door.route(
            self,
            "LivePage",
            self.page.service.load_balancer_target(container_name="Container", container_port=PORT),
            port=PORT,
            health="/healthz",
            priority=LAST,
            leaves_s=60,
        )
        cdk.CfnOutput(self, "LiveUrl", value=self.door.address)
        cdk.CfnOutput(self, "UserPool", value=self.sign_in.pool.user_pool_id)
        cdk.CfnOutput(self, "DistributionName", value=self.door.distribution.distribution_domain_name)
        cdk.CfnOutput(self, "DistributionId", value=self.door.distribution.distribution_id)
