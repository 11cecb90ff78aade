"""What a month costs when nothing is sold: read off the synthesised templates, every line explained."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from tidemark.costs import prices
from tidemark.costs.prices import HOURS
from tidemark.errors import TidemarkError

Resource = Mapping[str, Any]
IMAGES_GB = {"Page": 0.2, "App": 0.5, "Worker": 1.6, "Mlflow": 0.4, "Prefect": 0.3}  # compressed, about
LOAD_BALANCED = 0.1  # LCUs while nothing happens: a few connections, and health checks
ROWS_KEPT_GB = 0.1
OWN_METRICS = {"TidemarkCore": 14, "TidemarkLive": 5, "TidemarkPipelines": 12}


class Line(NamedTuple):
    """`usd` a month, and how it comes about."""

    stack: str
    what: str
    usd: float
    arithmetic: str


def lines(templates: Mapping[str, Mapping[str, Any]]) -> list[Line]:
    """Every line of every stack, by name of the stack to its template.

    Raises TidemarkError where a template has a resource of which it is not known whether it costs anything.
    """
    found: list[Line] = []
    for stack, template in templates.items():
        resources = template.get("Resources", {})
        for name, resource in resources.items():
            kind = str(resource["Type"])
            if kind in _PRICED:
                found += [Line(stack, *line) for line in _PRICED[kind](name, resource, resources)]
            elif kind not in FREE and not kind.startswith("Custom::"):
                raise TidemarkError(f"{stack}: nobody knows what {name}, a {kind}, costs; say so in tidemark/costs")
        if metrics := OWN_METRICS.get(stack):
            usd = metrics * prices.METRIC.usd
            found.append(Line(stack, "metrics of our own", usd, f"{metrics} x ${prices.METRIC.usd} a month"))
    return found


def joined(found: list[Line]) -> list[Line]:
    """Those of a stack that are for the same thing in one line; by stack as they came, the dearest first."""
    alike: dict[tuple[str, str], list[Line]] = {}
    for line in found:
        alike.setdefault((line.stack, line.what), []).append(line)
    order = {stack: place for place, stack in enumerate(dict.fromkeys(line.stack for line in found))}
    lines = [
        Line(stack, what, sum(line.usd for line in several), _together([line.arithmetic for line in several]))
        for (stack, what), several in alike.items()
    ]
    return sorted(lines, key=lambda line: (order[line.stack], -line.usd))


def _together(arithmetic: list[str]) -> str:
    times = Counter(arithmetic)
    return " + ".join(words if count == 1 else f"{count} x ({words})" for words, count in times.items())


_Row = tuple[str, float, str]


def _service(name: str, resource: Resource, resources: Mapping[str, Resource]) -> Iterable[_Row]:
    given = resource["Properties"]
    task = resources[given["TaskDefinition"]["Ref"]]["Properties"]
    count = int(given.get("DesiredCount", 1))
    cpu, memory = int(task["Cpu"]) / 1024, int(task["Memory"]) / 1024
    spot = given["CapacityProviderStrategy"][0]["CapacityProvider"] == "FARGATE_SPOT"
    share = prices.FARGATE_SPOT_SHARE if spot else 1.0
    what = name.split("Service")[0]
    yield (
        f"{what}: containers",
        count * HOURS * share * (cpu * prices.FARGATE_CPU.usd + memory * prices.FARGATE_GB.usd),
        f"{count} x {HOURS} h x ({cpu:g} vCPU x ${prices.FARGATE_CPU.usd} + {memory:g} GB x ${prices.FARGATE_GB.usd})"
        + (f" x {share:g} (Spot)" if spot else ""),
    )
    if given["NetworkConfiguration"]["AwsvpcConfiguration"].get("AssignPublicIp") == "ENABLED":
        usd = prices.PUBLIC_IPV4.usd
        yield f"{what}: public addresses", count * HOURS * usd, f"{count} x {HOURS} h x ${usd}"
    size = IMAGES_GB[what]
    yield f"{what}: image", size * prices.REGISTRY_GB.usd, f"{size} GB x ${prices.REGISTRY_GB.usd}"


def _balancer(name: str, resource: Resource, _: Mapping[str, Resource]) -> Iterable[_Row]:
    units = LOAD_BALANCED * prices.BALANCER_UNIT.usd
    yield (
        "load balancer",
        HOURS * (prices.BALANCER.usd + units),
        f"{HOURS} h x (${prices.BALANCER.usd} + {LOAD_BALANCED} LCU x ${prices.BALANCER_UNIT.usd})",
    )


def _cache(name: str, resource: Resource, _: Mapping[str, Resource]) -> Iterable[_Row]:
    given = resource["Properties"]
    nodes, price = int(given["NumCacheClusters"]), prices.CACHE_NODE[given["CacheNodeType"]]
    yield (
        f"live stream: Valkey, {given['CacheNodeType']}",
        nodes * HOURS * price.usd,
        f"{nodes} x {HOURS} h x ${price.usd}",
    )


def _database(name: str, resource: Resource, _: Mapping[str, Resource]) -> Iterable[_Row]:
    given = resource["Properties"]
    zones = 2 if given.get("MultiAZ") else 1
    price, disk = prices.DATABASE[given["DBInstanceClass"]], int(given["AllocatedStorage"])
    yield (
        f"PostgreSQL, {given['DBInstanceClass']}",
        zones * HOURS * price.usd,
        f"{zones} x {HOURS} h x ${price.usd}",
    )
    if given.get("ManageMasterUserPassword"):
        yield "PostgreSQL: the secret that RDS makes", prices.SECRET.usd, f"${prices.SECRET.usd}"
    yield "PostgreSQL: disk", zones * disk * prices.DISK_GB.usd, f"{zones} x {disk} GB x ${prices.DISK_GB.usd}"


def _firewall(name: str, resource: Resource, _: Mapping[str, Resource]) -> Iterable[_Row]:
    rules = len(resource["Properties"]["Rules"])
    yield (
        "firewall",
        prices.WAF_LIST.usd + rules * prices.WAF_RULE.usd,
        f"${prices.WAF_LIST.usd:g} + {rules} rules x ${prices.WAF_RULE.usd:g}",
    )


def _alarm(name: str, resource: Resource, _: Mapping[str, Resource]) -> Iterable[_Row]:
    metrics = sum("MetricStat" in part for part in resource["Properties"].get("Metrics", [])) or 1
    yield "alarms", metrics * prices.ALARM_METRIC.usd, f"{metrics} x ${prices.ALARM_METRIC.usd:.2f}"


def _flat(what: str, price: prices.Price, count: float = 1) -> Callable[..., Iterable[_Row]]:
    def row(name: str, resource: Resource, resources: Mapping[str, Resource]) -> Iterable[_Row]:
        yield what, count * price.usd, f"{count:g} x ${price.usd:g}" if count != 1 else f"${price.usd:g}"

    return row


_PRICED: dict[str, Callable[[str, Resource, Mapping[str, Resource]], Iterable[_Row]]] = {
    "AWS::ECS::Service": _service,
    "AWS::ElasticLoadBalancingV2::LoadBalancer": _balancer,
    "AWS::ElastiCache::ReplicationGroup": _cache,
    "AWS::RDS::DBInstance": _database,
    "AWS::WAFv2::WebACL": _firewall,
    "AWS::CloudWatch::Alarm": _alarm,
    "AWS::CloudWatch::Dashboard": _flat("dashboards", prices.DASHBOARD),
    "AWS::SecretsManager::Secret": _flat("secrets", prices.SECRET),
    "AWS::KMS::Key": _flat("key of the alarms", prices.KEY),
    "AWS::ServiceDiscovery::PrivateDnsNamespace": _flat("names within the network", prices.HOSTED_ZONE),
    "AWS::DynamoDB::GlobalTable": _flat("tables: what they hold", prices.DYNAMODB_GB, ROWS_KEPT_GB),
}

# What costs nothing by itself; what passes through some of them is in `per_sale.py`.
FREE = frozenset(
    {
        "AWS::ApiGateway::Account",
        "AWS::ApiGateway::Authorizer",
        "AWS::ApiGateway::Deployment",
        "AWS::ApiGateway::GatewayResponse",
        "AWS::ApiGateway::Method",
        "AWS::ApiGateway::RequestValidator",
        "AWS::ApiGateway::Resource",
        "AWS::ApiGateway::RestApi",
        "AWS::ApiGateway::Stage",
        "AWS::Athena::WorkGroup",
        "AWS::Budgets::Budget",
        "AWS::CDK::Metadata",
        "AWS::CloudFront::Distribution",
        "AWS::CloudFront::Function",
        "AWS::CloudFront::OriginRequestPolicy",
        "AWS::CloudFront::ResponseHeadersPolicy",
        "AWS::CloudFront::VpcOrigin",
        "AWS::Cognito::UserPool",
        "AWS::Cognito::UserPoolClient",
        "AWS::Cognito::UserPoolDomain",
        "AWS::EC2::FlowLog",
        "AWS::EC2::InternetGateway",
        "AWS::EC2::Route",
        "AWS::EC2::RouteTable",
        "AWS::EC2::SecurityGroup",
        "AWS::EC2::SecurityGroupEgress",
        "AWS::EC2::SecurityGroupIngress",
        "AWS::EC2::Subnet",
        "AWS::EC2::SubnetRouteTableAssociation",
        "AWS::EC2::VPC",
        "AWS::EC2::VPCEndpoint",
        "AWS::EC2::VPCGatewayAttachment",
        "AWS::ECS::Cluster",
        "AWS::ECS::ClusterCapacityProviderAssociations",
        "AWS::ECS::TaskDefinition",
        "AWS::ElastiCache::SubnetGroup",
        "AWS::ElasticLoadBalancingV2::Listener",
        "AWS::ElasticLoadBalancingV2::ListenerRule",
        "AWS::ElasticLoadBalancingV2::TargetGroup",
        "AWS::Events::Rule",
        "AWS::IAM::Policy",
        "AWS::IAM::Role",
        "AWS::Lambda::EventSourceMapping",
        "AWS::Lambda::Function",
        "AWS::Lambda::Permission",
        "AWS::Logs::LogGroup",
        "AWS::RDS::DBParameterGroup",
        "AWS::RDS::DBSubnetGroup",
        "AWS::S3::Bucket",
        "AWS::S3::BucketPolicy",
        "AWS::SNS::Subscription",
        "AWS::SNS::Topic",
        "AWS::SNS::TopicPolicy",
        "AWS::SQS::Queue",
        "AWS::SQS::QueuePolicy",
        "AWS::SecretsManager::SecretTargetAttachment",
        "AWS::ServiceDiscovery::Service",
        "AWS::WAFv2::WebACLAssociation",
    }
)
