"""What the Core stack's template promises."""

from __future__ import annotations

import json
import re
import secrets
import string
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Match, Template

from infra.bundles import FUNCTIONS
from infra.cdk.core_stack import CoreStack
from infra.cdk.sizes import DEV
from tidemark.access import PUBLIC_PATHS
from tidemark.keyring import Key, read
from tidemark.settings import StoreSettings

BY_THEMSELVES = ("compact", "retain")
"""The Lambdas that nobody waits for."""


@pytest.fixture(scope="module")
def template(bundles: Path) -> Template:
    stack = CoreStack(cdk.App(), "Core", bundles=bundles, redis_url="redis://x:1", store=StoreSettings(), profile=DEV)
    return Template.from_stack(stack)


def resources(template: Template, kind: str) -> list[dict[str, Any]]:
    return [found["Properties"] for found in template.find_resources(kind).values()]


def test_every_table_is_encrypted_and_can_be_taken_back_in_time(template: Template) -> None:
    tables = resources(template, "AWS::DynamoDB::GlobalTable")
    assert len(tables) == 6
    for table in tables:
        assert table["SSESpecification"]["SSEEnabled"]
        assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
        (replica,) = table["Replicas"]
        assert replica["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"]


def test_the_bucket_is_private_encrypted_and_takes_no_plain_http(template: Template) -> None:
    (bucket,) = resources(template, "AWS::S3::Bucket")
    assert all(bucket["PublicAccessBlockConfiguration"].values())
    assert bucket["BucketEncryption"]
    template.has_resource_properties(
        "AWS::S3::BucketPolicy",
        {"PolicyDocument": {"Statement": Match.array_with([Match.object_like({"Effect": "Deny"})])}},
    )


