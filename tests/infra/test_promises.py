"""What the templates of all stacks promise: who may do what, what is encrypted, what is public, and what is told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.templates import Templates, listed
from tidemark.costs import at_rest
from tidemark.deployment import options
from tidemark.deployment import stacks as deployment

# Actions that AWS knows no resource for (Service Authorization Reference), or that are tried on any.
OF_ANYTHING = {
    "ecr:GetAuthorizationToken",
    "dynamodb:ListStreams",
    "ssmmessages:CreateControlChannel",
    "ssmmessages:CreateDataChannel",
    "ssmmessages:OpenControlChannel",
    "ssmmessages:OpenDataChannel",
    "ec2:CreateNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:DeleteNetworkInterface",
    "ec2:AssignPrivateIpAddresses",
    "ec2:UnassignPrivateIpAddresses",
}
EVERYWHERE = {"0.0.0.0/0", "::/0"}


def statements(stacks: Templates) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every statement that allows a role something."""
    for name, policy in stacks.properties("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy").items():
        for statement in policy["PolicyDocument"]["Statement"]:
            yield name, statement
    for name, role in stacks.properties("AWS::IAM::Role").items():
        for policy in role.get("Policies", []):
            for statement in policy["PolicyDocument"]["Statement"]:
                yield name, statement


def test_the_stacks_are_those_that_are_deployed_and_destroyed(stacks: Templates) -> None:
    assert set(stacks) == set(deployment.NAMES)


def test_no_role_may_do_everything_or_anything_to_everything(stacks: Templates) -> None:
    seen = 0
    for name, statement in statements(stacks):
        actions = listed(statement["Action"])
        seen += len(actions)
        assert not [action for action in actions if "*" in action], (name, statement)
        if "*" in listed(statement["Resource"]):
            assert set(actions) <= OF_ANYTHING, (name, statement)
    assert seen > 50


def test_no_role_has_a_policy_of_amazons(stacks: Templates) -> None:
    for name, role in stacks.properties("AWS::IAM::Role").items():
        assert not role.get("ManagedPolicyArns"), name


