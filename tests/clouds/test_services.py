"""Services by themselves, as Tidemark's own adapters and templates use them."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.clouds.backends import CONDITIONAL_DELETE, client
from tests.templates import Templates
from tidemark.adapters import aws
from tidemark.adapters.s3_lake import S3Lake
from tidemark.adapters.s3_objects import S3Objects
from tidemark.errors import NotFound

DAY = 20_000 * 1_440  # minutes since 1970

TRIES = 3


def name(what: str) -> str:
    return f"tidemark-test-{what}-{secrets.token_hex(4)}"


@pytest.fixture
def bucket() -> Iterator[str]:
    s3, made = client("s3"), name("bucket")
    s3.create_bucket(Bucket=made, CreateBucketConfiguration={"LocationConstraint": s3.meta.region_name})
    yield made
    for found in s3.list_objects_v2(Bucket=made).get("Contents", []):
        s3.delete_object(Bucket=made, Key=found["Key"])
    s3.delete_bucket(Bucket=made)


@pytest.mark.service("s3")
def test_objects_are_whole_found_in_order_and_gone_once_moved(bucket: str) -> None:
    objects = S3Objects(client("s3"), bucket)
    for key in ("a/2", "a/10", "b/1", "a/é &?.json"):
        objects.put(key, key.encode())
    assert [found.key for found in objects.find("a/")] == ["a/10", "a/2", "a/é &?.json"]
    assert objects.get("a/é &?.json") == "a/é &?.json".encode()
    with pytest.raises(NotFound):
        objects.get("a/3")


@pytest.mark.service("s3", CONDITIONAL_DELETE)
def test_an_object_is_moved_unless_it_is_another_version_by_then(bucket: str) -> None:
    objects = S3Objects(client("s3"), bucket)
    objects.put("b/1", b"one")
    held = objects.fetch("b/1")
    objects.put("b/1", b"another")
    objects.move("b/1", "c/1", version=held.version)
    assert objects.get("b/1") == b"another", "it was another version by then: nothing is moved"
    objects.move("b/1", "c/1", version=objects.fetch("b/1").version)
    assert [found.key for found in objects.find("")] == ["c/1"]


@pytest.mark.service("s3")
def test_the_lake_holds_a_batch_once(bucket: str, tmp_path: Path) -> None:
    lake = S3Lake(client("s3"), bucket)
    documents = [json.dumps({"invoice_id": str(number)}) for number in range(50)]
    assert lake.put(DAY, documents) == lake.put(DAY, documents)
    assert len(lake.keys()) == 1
    lake.mirror(tmp_path)
    assert len(list(tmp_path.rglob("*.*"))) == 1


@pytest.mark.service("secretsmanager")
def test_a_secret_is_read_by_its_name_and_by_its_arn() -> None:
    manager = client("secretsmanager")
    made = manager.create_secret(Name=name("secret"), SecretString="first")
    try:
        assert aws.secret(made["Name"]) == aws.secret(made["ARN"]) == "first"
        manager.put_secret_value(SecretId=made["ARN"], SecretString="second")
        assert aws.secret(made["ARN"]) == "second", "as `tidemark deploy` gives the explorer another token"
    finally:
        manager.delete_secret(SecretId=made["ARN"], ForceDeleteWithoutRecovery=True)


@pytest.mark.service("sqs")
def test_what_failed_waits_in_a_queue_of_the_templates(dev: Templates) -> None:
    sqs = client("sqs")
    for properties in dev.properties("AWS::SQS::Queue").values():
        attributes = {key: str(value).lower() for key, value in properties.items() if key != "Tags"}
        queue = sqs.create_queue(QueueName=name("queue"), Attributes=attributes)["QueueUrl"]
        try:
            held = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
            assert held["MessageRetentionPeriod"] == str(14 * 86_400)
            assert held["SqsManagedSseEnabled"] == "true"
            sqs.send_message(QueueUrl=queue, MessageBody="a batch that failed")
            (message,) = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=5)["Messages"]
            assert message["Body"] == "a batch that failed"
        finally:
            sqs.delete_queue(QueueUrl=queue)


def plain(value: Any) -> Any:
    """A part of a template with words in place of what CloudFormation fills in."""
    if isinstance(value, dict):
        if "Fn::Join" in value:
            return value["Fn::Join"][0].join(str(plain(part)) for part in value["Fn::Join"][1])
        if len(value) == 1 and next(iter(value)) in ("Ref", "Fn::GetAtt", "Fn::ImportValue"):
            named = next(iter(value.values()))
            return "eu-west-1" if named == "AWS::Region" else str(named[0] if isinstance(named, list) else named)
        return {key: plain(part) for key, part in value.items()}
    return [plain(part) for part in value] if isinstance(value, list) else value


@pytest.mark.service("cloudwatch")
def test_every_dashboard_is_taken_as_it_is(dev: Templates) -> None:
    cloudwatch = client("cloudwatch")
    for key, properties in dev.properties("AWS::CloudWatch::Dashboard").items():
        body, made = plain(properties["DashboardBody"]), name("dashboard")
        assert json.loads(body)["widgets"], key
        answer = cloudwatch.put_dashboard(DashboardName=made, DashboardBody=body)
        assert not answer.get("DashboardValidationMessages"), key
        assert json.loads(cloudwatch.get_dashboard(DashboardName=made)["DashboardBody"]) == json.loads(body)
        cloudwatch.delete_dashboards(DashboardNames=[made])


def _tried(cloudwatch: Any, alarm: str, state: str) -> Iterator[tuple[str, float]]:
    """State and threshold, each time after the state was set: the cloud looks at the metric too, and sets it back."""
    for _ in range(TRIES):
        cloudwatch.set_alarm_state(AlarmName=alarm, StateValue=state, StateReason="tried")
        (found,) = cloudwatch.describe_alarms(AlarmNames=[alarm])["MetricAlarms"]
        yield found["StateValue"], found["Threshold"]


@pytest.mark.service("cloudwatch")
def test_every_alarm_on_one_metric_goes_off_and_is_over(dev: Templates) -> None:
    cloudwatch = client("cloudwatch")
    tried = 0
    for key, properties in dev.properties("AWS::CloudWatch::Alarm").items():
        if "Metrics" in properties:
            continue  # a share of two metrics
        made = name("alarm")
        given = {part: plain(value) for part, value in properties.items()}
        for told in ("AlarmActions", "OKActions"):
            given[told] = []
        given.pop("Tags", None)
        cloudwatch.put_metric_alarm(AlarmName=made, **given)
        try:
            for state in ("ALARM", "OK"):
                assert (state, properties["Threshold"]) in list(_tried(cloudwatch, made, state)), key
            tried += 1
        finally:
            cloudwatch.delete_alarms(AlarmNames=[made])
    assert tried >= 15


@pytest.mark.service("cloudwatch")
def test_a_metric_of_ours_is_kept_with_its_dimensions() -> None:
    cloudwatch, namespace = client("cloudwatch"), name("metrics")
    cloudwatch.put_metric_data(
        Namespace=namespace,
        MetricData=[{"MetricName": "runs", "Dimensions": [{"Name": "flow", "Value": "x"}], "Value": 1.0}],
    )
    try:
        found = cloudwatch.list_metrics(Namespace=namespace)["Metrics"]
    except ClientError as error:
        pytest.fail(str(error))
    assert [(m["MetricName"], m["Dimensions"]) for m in found] in (
        [("runs", [{"Name": "flow", "Value": "x"}])],
        [],  # AWS lists a new metric some minutes later
    )
