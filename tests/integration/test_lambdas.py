"""Every Lambda as AWS runs it: from its zip, by awslambdaric, in a Python that has nothing but the two."""

from __future__ import annotations

import importlib.metadata
import json
import secrets
import shutil
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.runtime_api import Function
from infra import bundles
from tests.cloud import Cloud
from tests.contract.tables import clone_table
from tests.samples import sale
from tidemark.adapters.cell_items import cell_item
from tidemark.cells import Cell, CellKey
from tidemark.local import stores
from tidemark.local.services import aws_environment
from tidemark.settings import variable

CLIENT = ("awslambdaric", "simplejson", "snapshot-restore-py")
TABLES = {
    "ledger_table": "LedgerTable",
    "cells_table": "CellsTable",
    "history_table": "HistoryTable",
    "quarantine_table": "QuarantineTable",
}
Invoke = Callable[[str, dict[str, Any]], dict[str, Any]]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the runtime client, and nothing else of this environment."""
    folder = tmp_path_factory.mktemp("client")
    for package in CLIENT:
        for file in importlib.metadata.files(package) or []:
            if ".." not in file.parts:
                (folder / file).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file.locate(), folder / file)
    return folder


@pytest.fixture(scope="module")
def environment(cloud: Cloud) -> dict[str, str]:
    """What the Lambdas are told: tables and a bucket of this test's own, beside the stack's."""
    stack = stores.running(cloud.home)
    dynamodb, s3 = stores.client(cloud.home, "dynamodb"), stores.client(cloud.home, "s3")
    own = {variable(name): clone_table(dynamodb, stack[output], f"lambdas-{name}") for name, output in TABLES.items()}
    s3.create_bucket(Bucket="lambdas-lake", CreateBucketConfiguration={"LocationConstraint": s3.meta.region_name})
    return {
        **aws_environment(cloud.home, cloud.home.port("ministack")),
        **bundles.ENVIRONMENT,
        **own,
        variable("feedback_table"): stack["FeedbackTable"],
        variable("runs_table"): stack["RunsTable"],
        variable("token_secret"): stack["TokenSecret"],
        variable("person_key"): secrets.token_hex(32),
        variable("lake_bucket"): "lambdas-lake",
        variable("person_days"): "10000",
        variable("archive_failed_queue"): stack["ArchiveFailedQueue"],
        variable("publish_failed_queue"): stack["PublishFailedQueue"],
        variable("archive_function"): stack["ArchiveFunction"],
        variable("publish_function"): stack["PublishFunction"],
    }


@pytest.fixture
def invoke(client: Path, environment: dict[str, str], tmp_path: Path) -> Invoke:
    built = bundles.build("local")

    def run(name: str, event: dict[str, Any]) -> dict[str, Any]:
        packed, there = tmp_path / f"{name}.zip", tmp_path / name
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in (built / name).rglob("*"):
                archive.write(path, path.relative_to(built / name))
        with zipfile.ZipFile(packed) as archive:
            archive.extractall(there)
        code = (
            f"import sys; sys.path[:0] = [{str(there)!r}, {str(client)!r}]; sys.argv[0] = 'bootstrap'; "
            "from awslambdaric.__main__ import main; main(sys.argv)"
        )
        start = (sys.executable, "-S", "-E", "-c", code)
        with Function(there, f"functions.{name}.handler.handler", environment, start) as function:
            return function.invoke(event)

    return run


def request(method: str, path: str, body: object = None) -> dict[str, Any]:
    return {
        "resource": path,
        "path": path,
        "httpMethod": method,
        "headers": {},
        "multiValueHeaders": {},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "requestContext": {"authorizer": {"scope": "admin"}, "path": path, "stage": "live"},
        "body": None if body is None else json.dumps(body),
        "isBase64Encoded": False,
    }


def test_ingest(invoke: Invoke) -> None:
    answer = invoke("ingest", request("POST", "/v1/sales", {"sales": [sale(invoice_id="from-the-zip")]}))
    assert answer["statusCode"] == 200
    assert [result["status"] for result in json.loads(answer["body"])["results"]] == ["accepted"]


def test_api(invoke: Invoke) -> None:
    answer = invoke("api", request("GET", "/v1/kpis"))
    assert answer["statusCode"] == 200
    assert "sales" in json.loads(answer["body"])


def test_predict(invoke: Invoke) -> None:
    answer = invoke("predict", request("POST", "/v1/housing/predict", {"longitude": "west"}))
    assert answer["statusCode"] == 400


def test_authorize(invoke: Invoke, cloud: Cloud) -> None:
    event = request("GET", "/v1/kpis") | {"methodArn": "arn:aws:execute-api:r:1:api/live/GET/v1/kpis"}
    event["headers"] = {"Authorization": f"Bearer {cloud.tokens['read']}"}
    policy = invoke("authorize", event)
    assert policy["context"]["scope"] == "read"
    assert "branches" not in policy["context"]
    with pytest.raises(RuntimeError, match="Unauthorized"):
        invoke("authorize", {**event, "headers": {}})
    public = invoke("authorize", {**event, "headers": {}, "resource": "/healthz"})
    assert public["principalId"] == "anybody"
    (statement,) = public["policyDocument"]["Statement"]
    assert not [resource for resource in statement["Resource"] if "/v1/" in resource]


def test_archive(invoke: Invoke, cloud: Cloud) -> None:
    image = {"sold_at": {"S": "0020000000#one"}, "doc": {"S": '{"invoice_id":"one"}'}}
    invoke("archive", {"Records": [{"eventName": "INSERT", "dynamodb": {"NewImage": image}}]})
    kept = stores.client(cloud.home, "s3").list_objects_v2(Bucket="lambdas-lake", Prefix="sales/")
    assert kept["KeyCount"] == 1


def test_publish(invoke: Invoke) -> None:
    item = cell_item(Cell(CellKey(1, "A", "w"), 1, 1, {}))
    item["state"] = {"B": "kgGQ"}  # as a stream has it: base64
    record = {"eventID": "1", "eventName": "INSERT", "dynamodb": {"NewImage": item, "SequenceNumber": "1"}}
    assert invoke("publish", {"Records": [record]}) == {"batchItemFailures": []}


def test_compact(invoke: Invoke) -> None:
    assert invoke("compact", {"source": "aws.events"})["moved"] == 0


def test_retain(invoke: Invoke) -> None:
    found = invoke("retain", {"source": "aws.events"})
    assert (found["due"], found["erased"]) == (True, {"sales": 0, "conflicts": 0, "days": 0})