def test_what_is_kept_is_encrypted(stacks: Templates) -> None:
    tables = stacks.properties("AWS::DynamoDB::GlobalTable")
    assert len(tables) >= 5
    assert all(table["SSESpecification"]["SSEEnabled"] for table in tables.values())
    buckets = stacks.properties("AWS::S3::Bucket")
    assert len(buckets) == 2
    assert all(bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"] for bucket in buckets.values())
    assert all(queue["SqsManagedSseEnabled"] for queue in stacks.properties("AWS::SQS::Queue").values())
    assert all(topic["KmsMasterKeyId"] for topic in stacks.properties("AWS::SNS::Topic").values())
    (database,) = stacks.properties("AWS::RDS::DBInstance").values()
    assert database["StorageEncrypted"] is True
    assert database["ManageMasterUserPassword"] is True, "RDS changes the password every seven days"
    (valkey,) = stacks.properties("AWS::ElastiCache::ReplicationGroup").values()
    assert valkey["AtRestEncryptionEnabled"] is True
    (group,) = stacks.properties("AWS::Athena::WorkGroup").values()
    assert group["WorkGroupConfiguration"]["ResultConfiguration"]["EncryptionConfiguration"]["EncryptionOption"]


def test_what_is_on_its_way_is_encrypted(stacks: Templates) -> None:
    for kind in ("AWS::S3::BucketPolicy", "AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy"):
        for name, policy in stacks.properties(kind).items():
            denied = [
                statement
                for statement in policy["PolicyDocument"]["Statement"]
                if statement["Effect"] == "Deny"
                and statement.get("Condition", {}).get("Bool", {}).get("aws:SecureTransport") == "false"
            ]
            assert denied, name
    (valkey,) = stacks.properties("AWS::ElastiCache::ReplicationGroup").values()
    assert valkey["TransitEncryptionEnabled"] is True
    assert valkey["AuthToken"]
    (parameters,) = stacks.properties("AWS::RDS::DBParameterGroup").values()
    assert parameters["Parameters"]["rds.force_ssl"] == "1"
    (distribution,) = stacks.properties("AWS::CloudFront::Distribution").values()
    config = distribution["DistributionConfig"]
    for behavior in (config["DefaultCacheBehavior"], *config["CacheBehaviors"]):
        assert behavior["ViewerProtocolPolicy"] == "redirect-to-https"
    (headers,) = stacks.properties("AWS::CloudFront::ResponseHeadersPolicy").values()
    security = headers["ResponseHeadersPolicyConfig"]["SecurityHeadersConfig"]
    assert security["StrictTransportSecurity"]["AccessControlMaxAgeSec"] >= 31_536_000
    for name, task in stacks.properties("AWS::ECS::TaskDefinition").items():
        text = json.dumps(task)
        assert "redis://" not in text, name
        assert "sslmode=disable" not in text, name


def test_with_a_domain_of_ones_own_old_tls_is_not_spoken(prod: Templates) -> None:
    (distribution,) = prod.properties("AWS::CloudFront::Distribution").values()
    assert distribution["DistributionConfig"]["ViewerCertificate"]["MinimumProtocolVersion"] == "TLSv1.2_2021"
    assert distribution["DistributionConfig"]["Aliases"] == ["sales.example.com"]


def test_nothing_is_public_but_cloudfront_and_the_api(stacks: Templates) -> None:
    for name, balancer in stacks.properties("AWS::ElasticLoadBalancingV2::LoadBalancer").items():
        assert balancer["Scheme"] == "internal", name
    for name, database in stacks.properties("AWS::RDS::DBInstance").items():
        assert database["PubliclyAccessible"] is False, name
    for name, bucket in stacks.properties("AWS::S3::Bucket").items():
        assert all(bucket["PublicAccessBlockConfiguration"].values()), name
        assert len(bucket["PublicAccessBlockConfiguration"]) == 4, name
    groups = stacks.properties("AWS::EC2::SecurityGroup")
    ingress = {name: group.get("SecurityGroupIngress", []) for name, group in groups.items()}
    ingress |= {name: [rule] for name, rule in stacks.properties("AWS::EC2::SecurityGroupIngress").items()}
    assert len(groups) >= 9
    for name, rules in ingress.items():
        for rule in rules:
            assert not {rule.get("CidrIp"), rule.get("CidrIpv6")} & EVERYWHERE, name
            if "CidrIp" in rule:
                assert "FrontDoorGroup" in name, "addresses are let in at the load balancer alone, and those of the VPC"
    for kind in ("AWS::Lambda::Url", "AWS::ApiGatewayV2::Api", "AWS::EC2::EIP", "AWS::EC2::NatGateway"):
        assert not stacks.resources(kind)
    (pool,) = stacks.properties("AWS::Cognito::UserPool").values()
    assert pool["AdminCreateUserConfig"]["AllowAdminCreateUserOnly"] is True
    assert pool["MfaConfiguration"] == "ON"


def test_every_method_of_the_api_is_authorized(stacks: Templates) -> None:
    methods = stacks.properties("AWS::ApiGateway::Method")
    assert len(methods) >= 12
    for name, method in methods.items():
        assert (method["AuthorizationType"], bool(method["AuthorizerId"])) == ("CUSTOM", True), name


def test_a_firewall_stands_before_the_api_and_the_pages(stacks: Templates) -> None:
    protected = json.dumps(list(stacks.properties("AWS::WAFv2::WebACLAssociation").values()))
    assert "/stages/" in protected
    assert "FrontDoorBalancer" in protected
    (acl,) = stacks.properties("AWS::WAFv2::WebACL").values()
    assert {"AWSManagedRulesCommonRuleSet", "one-address-api", "one-address-pages"} <= {r["Name"] for r in acl["Rules"]}


def test_every_log_ends(stacks: Templates) -> None:
    groups = stacks.resources("AWS::Logs::LogGroup")
    assert len(groups) >= 12
    for name, group in groups.items():
        assert group["Properties"]["RetentionInDays"] in (30, 365), name
    for name, function in stacks.properties("AWS::Lambda::Function").items():
        assert function["LoggingConfig"]["LogGroup"], name
    for name, task in stacks.properties("AWS::ECS::TaskDefinition").items():
        for container in task["ContainerDefinitions"]:
            assert container["LogConfiguration"]["Options"]["awslogs-group"], name


def test_every_container_tells_whether_it_is_well_and_a_bad_deployment_is_taken_back(stacks: Templates) -> None:
    for name, task in stacks.properties("AWS::ECS::TaskDefinition").items():
        for container in task["ContainerDefinitions"]:
            assert container["HealthCheck"]["Command"][0] == "CMD", name
            assert not [one for one in container.get("Environment", []) if "PASSWORD" in one["Name"]], name
            assert not [one for one in container.get("Environment", []) if "SECRET" in one["Name"] and not _arn(one)]
    for name, service in stacks.properties("AWS::ECS::Service").items():
        breaker = service["DeploymentConfiguration"]["DeploymentCircuitBreaker"]
        assert breaker == {"Enable": True, "Rollback": True}, name


def _arn(variable: dict[str, Any]) -> bool:
    return "TokenSecret" in json.dumps(variable["Value"])


def test_whatever_may_go_wrong_has_an_alarm_and_every_alarm_tells_somebody(stacks: Templates) -> None:
    alarms = stacks.properties("AWS::CloudWatch::Alarm")
    told = json.dumps(list(alarms.values()))
    for name in stacks.resources("AWS::SQS::Queue"):
        assert name.split("/")[1] in told, f"no alarm on {name}"
    for name, function in stacks.properties("AWS::Lambda::Function").items():
        if "functions." in str(function.get("Handler")):
            identifier = name.split("/")[1]
            of = [alarm for alarm in alarms.values() if identifier in json.dumps(alarm)]
            assert any("Errors" in json.dumps(alarm) for alarm in of), f"no alarm on the errors of {name}"
    for name, mapping in stacks.properties("AWS::Lambda::EventSourceMapping").items():
        identifier = json.dumps(mapping["FunctionName"])
        reading = next(n for n in stacks["TidemarkCore"]["Resources"] if f'"{n}"' in identifier)
        assert any("IteratorAge" in json.dumps(alarm) and reading in json.dumps(alarm) for alarm in alarms.values()), (
            f"no alarm on how far behind {name} is"
        )
    for metric in ('"5XXError"', '"Latency"', '"p99"', '"HTTPCode_Target_5XX_Count"', '"FreeStorageSpace"'):
        assert metric in told
    for name, alarm in alarms.items():
        assert alarm["AlarmActions"], name
        assert alarm["OKActions"], name
        assert alarm["AlarmDescription"].rpartition(" ")[2].startswith("docs/runbooks/"), name


def test_a_budget_tells_somebody_too(stacks: Templates) -> None:
    (budget,) = stacks.properties("AWS::Budgets::Budget").values()
    assert budget["Budget"]["BudgetLimit"]["Amount"] > 0
    kinds = {n["Notification"]["NotificationType"] for n in budget["NotificationsWithSubscribers"]}
    assert kinds == {"ACTUAL", "FORECASTED"}


KEPT = ("AWS::DynamoDB::GlobalTable", "AWS::Cognito::UserPool", "AWS::KMS::Key")


def test_dev_leaves_nothing_behind(dev: Templates) -> None:
    for name, resource in dev.resources(
        *KEPT, "AWS::S3::Bucket", "AWS::RDS::DBInstance", "AWS::Logs::LogGroup"
    ).items():
        assert resource.get("DeletionPolicy") == "Delete", name


def test_prod_keeps_what_cannot_be_made_again(prod: Templates) -> None:
    for name, resource in prod.resources(*KEPT).items():
        assert resource["DeletionPolicy"] == "Retain", name
    for name, table in prod.properties("AWS::DynamoDB::GlobalTable").items():
        assert all(replica["DeletionProtectionEnabled"] for replica in table["Replicas"]), name
    for name, resource in prod.resources("AWS::S3::Bucket").items():
        assert resource["DeletionPolicy"] == ("Delete" if "AccessLogs" in name else "Retain"), name
    (database,) = prod.resources("AWS::RDS::DBInstance").values()
    assert database["DeletionPolicy"] == "Snapshot"
    assert database["Properties"]["DeletionProtection"] is True
    assert database["Properties"]["MultiAZ"] is True


def test_everything_carries_the_projects_tag(stacks: Templates) -> None:
    for name, table in stacks.properties("AWS::DynamoDB::GlobalTable").items():
        assert {"Key": "project", "Value": "tidemark"} in table["Replicas"][0]["Tags"], name
    for name, bucket in stacks.properties("AWS::S3::Bucket", "AWS::ECS::Service", "AWS::Lambda::Function").items():
        assert {"Key": "project", "Value": "tidemark"} in bucket["Tags"], name


def test_a_deployment_keeps_what_it_was_told(dev: Templates, prod: Templates) -> None:
    small, large = (options.kept(_outputs(stacks["TidemarkCore"])) for stacks in (dev, prod))
    assert small == {"profile": "dev", **{name: small[name] for name in options.STORE}}
    assert {name: large[name] for name in ("profile", "domain", "alert_email")} == {
        "profile": "prod",
        "domain": "sales.example.com",
        "alert_email": "someone@example.com",
    }
    assert set(large) - set(small) == {"domain", "certificate_arn", "prefect_api_url", "alert_email"}
    longest = {**large, "domain": "d" * 253, "alert_email": "a" * 254}
    assert len(json.dumps(longest)) <= 1_024, "CloudFormation's longest value of an output"


def _outputs(template: dict[str, Any]) -> dict[str, str]:
    return {name: output["Value"] for name, output in template["Outputs"].items() if isinstance(output["Value"], str)}


def test_the_key_of_anothers_prefect_is_shown_to_nobody(dev: Templates, prod: Templates) -> None:
    parameter = prod["TidemarkPipelines"]["Parameters"]["PrefectKey"]
    assert parameter["NoEcho"] is True
    assert "Default" not in parameter
    secrets = prod.properties("AWS::SecretsManager::Secret").values()
    assert [secret["SecretString"] for secret in secrets if "PrefectKey" in str(secret)] == [{"Ref": "PrefectKey"}]
    assert "PrefectKey" not in dev["TidemarkPipelines"]["Parameters"]


@pytest.mark.parametrize(("profile", "most"), [("dev", 125), ("prod", 1_000)])
def test_a_month_at_rest_is_within_what_was_promised(request: pytest.FixtureRequest, profile: str, most: float) -> None:
    found = at_rest.lines(request.getfixturevalue(profile))
    assert sum(line.usd for line in found) <= most
    if profile == "dev":
        live = sum(line.usd for line in found if line.stack in ("TidemarkCore", "TidemarkLive"))
        assert live <= 60
    assert all(line.usd > 0 and line.arithmetic for line in found)
