"""A local cloud with the part `flows`, as its users see it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import httpx
import psutil
import psycopg2

from simulator.housing import Piece
from tests.cloud import TIDEMARK
from tidemark.adapters.dynamodb_runs import DynamoRuns
from tidemark.adapters.s3_newest import NewestSales
from tidemark.adapters.s3_objects import S3Objects
from tidemark.ledger import Entry
from tidemark.local import flow_services, stores
from tidemark.local.home import ROOT, Home
from tidemark.local.postgres import Postgres
from tidemark.local.supervisor import Supervisor, wait_until
from tidemark.runs import INCOMING, Run

UP = ("up", "--detach", "--only", "core,flows", "--no-simulate")
ENDED = ("COMPLETED", "FAILED", "CANCELLED", "CRASHED")
WELL = ("Completed", "Reused", "Skipped")
RESTING = str(86_400)  # seconds between two scheduled runs


class Flows:
    """A running local cloud with the part `flows`."""

    def __init__(self, home: Home) -> None:
        self.home = home

    @property
    def environment(self) -> dict[str, str]:
        """Of a user who has no Prefect server of his own."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "MLFLOW_"))}
        return {**clean, "TIDEMARK_HOME": str(self.home.path), "TIDEMARK_FLOW_SECONDS": RESTING}

    def run(self, *words: str) -> str:
        """What `tidemark WORDS` prints; it must succeed."""
        done = subprocess.run(
            [str(TIDEMARK), *words], env=self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def refuse(self, *words: str) -> str:
        """Why `tidemark WORDS` is refused."""
        done = subprocess.run(
            [str(TIDEMARK), *words], env=self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode != 0, done.stdout
        return done.stderr

    # -- the servers

    @property
    def mlflow(self) -> str:
        """MLflow's address."""
        return self.home.state().endpoints["mlflow"]

    @property
    def prefect(self) -> str:
        """Prefect's address."""
        return self.home.state().endpoints["prefect"]

    def create_experiment(self, name: str) -> httpx.Response:
        """Ask MLflow for an experiment."""
        return httpx.post(f"{self.mlflow}/api/2.0/mlflow/experiments/create", json={"name": name}, timeout=20)

    def create_flow(self, name: str) -> httpx.Response:
        """Tell Prefect of a flow."""
        return httpx.post(f"{self.prefect}/api/flows/", json={"name": name}, timeout=20)

    def ask_prefect(self, path: str, **question: Any) -> Any:
        """What Prefect answers."""
        answer = httpx.post(f"{self.prefect}/api/{path}", json=question, timeout=30)
        answer.raise_for_status()
        return answer.json()

    def rows(self, database: str, query: str) -> list[Any]:
        """What a program's own database tells the program's own role."""
        url = Postgres(self.home, self.home.port("postgres")).url(database, "psycopg2")
        connecting = contextlib.closing(psycopg2.connect(url.replace("+psycopg2", "")))
        with connecting as connection, connection.cursor() as cursor:
            cursor.execute(query)
            return [row[0] for row in cursor.fetchall()]

    def experiments(self) -> list[Any]:
        """The names of MLflow's experiments."""
        return self.rows("mlflow", "SELECT name FROM experiments")

    def flows(self) -> list[Any]:
        """The names of Prefect's flows."""
        return self.rows("prefect", "SELECT name FROM flow")

    # -- the pipelines

    @property
    def index(self) -> DynamoRuns:
        """The pipelines' index."""
        return stores.open_pipelines(self.home)[0]

    @property
    def objects(self) -> S3Objects:
        """The bucket."""
        return stores.open_pipelines(self.home)[1]

    def newest_sales(self, most: int) -> list[Entry]:
        """The newest sales of the lake."""
        return NewestSales(stores.client(self.home, "s3"), stores.running(self.home)["LakeBucket"]).read(most)

    def send(self, *pieces: Piece) -> None:
        """Put batches where the data flow finds them."""
        s3, bucket = stores.client(self.home, "s3"), stores.running(self.home)["LakeBucket"]
        for piece in pieces:
            s3.put_object(Bucket=bucket, Key=f"{INCOMING}{piece.name}", Body=piece.content, Metadata=piece.stated)

    def begin(self, name: str, *, due: datetime | None = None) -> str:
        """Ask Prefect to run a flow now, or as if it had been due at a time; the run's id there."""
        (deployment,) = self.ask_prefect("deployments/filter", deployments={"name": {"any_": [name]}})
        scheduled = {"scheduled_time": (due or datetime.now(UTC)).isoformat()}
        state = {"type": "SCHEDULED", "state_details": scheduled}
        return str(self.ask_prefect(f"deployments/{deployment['id']}/create_flow_run", state=state)["id"])

    def state(self, flow_run: str) -> dict[str, Any]:
        """The state of a run in Prefect; empty while Prefect does not answer."""
        try:
            answer = httpx.get(f"{self.prefect}/api/flow_runs/{flow_run}", timeout=20)
        except httpx.TransportError:
            return {}
        found: dict[str, Any] = answer.json()["state"] if answer.is_success else {}
        return found

    def ended(self, flow_run: str, *, seconds: float = 120) -> str:
        """Wait until a run has ended; how, as Prefect names it."""
        wait_until(lambda: self.state(flow_run).get("type") in ENDED, "the run's end", seconds=seconds, every=0.5)
        return str(self.state(flow_run)["name"])

    def flow(self, name: str) -> Run:
        """Run a flow now; what the index has of it. It must end well."""
        begun = self.begin(name)
        assert self.ended(begun) in WELL
        return self.of(name, begun)

    def of(self, name: str, flow_run: str) -> Run:
        """What the index has of a run in Prefect."""
        (found,) = [run for run in self.index.page(name, limit=50).runs if run.flow_run == flow_run]
        return found

    def report(self, run: Run, name: str = "report.md") -> str:
        """A file of a run's own folder."""
        return self.objects.get(f"flows/{run.flow}/{run.id}/{name}").decode()

    def get(self, path: str) -> Any:
        """What the API answers to the read token."""
        state = self.home.state()
        answer = httpx.get(
            f"{state.endpoints['api']}{path}", headers={"Authorization": f"Bearer {state.tokens['read']}"}, timeout=30
        )
        assert answer.status_code == 200, answer.text
        return answer.json()

    def as_the_worker(self, code: str, more: dict[str, str] | None = None) -> str:
        """Run some Python with the worker's environment, and `more`; what it printed."""
        home = self.home
        service = flow_services.worker(
            home,
            {"PREFECT_API_URL": f"{self.prefect}/api"},
            self.mlflow,
            Postgres(home, home.port("postgres")).url("mlflow", "psycopg2"),
            home.port("ministack"),
            stores.running(home),
        )
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, **service.environment, **(more or {})},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout + done.stderr

    # -- processes

    def processes(self) -> list[psutil.Process]:
        """Everything that `tidemark up` started."""
        supervisor = psutil.Process(int(self.home.supervisor_pid.read_text()))
        return [supervisor, *supervisor.children(recursive=True)]

    def process(self, service: str) -> psutil.Process:
        """A service's process."""
        return psutil.Process(Supervisor(self.home).states()[service][1])

    def kill(self, service: str) -> None:
        """End a service with all its children, as a crash of the machine does, and wait for its successor."""
        old = self.process(service)
        for process in [*old.children(recursive=True), old]:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGKILL)
        states = Supervisor(self.home).states
        wait_until(lambda: states()[service][1] not in (0, old.pid), service, seconds=30)
