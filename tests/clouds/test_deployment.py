"""Deployed, used, destroyed: everything that the cloud can hold."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from simulator.sources import kaggle
from tests.clouds.backends import Backend, client
from tidemark.adapters.dynamodb import DynamoCells, DynamoLedger
from tidemark.adapters.dynamodb_history import DynamoHistory
from tidemark.audit import audit
from tidemark.history.counters import Counters
from tidemark.local.supervisor import wait_until
from tidemark.settings import HistorySettings, StoreSettings, TableSettings

TIDEMARK = Path(sys.executable).parent / "tidemark"
ROUNDS = 3
WHOLE_S = 3_600
CORE = "TidemarkCore"
BATCH = 50


class Deployed(NamedTuple):
    """What `tidemark deploy` said."""

    where: str
    api: str
    token: str
    outputs: dict[str, str]

    def call(self, method: str, path: str, *, token: str | None = None, **what: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token or self.token}"}
        return httpx.request(method, f"{self.api}{path}", headers=headers, timeout=40, **what)


def run(*words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    done = subprocess.run([str(TIDEMARK), *words], capture_output=True, text=True, check=False, timeout=WHOLE_S)
    assert not check or done.returncode == 0, (done.stdout + done.stderr)[-4000:]
    return done


def outputs() -> dict[str, str]:
    cloudformation = client("cloudformation")
    stack = cloudformation.describe_stacks(StackName="TidemarkCore")["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def parts(stack: str, kind: str) -> list[str]:
    """What a stack has of a kind."""
    found = client("cloudformation").describe_stack_resources(StackName=stack)["StackResources"]
    return [part["PhysicalResourceId"] for part in found if part["ResourceType"] == kind]


def deploy(backend: Backend, *words: str) -> Deployed:
    said = json.loads(run("deploy", "--yes", "--json", *words).stdout)
    held = outputs()
    endpoint = backend.environment.get("AWS_ENDPOINT_URL")
    emulated = f"{endpoint}/restapis/{held['ApiId']}/live/_user_request_"
    return Deployed(said["where"], emulated if endpoint else said["urls"]["ApiUrl"].rstrip("/"), said["token"], held)


def destroy() -> dict[str, Any]:
    left: dict[str, Any] = json.loads(run("destroy", "--yes", "--json").stdout)
    return left


@pytest.fixture(scope="class")
def deployed(backend: Backend) -> Iterator[Deployed]:
    backend.demand("lambda")
    with pytest.MonkeyPatch.context() as environment:
        for name, value in backend.environment.items():
            environment.setenv(name, value)
        yield deploy(backend)
        assert destroy()["stray"] == []


def sales(count: int, begin: int = 0) -> list[dict[str, Any]]:
    rows = kaggle(7, StoreSettings().store())
    return [{**next(rows), "invoice_id": f"s{number}"} for number in range(begin, begin + count)]


def smoke(deployed: Deployed) -> None:
    """Who may do what; every sale counted once; the lake has them all."""
    assert httpx.get(f"{deployed.api}/healthz", timeout=40).status_code == 200
    assert httpx.get(f"{deployed.api}/openapi.json", timeout=40).json()["openapi"]
    assert httpx.get(f"{deployed.api}/v1/kpis", timeout=40).status_code == 401
    assert deployed.call("GET", "/v1/kpis", token="x.y.z").status_code == 401
    batch = sales(60)
    for expected in ("accepted", "duplicate"):
        answer = deployed.call("POST", "/v1/sales", json={"sales": batch})
        assert {result["status"] for result in answer.json()["results"]} == {expected}, answer.text[:500]
    kpis = deployed.call("GET", "/v1/kpis").json()
    assert kpis["tickets"] == len(batch)
    s3 = client("s3")

    def archived() -> bool:
        return bool(s3.list_objects_v2(Bucket=deployed.outputs["LakeBucket"], Prefix="sales/").get("KeyCount"))

    wait_until(archived, "the lake", seconds=60)
    manager = client("secretsmanager")
    reader = manager.get_secret_value(SecretId=deployed.outputs["ReaderToken"])["SecretString"]
    assert deployed.call("GET", "/v1/kpis", token=reader).status_code == 200
    assert deployed.call("POST", "/v1/sales", token=reader, json={"sales": batch}).status_code == 403


@pytest.mark.long
class TestDeployed:
    """Deployed once for these, and destroyed after them: the others deploy and destroy by themselves."""

    @pytest.mark.service("lambda")
    def test_what_is_deployed_does_its_work(self, deployed: Deployed) -> None:
        smoke(deployed)

    @pytest.mark.service("dynamodb")
    def test_it_is_backed_up_and_compared_by_the_commands_of_the_laptop(
        self, deployed: Deployed, tmp_path: Path
    ) -> None:
        batch = sales(60)
        assert deployed.call("POST", "/v1/sales", json={"sales": batch}).status_code == 200
        made = json.loads(run("backup", "create", "one", "--to", str(tmp_path), "--aws", "--json").stdout)
        assert made["sales"] == len(batch)
        found = json.loads(run("backup", "verify", str(tmp_path / "one"), "--aws", "--json").stdout)
        assert (found["differences"], found["counters"]["tickets"]) == (0, len(batch))
        refused = run("backup", "restore", str(tmp_path / "one"), "--yes", "--aws", check=False)
        assert (refused.returncode, "is not empty" in refused.stderr) == (2, True)

    @pytest.mark.service("dynamodb")
    def test_the_tables_are_as_the_template_has_them(self, deployed: Deployed) -> None:
        dynamodb = client("dynamodb")
        for output, keys in {
            "LedgerTable": ["invoice_id"],
            "CellsTable": ["hour_shard", "cell"],
            "RunsTable": ["list", "id"],
        }.items():
            table = dynamodb.describe_table(TableName=deployed.outputs[output])["Table"]
            assert [key["AttributeName"] for key in table["KeySchema"]] == keys
            assert table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"


@pytest.mark.long
@pytest.mark.timeout(ROUNDS * WHOLE_S)
@pytest.mark.service("cloudformation")
def test_it_can_be_deployed_and_destroyed_again_and_again(backend: Backend) -> None:
    for _ in range(ROUNDS):
        try:
            smoke(deploy(backend))
            refused = run("deploy", "--yes", "--profile", "prod", check=False)
            assert (refused.returncode, "what is deployed is dev, and not prod" in refused.stderr) == (2, True)
        finally:
            left = destroy()
        assert left["stray"] == []


@pytest.mark.long
@pytest.mark.timeout(2 * WHOLE_S)
@pytest.mark.service("cloudformation")
def test_a_deployment_that_fails_is_rolled_back_says_why_and_can_be_done_again(backend: Backend) -> None:
    athena = client("athena")
    athena.create_work_group(Name="TidemarkExplorer-questions")  # somebody has taken the name
    try:
        done = run("deploy", "--yes", check=False)
        assert done.returncode == 1
        assert "TidemarkExplorer was not deployed and is rollback_complete" in done.stderr, done.stderr[-3000:]
        assert "Questions (AWS::Athena::WorkGroup)" in done.stderr
        assert "Traceback" not in done.stderr
        athena.delete_work_group(WorkGroup="TidemarkExplorer-questions")
        smoke(deploy(backend))
    finally:
        assert destroy()["stray"] == []


@pytest.mark.long
@pytest.mark.timeout(2 * WHOLE_S)
@pytest.mark.service("cloudformation")
def test_options_are_kept_from_one_version_to_the_next(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PREFECT_API_KEY", raising=False)
    anothers = ("--prefect-api-url", "https://prefect.example.com/api")
    refused = run("deploy", "--yes", *anothers, check=False)
    assert (refused.returncode, "set PREFECT_API_KEY" in refused.stderr) == (2, True)
    assert "is not deployed" not in refused.stderr
    try:
        monkeypatch.setenv("PREFECT_API_KEY", "pnu_of_another")
        monkeypatch.setenv("TIDEMARK_CURRENCY", "EUR")
        deploy(backend, "--alert-email", "ops@example.com", *anothers)
        monkeypatch.delenv("PREFECT_API_KEY")
        monkeypatch.delenv("TIDEMARK_CURRENCY")
        kept = json.loads(deploy(backend).outputs["Options"])
        assert kept["alert_email"] == "ops@example.com"
        assert kept["prefect_api_url"] == anothers[1]
        assert kept["TIDEMARK_CURRENCY"] == "EUR"
        (secret,) = parts("TidemarkPipelines", "AWS::SecretsManager::Secret")
        held = client("secretsmanager").get_secret_value(SecretId=secret)["SecretString"]
        assert held == "pnu_of_another"
        assert parts("TidemarkWatch", "AWS::SNS::Subscription")
        deploy(backend, "--alert-email", "")
        assert not parts("TidemarkWatch", "AWS::SNS::Subscription")
    finally:
        assert destroy()["stray"] == []


class Till(threading.Thread):
    """Posts batch after batch, each until it is answered, as a till does."""

    def __init__(self, deployed: Deployed) -> None:
        super().__init__(daemon=True)
        self.deployed = deployed
        self.said: Counter[str] = Counter()
        self.unanswered = 0
        self.closed = threading.Event()
        self.posted = 0

    def run(self) -> None:
        while not self.closed.is_set():
            batch = sales(BATCH, self.posted)
            while (answer := self.try_once(batch)) is None:
                self.unanswered += 1
            self.said.update(result["status"] for result in answer["results"])
            self.posted += BATCH

    def try_once(self, batch: list[dict[str, Any]]) -> dict[str, Any] | None:
        try:
            answer = self.deployed.call("POST", "/v1/sales", json={"sales": batch})
        except httpx.TransportError:
            return None
        if answer.status_code >= 500 or answer.status_code == 429:
            return None
        found: dict[str, Any] = answer.json()
        assert answer.status_code == 200, answer.text
        return found


@pytest.mark.long
@pytest.mark.timeout(2 * WHOLE_S)
@pytest.mark.service("lambda")
def test_a_new_version_under_load_loses_no_sale(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    first = deploy(backend, "--only", CORE)
    till = Till(first)
    try:
        till.start()
        for currency in ("EUR", "GBP"):  # in the environment of two Lambdas: they are replaced
            before = till.posted
            wait_until(lambda: till.posted > before, "the till", seconds=60)  # noqa: B023  # called at once
            monkeypatch.setenv("TIDEMARK_CURRENCY", currency)
            deploy(backend, "--only", CORE)
            after = till.posted
            assert after > before, "the till went on while it was deployed"
            wait_until(lambda: till.posted > after, "the till", seconds=60)  # noqa: B023
        till.closed.set()
        till.join(120)
        assert till.said["accepted"] + till.said["duplicate"] == till.posted > 0
        assert set(till.said) <= {"accepted", "duplicate"}, "a duplicate is a sale whose first answer was lost"
        held = first.outputs
        tables = TableSettings(
            ledger_table=held["LedgerTable"], cells_table=held["CellsTable"], quarantine_table=held["QuarantineTable"]
        )
        dynamodb = client("dynamodb")
        history = DynamoHistory(
            dynamodb, HistorySettings(cells_table=held["CellsTable"], history_table=held["HistoryTable"])
        )
        counters = Counters(DynamoCells(dynamodb, tables), history, StoreSettings().store_zone)
        found = audit(DynamoLedger(dynamodb, tables), counters, history)
        assert (found.tickets, found.differences) == (till.posted, [])
        assert first.call("GET", "/v1/kpis").json()["tickets"] == till.posted
    finally:
        till.closed.set()
        assert destroy()["stray"] == []
