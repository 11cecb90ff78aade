"""The live stream: Valkey on nodes of its own, encrypted, behind a password."""

from __future__ import annotations

from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticache as elasticache
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra.cdk.network import Network, admit
from infra.cdk.sizes import Profile
from tidemark.settings import variable

PORT = 6379
VERSION = "8.0"


class LiveStream(Construct):
    """One primary, and in `prod` a replica in another zone. Nothing in it is the only copy of anything: no backups."""

    def __init__(self, scope: Construct, name: str, *, network: Network, profile: Profile) -> None:
        super().__init__(scope, name)
        self.group = network.group(self, "Group", "Tidemark: the live stream", calls_out=False)
        self.password = secretsmanager.Secret(
            self,
            "Password",
            description="Tidemark: the password of the live stream",
            generate_secret_string=secretsmanager.SecretStringGenerator(password_length=64, exclude_punctuation=True),
        )
        subnets = elasticache.CfnSubnetGroup(
            self,
            "Subnets",
            description="Tidemark: the live stream",
            subnet_ids=network.vpc.select_subnets(subnet_group_name=network.inner.subnet_group_name).subnet_ids,
        )
        several = profile.cache_nodes > 1
        self.valkey = elasticache.CfnReplicationGroup(
            self,
            "Valkey",
            replication_group_description="Tidemark: the live stream",
            engine="valkey",
            engine_version=VERSION,
            cache_node_type=profile.cache_node,
            num_cache_clusters=profile.cache_nodes,
            automatic_failover_enabled=several,
            multi_az_enabled=several,
            port=PORT,
            at_rest_encryption_enabled=True,
            transit_encryption_enabled=True,
            auth_token=self.password.secret_value.unsafe_unwrap(),  # a reference that CloudFormation resolves
            cache_subnet_group_name=subnets.ref,
            security_group_ids=[self.group.security_group_id],
            snapshot_retention_limit=0,
        )

    @property
    def url(self) -> str:
        """Where it is, without the password."""
        return f"rediss://{self.valkey.attr_primary_end_point_address}:{PORT}"

    @property
    def environment(self) -> dict[str, str]:
        """A Lambda's settings. In the VPC it has no way to Secrets Manager: CloudFormation fills the password in."""
        return {
            variable("redis_url"): self.url,
            variable("redis_password"): self.password.secret_value.unsafe_unwrap(),
        }

    def allow_from(self, scope: Construct, group: ec2.ISecurityGroup, who: str) -> None:
        """Let a part in."""
        admit(scope, group, self.group, PORT, who)
