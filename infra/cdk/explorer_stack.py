"""The Explorer stack: the Streamlit app, behind the same door as the live page."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_athena as athena
from aws_cdk import aws_ecs as ecs
from constructs import Construct

from infra import images
from infra.cdk.container import Container
from infra.cdk.core_stack import CoreStack
from infra.cdk.front_door import EXPLORER_PATH
from infra.cdk.live_stack import LiveStack
from infra.cdk.sign_in import Client
from infra.cdk.storage import ANSWERS
from infra.images.ports import EXPLORER
from tidemark.settings import variable

SIGNED_IN_AT = f"{EXPLORER_PATH}/oauth2callback"
LARGEST_QUERY = 1_000_000_000_000  # bytes that one question may read: five dollars
FIRST = 10  # among the rules of the load balancer


class ExplorerStack(cdk.Stack):
    """Fargate, and not App Runner, which takes no new customers and carries no WebSockets."""

    def __init__(self, scope: Construct, name: str, *, core: CoreStack, live: LiveStack) -> None:
        super().__init__(
            scope, name, description="Tidemark: the pages for analysts", termination_protection=core.profile.keep
        )
        storage = core.storage
        results = f"s3://{storage.lake.bucket_name}/{ANSWERS}"
        group = athena.CfnWorkGroup(
            self,
            "Questions",
            name=f"{cdk.Aws.STACK_NAME}-questions",
            recursive_delete_option=True,
            work_group_configuration=athena.CfnWorkGroup.WorkGroupConfigurationProperty(
                enforce_work_group_configuration=True,
                publish_cloud_watch_metrics_enabled=True,
                bytes_scanned_cutoff_per_query=LARGEST_QUERY,
                result_configuration=athena.CfnWorkGroup.ResultConfigurationProperty(
                    output_location=results,
                    encryption_configuration=athena.CfnWorkGroup.EncryptionConfigurationProperty(
                        encryption_option="SSE_S3"
                    ),
                ),
            ),
        )
        client = Client(self, "Client", pool=live.sign_in.pool, address=live.door.address, callback=SIGNED_IN_AT)
        self.app = Container(
            self,
            "App",
            cluster=live.cluster,
            image=images.EXPLORER,
            task=core.profile.explorer,
            port=EXPLORER,
            environment={
                variable("api_url"): core.http.rest_api.url.removesuffix("/"),
                variable("reader_token"): storage.reader_token.secret_arn,
                variable("lake_bucket"): storage.lake.bucket_name,
                variable("athena_workgroup"): group.name,
                variable("public_url"): f"{live.door.address}{EXPLORER_PATH}",
                variable("oidc_issuer"): live.sign_in.issuer,
                variable("oidc_client_id"): client.id,
            },
            secrets={
                variable("api_token"): ecs.Secret.from_secrets_manager(storage.reader_token),
                variable("oidc_client_secret"): ecs.Secret.from_secrets_manager(client.secret),
                variable("cookie_secret"): ecs.Secret.from_secrets_manager(live.sign_in.cookie_secret),
            },
            health=images.answers(EXPLORER, f"{EXPLORER_PATH}/_stcore/health"),
            grace_s=90,
        )
        storage.reader_token.grant_read(self.app.task.task_role)
        storage.allow_exploring(self.app.task.task_role, group.name)
        live.door.route(
            self,
            "Explorer",
            self.app.service.load_balancer_target(container_name="Container", container_port=EXPLORER),
            port=EXPLORER,
            path=EXPLORER_PATH,
            health=f"{EXPLORER_PATH}/_stcore/health",
            priority=FIRST,
            sticky=True,  # a page's state is in the memory of one container
        )
        cdk.CfnOutput(self, "ExplorerUrl", value=f"{live.door.address}{EXPLORER_PATH}")
