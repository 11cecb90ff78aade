"""AWS's list prices, each with its unit, in US dollars: us-east-1, without taxes, free tiers or savings plans.

Looked up on 2026-11-28 on AWS's own price pages as they were published by then, and on pages that quote them. Most
regions cost 0 to 15 % more. A price that has changed is changed here, with the date.
"""

from __future__ import annotations

from typing import NamedTuple

DATE = "2026-11-28"
REGION = "us-east-1"
HOURS = 730  # a month, as AWS's calculator has it


class Price(NamedTuple):
    """`usd` for one `unit`."""

    usd: float
    unit: str
    page: str


DYNAMODB_WRITE = Price(0.625e-6, "write request unit", "aws.amazon.com/dynamodb/pricing/on-demand")
DYNAMODB_READ = Price(0.125e-6, "read request unit", "aws.amazon.com/dynamodb/pricing/on-demand")
DYNAMODB_GB = Price(0.25, "GB and month", "aws.amazon.com/dynamodb/pricing/on-demand")
DYNAMODB_BACKUP_GB = Price(0.20, "GB and month", "aws.amazon.com/dynamodb/pricing/on-demand")
S3_GB = Price(0.023, "GB and month", "aws.amazon.com/s3/pricing")
S3_PUT = Price(5e-6, "PUT", "aws.amazon.com/s3/pricing")
API_CALL = Price(3.5e-6, "call", "aws.amazon.com/api-gateway/pricing")
LAMBDA_CALL = Price(0.2e-6, "call", "aws.amazon.com/lambda/pricing")
LAMBDA_GB_S = Price(13.3334e-6, "GB and second, arm64", "aws.amazon.com/lambda/pricing")
WAF_LIST = Price(5.0, "list and month", "aws.amazon.com/waf/pricing")
WAF_RULE = Price(1.0, "rule and month", "aws.amazon.com/waf/pricing")
WAF_CALL = Price(0.6e-6, "request", "aws.amazon.com/waf/pricing")
TRANSFER_GB = Price(0.09, "GB out to the internet", "aws.amazon.com/ec2/pricing/on-demand")
FARGATE_CPU = Price(0.03238, "vCPU and hour, arm64", "aws.amazon.com/fargate/pricing")
FARGATE_GB = Price(0.00356, "GB and hour, arm64", "aws.amazon.com/fargate/pricing")
FARGATE_SPOT_SHARE = 0.3  # of the price; AWS says "up to 70 % off", and it moves
PUBLIC_IPV4 = Price(0.005, "address and hour", "aws.amazon.com/vpc/pricing")
BALANCER = Price(0.0225, "hour", "aws.amazon.com/elasticloadbalancing/pricing")
BALANCER_UNIT = Price(0.008, "LCU and hour", "aws.amazon.com/elasticloadbalancing/pricing")
SECRET = Price(0.40, "secret and month", "aws.amazon.com/secrets-manager/pricing")
KEY = Price(1.0, "key and month", "aws.amazon.com/kms/pricing")
ALARM_METRIC = Price(0.10, "alarm's metric and month", "aws.amazon.com/cloudwatch/pricing")
METRIC = Price(0.30, "metric and month", "aws.amazon.com/cloudwatch/pricing")
DASHBOARD = Price(3.0, "dashboard and month", "aws.amazon.com/cloudwatch/pricing")
LOG_GB = Price(0.50, "GB written", "aws.amazon.com/cloudwatch/pricing")
HOSTED_ZONE = Price(0.50, "zone and month", "aws.amazon.com/route53/pricing")
REGISTRY_GB = Price(0.10, "GB and month", "aws.amazon.com/ecr/pricing")
DISK_GB = Price(0.115, "GB and month, gp3", "aws.amazon.com/rds/postgresql/pricing")

CACHE_NODE = {
    "cache.t4g.micro": Price(0.0128, "node and hour, Valkey", "aws.amazon.com/elasticache/pricing"),
    "cache.t4g.small": Price(0.0256, "node and hour, Valkey", "aws.amazon.com/elasticache/pricing"),
}
DATABASE = {
    "db.t4g.micro": Price(0.016, "instance and hour", "aws.amazon.com/rds/postgresql/pricing"),
    "db.t4g.small": Price(0.032, "instance and hour", "aws.amazon.com/rds/postgresql/pricing"),
}
