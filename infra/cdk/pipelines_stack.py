"""The Pipelines stack: MLflow on PostgreSQL, Prefect unless its Cloud is used, and the worker that runs the flows."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra import images
from infra.cdk.container import Cluster, Container
from infra.cdk.core_stack import CoreStack
from infra.cdk.database import Database
from infra.images.ports import MLFLOW, PREFECT, RUNNER
from tidemark.settings import variable

ARTIFACTS = "mlflow"


class PipelinesStack(cdk.Stack):
    """Three containers that find each other by name, and a database. None of them has a public address.

    `prefect_api_url`: Prefect Cloud's, or another server's; its key is then the stack's parameter `PrefectKey`.
    """

    def __init__(
        self, scope: Construct, name: str, *, core: CoreStack, cluster: Cluster, prefect_api_url: str = ""
    ) -> None:
        super().__init__(
            scope, name, description="Tidemark: flows, experiments", termination_protection=core.profile.keep
        )
        assert core.network is not None
        profile, storage = core.profile, core.storage
        self.database = Database(self, "Database", network=core.network, profile=profile)
        self.mlflow = Container(
            self,
            "Mlflow",
            cluster=cluster,
            image=images.MLFLOW,
            task=profile.mlflow,
            port=MLFLOW,
            found_as="mlflow",
            environment={
                **self.database.environment,
                "MLFLOW_ARTIFACTS": f"s3://{storage.lake.bucket_name}/{ARTIFACTS}",
                "MLFLOW_SERVER_ALLOWED_HOSTS": f"mlflow.{cluster.DOMAIN}:{MLFLOW},localhost:*,127.0.0.1:*",
            },
            secrets=self.database.secrets,
            health=("python", "-m", "infra.images.server", "mlflow", "check"),
            grace_s=120,
        )
        self.database.allow_from(self.mlflow.group, "MLflow")
        storage.allow_artifacts(self.mlflow.task.task_role, f"{ARTIFACTS}/")

        self.prefect: Container | None = None
        secrets: dict[str, ecs.Secret] = {}
        if prefect_api_url:
            told = cdk.CfnParameter(self, "PrefectKey", no_echo=True, min_length=1, description="Prefect's API's key")
            key = secretsmanager.Secret(
                self,
                "PrefectKeySecret",
                description="Tidemark: the key of Prefect's API",
                secret_string_value=cdk.SecretValue.cfn_parameter(told),
            )
            secrets["PREFECT_API_KEY"] = ecs.Secret.from_secrets_manager(key)
            cdk.CfnOutput(self, "PrefectApi", value=prefect_api_url)
        else:
            prefect_api_url = f"http://prefect.{cluster.DOMAIN}:{PREFECT}/api"
            self.prefect = Container(
                self,
                "Prefect",
                cluster=cluster,
                image=images.PREFECT,
                task=profile.prefect,
                port=PREFECT,
                found_as="prefect",
                environment=self.database.environment,
                secrets=self.database.secrets,
                health=("python", "-m", "infra.images.server", "prefect", "check"),
                grace_s=180,
            )
            self.database.allow_from(self.prefect.group, "Prefect")

        self.worker = Container(
            self,
            "Worker",
            cluster=cluster,
            image=images.WORKER,
            task=profile.worker,
            environment={
                **storage.run_environment,
                **core.store_environment,
                variable("cells_table"): storage.cells.table_name,
                **storage.history_environment,
                "PREFECT_API_URL": prefect_api_url,
                "PREFECT_RUNNER_SERVER_ENABLE": "true",
                "PREFECT_RUNNER_SERVER_PORT": str(RUNNER),
                "MLFLOW_TRACKING_URI": f"http://mlflow.{cluster.DOMAIN}:{MLFLOW}",
                "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "5",
                "PREFECT_CLIENT_MAX_RETRIES": "6",
                "PREFECT_CLIENT_RETRY_EXTRA_CODES": "500",
                "OMP_NUM_THREADS": "1",
                "OPENBLAS_NUM_THREADS": "1",
            },
            secrets=secrets,
            health=images.answers(RUNNER, "/health"),
            grace_s=180,
            stop_s=120,
            one_at_a_time=True,
        )
        storage.allow_flows(self.worker.task.task_role)
        self.mlflow.allow_from(self.worker.group, MLFLOW, "the worker")
        if self.prefect:
            self.prefect.allow_from(self.worker.group, PREFECT, "the worker")
            self.worker.node.add_dependency(self.prefect.service)
        self.worker.node.add_dependency(self.mlflow.service)
        self._let_look_in(profile.name)

    def _let_look_in(self, profile: str) -> None:
        """Who looks after the pipelines opens their pages through a session of Systems Manager (`docs/deploy.md`)."""
        for container in (self.mlflow, self.prefect):
            if container is None:
                continue
            container.task.task_role.add_to_principal_policy(
                iam.PolicyStatement(
                    actions=[
                        "ssmmessages:CreateControlChannel",
                        "ssmmessages:CreateDataChannel",
                        "ssmmessages:OpenControlChannel",
                        "ssmmessages:OpenDataChannel",
                    ],
                    resources=["*"],  # these know no resource
                )
            )
            service = container.service.node.default_child
            assert isinstance(service, ecs.CfnService)
            service.enable_execute_command = True
