"""The network: two zones, no NAT. What must call out sits in public subnets with nothing let in; the rest calls nobody
but DynamoDB and S3, by gateway endpoints."""

from __future__ import annotations

from aws_cdk import RemovalPolicy
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.cdk.sizes import Profile

ZONES = 2
ADDRESSES = "10.20.0.0/16"
PUBLIC = "tasks"
INNER = "inner"


class Network(Construct):
    """A VPC, and one security group a part: who may reach whom is said by `allow_from`, and by nothing else."""

    def __init__(self, scope: Construct, name: str, *, profile: Profile) -> None:
        super().__init__(scope, name)
        self.vpc = ec2.Vpc(
            self,
            "Vpc",
            max_azs=ZONES,
            ip_addresses=ec2.IpAddresses.cidr(ADDRESSES),
            nat_gateways=0,
            subnet_configuration=[
                ec2.SubnetConfiguration(name=PUBLIC, subnet_type=ec2.SubnetType.PUBLIC, cidr_mask=22),
                ec2.SubnetConfiguration(name=INNER, subnet_type=ec2.SubnetType.PRIVATE_ISOLATED, cidr_mask=22),
            ],
            gateway_endpoints={
                "DynamoDb": ec2.GatewayVpcEndpointOptions(service=ec2.GatewayVpcEndpointAwsService.DYNAMODB),
                "S3": ec2.GatewayVpcEndpointOptions(service=ec2.GatewayVpcEndpointAwsService.S3),
            },
        )
        refused = logs.LogGroup(
            self,
            "Refused",
            retention=retention(profile.log_days),
            removal_policy=RemovalPolicy.DESTROY,
        )
        self.vpc.add_flow_log(
            "FlowLog",
            destination=ec2.FlowLogDestination.to_cloud_watch_logs(refused),
            traffic_type=ec2.FlowLogTrafficType.REJECT,  # all traffic would cost more than the tasks
        )

    @property
    def public(self) -> ec2.SubnetSelection:
        """Where tasks that call out sit."""
        return ec2.SubnetSelection(subnet_group_name=PUBLIC)

    @property
    def inner(self) -> ec2.SubnetSelection:
        """Where nothing has a way out."""
        return ec2.SubnetSelection(subnet_group_name=INNER)

    def group(self, scope: Construct, name: str, what: str, *, calls_out: bool) -> ec2.SecurityGroup:
        """A security group that lets nobody in."""
        return ec2.SecurityGroup(scope, name, vpc=self.vpc, description=what, allow_all_outbound=calls_out)


def admit(scope: Construct, who: ec2.ISecurityGroup, to: ec2.ISecurityGroup, port: int, why: str) -> None:
    """Let those of one security group in at a port of another. The rule lives where `scope` does: the two may be of
    stacks of which only one knows the other."""
    ec2.CfnSecurityGroupIngress(
        scope,
        f"Admits{who.node.scope.node.id if who.node.scope else ''}{port}",
        group_id=to.security_group_id,
        source_security_group_id=who.security_group_id,
        ip_protocol="tcp",
        from_port=port,
        to_port=port,
        description=why,
    )


def retention(days: int) -> logs.RetentionDays:
    """CloudWatch's name for a number of days."""
    return {30: logs.RetentionDays.ONE_MONTH, 365: logs.RetentionDays.ONE_YEAR}[days]
