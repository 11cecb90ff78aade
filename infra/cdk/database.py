"""PostgreSQL for MLflow and for a Prefect server of one's own."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_rds as rds
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra.cdk.network import Network
from infra.cdk.sizes import Profile

PORT = 5432
USER = "tidemark"


class Database(Construct):
    """RDS makes the password, keeps it in Secrets Manager and changes it every seven days.

    A container that holds an old one is found out by its health check, and replaced by one that holds the new one.
    """

    def __init__(self, scope: Construct, name: str, *, network: Network, profile: Profile) -> None:
        super().__init__(scope, name)
        self.group = network.group(self, "Group", "Tidemark: PostgreSQL", calls_out=False)
        version = rds.PostgresEngineVersion.of("17", "17")
        self.instance = rds.DatabaseInstance(
            self,
            "Postgres",
            engine=rds.DatabaseInstanceEngine.postgres(version=version),
            instance_type=ec2.InstanceType(profile.database),
            vpc=network.vpc,
            vpc_subnets=network.inner,
            security_groups=[self.group],
            publicly_accessible=False,
            port=PORT,
            credentials=rds.Credentials.from_username(USER),
            manage_master_user_password=True,
            parameters={"rds.force_ssl": "1"},
            iam_authentication=True,
            storage_type=rds.StorageType.GP3,
            allocated_storage=profile.database_gb,
            max_allocated_storage=profile.database_gb * 5,
            storage_encrypted=True,
            multi_az=profile.database_zones > 1,
            backup_retention=cdk.Duration.days(profile.backup_days),
            delete_automated_backups=not profile.keep,
            copy_tags_to_snapshot=True,
            auto_minor_version_upgrade=True,
            deletion_protection=profile.keep,
            removal_policy=cdk.RemovalPolicy.SNAPSHOT if profile.keep else cdk.RemovalPolicy.DESTROY,
            cloudwatch_logs_exports=["postgresql"],
            cloudwatch_logs_retention=None,
        )
        secret = self.instance.secret
        assert secret is not None
        self._secret: secretsmanager.ISecret = secret

    @property
    def environment(self) -> dict[str, str]:
        """Where it is, by PostgreSQL's own variables."""
        return {
            "PGHOST": self.instance.db_instance_endpoint_address,
            "PGPORT": str(PORT),
            "PGSSLMODE": "require",
        }

    @property
    def secrets(self) -> dict[str, ecs.Secret]:
        """Who may come in."""
        return {
            "PGUSER": ecs.Secret.from_secrets_manager(self._secret, "username"),
            "PGPASSWORD": ecs.Secret.from_secrets_manager(self._secret, "password"),
        }

    def allow_from(self, group: ec2.ISecurityGroup, who: str) -> None:
        """Let a part in."""
        self.group.add_ingress_rule(group, ec2.Port.tcp(PORT), who)