def test_the_first_key_that_signs_tokens_is_not_taken_for_several(template: Template) -> None:
    """Those of a rotation are JSON, in braces; the emulator leaves out the characters that are named, and no others."""
    (secret,) = (
        found for found in resources(template, "AWS::SecretsManager::Secret") if "tokens" in found["Description"]
    )
    assert set(string.punctuation) <= set(secret["GenerateSecretString"]["ExcludeCharacters"])
    key = secrets.token_hex(secret["GenerateSecretString"]["PasswordLength"] // 2)
    assert read(key).keys == (Key(key),)


def test_no_statement_allows_everything(template: Template) -> None:
    for policy in resources(template, "AWS::IAM::Policy"):
        for statement in policy["PolicyDocument"]["Statement"]:
            actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
            assert "*" not in actions
            assert not any(action.endswith(":*") for action in actions)
            if statement["Resource"] == "*":
                assert actions == ["dynamodb:ListStreams"], "only what AWS has no narrower resource for"


def statements(template: Template, function: str) -> list[dict[str, Any]]:
    """All that a Lambda may do."""
    return [
        statement
        for name, policy in template.find_resources("AWS::IAM::Policy").items()
        if name.startswith(f"{function}Role")
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
    ]


def allowed(template: Template, function: str) -> dict[str, set[str]]:
    """What a Lambda may do, by table or by pattern of objects (`Lake/flows/*`)."""
    found: dict[str, set[str]] = {}
    for statement in statements(template, function):
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        if all(action.startswith("logs:") for action in actions):
            continue  # its own log
        text = json.dumps(statement["Resource"])
        (kept,) = set(re.findall(r'"(?:Storage)?([A-Z][a-zA-Z]+?)[0-9A-F]{8}', text))
        pattern = re.search(r'"(/(?!index/)[^"]+)"', text)
        found.setdefault(kept + (pattern[1] if pattern else ""), set()).update(actions)
    return found


def test_the_api_writes_nothing_but_feedback_and_verdicts_and_takes_dead_letters(template: Template) -> None:
    reading = {"dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan"}
    taking = {f"sqs:{what}" for what in ("ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility")}
    taking.add("sqs:GetQueueAttributes")
    assert allowed(template, "Api") == {
        "Ledger": reading,
        "Cells": reading,
        "History": {"dynamodb:GetItem", "dynamodb:Query"},
        "Quarantine": {"dynamodb:Query"},
        "Feedback": {"dynamodb:PutItem", "dynamodb:Query"},
        "Runs": {"dynamodb:GetItem", "dynamodb:Query", "dynamodb:PutItem"},
        "Lake": {"s3:ListBucket"},
        "Lake/flows/*": {"s3:GetObject"},
        "Lake/models/*/*/CARD.md": {"s3:GetObject"},
        **{f"{name}StreamFailed": taking for name in ("Archive", "Publish")},
        **{f"{name}Function": {"lambda:InvokeFunction"} for name in ("Archive", "Publish")},
    }


def test_the_api_puts_nothing_into_the_index_but_verdicts(template: Template) -> None:
    conditions = [
        statement.get("Condition")
        for statement in statements(template, "Api")
        if "PutItem" in json.dumps(statement["Action"]) and "StorageRuns" in json.dumps(statement["Resource"])
    ]
    assert conditions == [{"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["truth"]}}]


def test_what_prices_houses_reads_the_champion_and_its_model_alone(template: Template) -> None:
    assert allowed(template, "Predict") == {"Runs": {"dynamodb:GetItem"}, "Lake/models/housing/*": {"s3:GetObject"}}


def test_what_prices_houses_knows_the_index_and_the_bucket_and_nothing_else(template: Template) -> None:
    variables = {
        function["Handler"].split(".")[1]: function["Environment"]["Variables"]
        for function in resources(template, "AWS::Lambda::Function")
        if "functions." in function["Handler"]
    }
    own = {name for name in variables["predict"] if name.startswith("TIDEMARK_")}
    assert own == {"TIDEMARK_RUNS_TABLE", "TIDEMARK_LAKE_BUCKET"}
    assert own < set(variables["api"])


def test_what_moves_cells_reads_no_sale_and_runs_every_hour(template: Template) -> None:
    assert allowed(template, "Compact") == {
        "Cells": {"dynamodb:Scan", "dynamodb:BatchGetItem", "dynamodb:UpdateItem", "dynamodb:BatchWriteItem"},
        "History": {
            *("dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query"),
            *("dynamodb:PutItem", "dynamodb:UpdateItem"),
        },
    }
    assert rule(template, "Compact") == ("rate(1 hour)", "ENABLED")


def rule(template: Template, function: str) -> tuple[str, str]:
    """How often a Lambda runs by itself, and whether it does."""
    (found,) = [
        each for each in resources(template, "AWS::Events::Rule")
        if f'"{function}Function' in json.dumps(each["Targets"])
    ]  # fmt: skip
    assert found["Targets"][0]["RetryPolicy"] == {"MaximumRetryAttempts": 0}
    return found["ScheduleExpression"], found["State"]


def test_what_keeps_the_policy_writes_sales_and_receipts_alone(template: Template) -> None:
    assert allowed(template, "Retain") == {
        "Ledger": {"dynamodb:GetItem", "dynamodb:UpdateItem", "dynamodb:DescribeContinuousBackups"},
        "Quarantine": {"dynamodb:Scan", "dynamodb:BatchWriteItem", "dynamodb:DescribeContinuousBackups"},
        "Runs": {"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem"},
        "Lake": {"s3:ListBucket", "s3:ListBucketVersions"},
        "Lake/sales/*": {"s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion"},
        "Lake/erasures/*": {"s3:PutObject"},
        "Lake/backups/*": {"s3:GetObject"},
    }
    conditions = [statement["Condition"] for statement in statements(template, "Retain") if "Condition" in statement]
    assert {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["at-work", "progress"]}} in conditions
    assert [sorted(found["StringLike"]["s3:prefix"]) for found in conditions if "StringLike" in found] == [
        ["backups/", "backups/*", "sales/", "sales/*"],
        ["sales/*"],
    ]


def test_the_policy_is_kept_by_itself_where_there_is_one(template: Template, bundles: Path) -> None:
    assert rule(template, "Retain") == ("rate(1 hour)", "DISABLED")
    stack = CoreStack(
        cdk.App(),
        "Core",
        bundles=bundles,
        redis_url="redis://x:1",
        store=StoreSettings(),
        profile=DEV,
        person_days=0.5,
    )
    kept = Template.from_stack(stack)
    assert rule(kept, "Retain") == ("rate(1 hour)", "ENABLED")
    (days,) = [
        found["Environment"]["Variables"]["TIDEMARK_PERSON_DAYS"] for found in resources(kept, "AWS::Lambda::Function")
        if found["Handler"] == "functions.retain.handler.handler"
    ]  # fmt: skip
    assert days == "0.5"
    assert '"TIDEMARK_PERSON_DAYS": "0.5"' in json.dumps(kept.find_outputs("Options")).replace("\\", "")


def test_the_pipelines_index_is_a_list_of_lists_by_id(template: Template) -> None:
    (runs,) = [
        found["Properties"] for name, found in template.find_resources("AWS::DynamoDB::GlobalTable").items()
        if name.startswith("StorageRuns")
    ]  # fmt: skip
    assert [(key["AttributeName"], key["KeyType"]) for key in runs["KeySchema"]] == [("list", "HASH"), ("id", "RANGE")]
    assert "StreamSpecification" not in runs


def test_what_runs_write_ends_and_models_stay(template: Template) -> None:
    (bucket,) = resources(template, "AWS::S3::Bucket")
    rules = bucket["LifecycleConfiguration"]["Rules"]
    days = {rule["Prefix"]: rule["ExpirationInDays"] for rule in rules if "ExpirationInDays" in rule}
    assert days == {"flows/": 90, "athena/": 1}


def test_houses_are_priced_by_a_lambda_of_their_own_behind_the_authorizer(template: Template) -> None:
    places = template.find_resources("AWS::ApiGateway::Resource")
    (predict,) = [key for key, found in places.items() if found["Properties"].get("PathPart") == "predict"]
    (method,) = [m for m in resources(template, "AWS::ApiGateway::Method") if m["ResourceId"] == {"Ref": predict}]
    assert (method["HttpMethod"], method["AuthorizationType"]) == ("POST", "CUSTOM")
    assert "PredictFunction" in json.dumps(method["Integration"]["Uri"])


def test_feedback_may_be_posted_and_read_behind_the_authorizer(template: Template) -> None:
    resource = next(
        key for key, found in template.find_resources("AWS::ApiGateway::Resource").items()
        if found["Properties"].get("PathPart") == "feedback"
    )  # fmt: skip
    methods = [m for m in resources(template, "AWS::ApiGateway::Method") if m["ResourceId"] == {"Ref": resource}]
    assert {m["HttpMethod"]: m["AuthorizationType"] for m in methods} == {"GET": "CUSTOM", "POST": "CUSTOM"}


def test_every_path_asks_the_authorizer_and_three_of_them_one_that_lets_everybody_in(template: Template) -> None:
    places = template.find_resources("AWS::ApiGateway::Resource")
    names = {key: found["Properties"].get("PathPart") for key, found in places.items()}
    anybodys = {
        key
        for key, found in template.find_resources("AWS::ApiGateway::Authorizer").items()
        if "stageVariables" in found["Properties"]["IdentitySource"]
    }
    methods = resources(template, "AWS::ApiGateway::Method")
    assert {method["AuthorizationType"] for method in methods} == {"CUSTOM"}
    public = {names[m["ResourceId"]["Ref"]] for m in methods if m["AuthorizerId"]["Ref"] in anybodys}
    assert public == {path.strip("/") for path in PUBLIC_PATHS}


def test_logs_end_and_what_fails_is_kept(template: Template) -> None:
    assert all(group["RetentionInDays"] for group in resources(template, "AWS::Logs::LogGroup"))
    mappings = resources(template, "AWS::Lambda::EventSourceMapping")
    assert len(mappings) == 2
    for mapping in mappings:
        assert mapping["BisectBatchOnFunctionError"]
        assert mapping["DestinationConfig"]["OnFailure"]
        assert mapping["MaximumRetryAttempts"] == 10
    (stage,) = resources(template, "AWS::ApiGateway::Stage")
    assert stage["AccessLogSetting"]
    assert stage["MethodSettings"][0]["ThrottlingRateLimit"]


def test_the_access_log_tells_of_no_customer(template: Template) -> None:
    (stage,) = resources(template, "AWS::ApiGateway::Stage")
    shape = json.loads(stage["AccessLogSetting"]["Format"])
    assert not {"ip", "user", "caller"} & {key.lower() for key in shape}
    assert "$context.identity" not in stage["AccessLogSetting"]["Format"]


def test_lambdas_run_what_the_bundles_are_built_for(template: Template) -> None:
    functions = [f for f in resources(template, "AWS::Lambda::Function") if "functions." in f["Handler"]]
    assert {f["Handler"].split(".")[1] for f in functions} == set(FUNCTIONS)
    for function in functions:
        assert (function["Runtime"], function["Architectures"]) == ("python3.13", ["arm64"])
        assert function["Timeout"] <= (900 if function["Handler"].split(".")[1] in BY_THEMSELVES else 29)


def test_the_app_s_folder_of_bundles_is_named(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="Cannot find asset"):
        CoreStack(
            cdk.App(), "Core", bundles=tmp_path / "none", redis_url="redis://x:1", store=StoreSettings(), profile=DEV
        )
