"""The part `flows` of `tidemark up`: PostgreSQL, MLflow and Prefect, as their users and their neighbours see them."""

from __future__ import annotations

import contextlib
import stat
from collections.abc import Callable
from pathlib import Path

import httpx
import psutil
import psycopg2
import pytest

from tests.flows.cloud import UP, Flows
from tidemark.local import flow_services, flows_part, stores
from tidemark.local.flows_part import FlowsPart
from tidemark.local.home import Home
from tidemark.local.postgres import ADMIN, DATABASES, Postgres
from tidemark.local.services import Service
from tidemark.local.supervisor import Supervisor, answers, wait_until


def test_both_servers_answer_by_either_name_of_this_machine(running: Flows) -> None:
    for name in ("127.0.0.1", "localhost"):
        mlflow, prefect = (url.replace("127.0.0.1", name) for url in (running.mlflow, running.prefect))
        assert answers(f"{prefect}/api/health")
        assert answers(f"{mlflow}/health")
        found = httpx.post(f"{mlflow}/api/2.0/mlflow/experiments/search", json={"max_results": 1}, timeout=20)
        assert found.status_code == 200, found.text


def test_prefects_page_calls_its_own_server_and_no_other_page_may(running: Flows) -> None:
    page = httpx.get(running.prefect, headers={"Accept": "text/html"}, timeout=20)
    assert "text/html" in page.headers["content-type"]
    assert httpx.get(f"{running.prefect}/ui-settings").json()["api_url"] == f"{running.prefect}/api"
    for origin, allowed in ((running.prefect, running.prefect), ("https://elsewhere.example", None)):
        answer = httpx.get(f"{running.prefect}/api/health", headers={"Origin": origin})
        assert answer.headers.get("access-control-allow-origin") == allowed


def test_mlflow_is_for_this_machine_only(running: Flows) -> None:
    answer = httpx.get(f"{running.mlflow}/api/2.0/mlflow/experiments/get", headers={"Host": "10.elsewhere.example"})
    assert answer.status_code == 403


def test_what_is_created_is_in_postgresql(running: Flows) -> None:
    assert running.create_experiment("kept in PostgreSQL").status_code == 200
    assert running.create_flow("kept-in-postgresql").status_code == 201
    assert "kept in PostgreSQL" in running.experiments()
    assert "kept-in-postgresql" in running.flows()


def test_an_artifact_goes_through_the_server_to_the_lake(running: Flows) -> None:
    address = f"{running.mlflow}/api/2.0/mlflow-artifacts/artifacts/0/note.txt"
    assert httpx.put(address, content=b"a note", timeout=20).status_code == 200
    bucket = stores.running(running.home)["LakeBucket"]
    stored = stores.client(running.home, "s3").get_object(Bucket=bucket, Key="mlflow/0/note.txt")
    assert stored["Body"].read() == httpx.get(address, timeout=20).content == b"a note"


def test_programs_may_do_nothing_in_postgresql_but_their_work(running: Flows) -> None:
    for name in DATABASES:
        assert running.rows(name, "SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user") == [
            False
        ]
        assert running.rows(name, "SHOW fsync") == ["on"]
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        psycopg2.connect(host="127.0.0.1", port=running.home.port("postgres"), user=ADMIN, password="guessed")


def test_nothing_listens_beyond_this_machine(running: Flows) -> None:
    listening = [
        (process.name(), connection.laddr.ip)
        for process in running.processes()
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert {name for name, _ in listening} >= {"postgres", "redis-server"}
    assert {address for _, address in listening} == {"127.0.0.1"}


def test_passwords_are_seen_by_nobody_else(running: Flows) -> None:
    passwords = {running.home.password(name) for name in (ADMIN, *DATABASES)}
    assert len(passwords) == 3
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            words = " ".join(process.cmdline())
            assert not any(password in words for password in passwords)
    for path in (path for path in running.home.path.glob("*/*") if path.suffix in (".log", ".conf")):
        holds = any(password in path.read_text(errors="replace") for password in passwords)
        assert not holds or path == running.home.supervisor_config
    for path in (running.home.supervisor_config, running.home.path / "local.json"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_killed_postgresql_comes_back_and_both_servers_go_on(running: Flows) -> None:
    killed = Supervisor(running.home).states()["postgres"][1]
    psutil.Process(killed).kill()
    wait_until(lambda: Supervisor(running.home).states()["postgres"][1] not in (0, killed), "PostgreSQL", seconds=20)
    wait_until(_accepted(running.create_experiment, "after the crash"), "MLflow", seconds=30)
    wait_until(_accepted(running.create_flow, "after-the-crash"), "Prefect", seconds=30)
    assert {"kept in PostgreSQL", "after the crash"} <= set(running.experiments())
    assert {"kept-in-postgresql", "after-the-crash"} <= set(running.flows())


def _accepted(create: Callable[[str], httpx.Response], name: str) -> Callable[[], bool]:
    def accepted() -> bool:
        try:
            return create(name).is_success
        except httpx.TransportError:
            return False

    return accepted


@pytest.mark.long
def test_a_restart_keeps_the_data_and_a_wipe_forgets_it(running: Flows) -> None:
    before = running.home.state().endpoints
    assert running.create_experiment("before the restart").is_success
    assert running.create_flow("before-the-restart").is_success
    running.run("down")
    assert "database system is shut down" in Supervisor(running.home).tail("postgres", lines=1)
    running.run(*UP)
    assert running.home.state().endpoints == before
    assert "before the restart" in running.experiments()
    assert "before-the-restart" in running.flows()
    running.run("down", "--wipe")
    assert not running.home.postgres.exists()
    assert not running.home.prefect.exists()


class NoPostgres(Postgres):
    """A PostgreSQL that is not started."""

    def prepare(self) -> None:
        """There is nothing to do."""

    def create_databases(self) -> None:
        """There is nothing to do."""


class Recorded(Supervisor):
    """A supervisor that only remembers what it was to start."""

    def __init__(self, home: Home) -> None:
        super().__init__(home)
        self.added: dict[str, Service] = {}

    def add(self, *services: Service) -> None:
        self.added |= {service.name: service for service in services}

    def wait_for(
        self, name: str, answers: Callable[[], bool], *, what: str | None = None, seconds: float = 0.0
    ) -> None:
        assert name in self.added


@pytest.mark.parametrize("users", [{}, {"PREFECT_API_URL": "https://prefect.example/api", "PREFECT_API_KEY": "a key"}])
def test_a_prefect_of_the_users_own_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, users: dict[str, str]
) -> None:
    for name in ("PREFECT_API_URL", "PREFECT_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in users.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(flows_part, "Postgres", NoPostgres)
    home, stack = (
        Home(tmp_path),
        {"LakeBucket": "lake", "RunsTable": "runs", "CellsTable": "cells", "HistoryTable": "history"},
    )
    home.create()
    home.ports(("ministack",))
    supervisor = Recorded(home)
    part = FlowsPart(home, supervisor, home.port("ministack"), lambda text: None)
    part.begin()
    part.go_on(stack)
    endpoints = part.finish(stack)
    worker = flow_services.worker(home, users, endpoints["mlflow"], "database", home.port("ministack"), stack)
    assert {"postgres", "mlflow"} <= set(supervisor.added)
    assert ("prefect" in supervisor.added) == (not users)
    if users:
        assert endpoints["prefect"] == users["PREFECT_API_URL"]
        assert worker.environment.items() >= users.items()
    else:
        assert endpoints["prefect"] == f"http://127.0.0.1:{home.port('prefect')}"
