"""Starting the part `flows`: PostgreSQL, Prefect and MLflow on it, and the worker that runs the flows."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx

from tidemark.local import flow_services
from tidemark.local.home import HOST, Home
from tidemark.local.postgres import Postgres
from tidemark.local.supervisor import Supervisor, answers
from tidemark.runs import FLOWS

FIRST_START_S = 120.0  # both servers build their tables then, side by side with a deployment
Say = Callable[[str], None]


def _registered(prefect: dict[str, str]) -> bool:
    """Whether Prefect knows every flow's deployment, and runs it: a worker that ended in order has paused them."""
    key = prefect.get("PREFECT_API_KEY")
    try:
        answer = httpx.post(
            f"{prefect['PREFECT_API_URL']}/deployments/filter",
            json={"deployments": {"name": {"any_": list(FLOWS)}}},
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=10,
        )
    except httpx.TransportError:
        return False
    if answer.status_code != httpx.codes.OK:
        return False
    return sum(not deployment["paused"] for deployment in answer.json()) == len(FLOWS)


class FlowsPart:
    """One start of the part: `begin`, then `go_on` when the stack is there, then `finish`."""

    def __init__(self, home: Home, supervisor: Supervisor, emulator_port: int, say: Say) -> None:
        self._home = home
        self._supervisor = supervisor
        self._emulator_port = emulator_port
        self._say = say
        ports = home.ports(("postgres", "mlflow", "prefect"))
        self._postgres = Postgres(home, ports["postgres"])
        self._mlflow_port = ports["mlflow"]
        self._prefect_port = ports["prefect"]
        self._mlflow = f"http://{HOST}:{ports['mlflow']}"
        self._prefect = f"http://{HOST}:{ports['prefect']}"
        self._mlflow_database = self._postgres.url("mlflow", "psycopg2")
        self._users_prefect = flow_services.users_prefect()

    def begin(self) -> None:
        """Start what needs no stack, in a thread: the caller deploys the stack meanwhile.

        Nobody waits for the thread where the caller gives up: it ends with the supervisor, which it asks all the time.
        """
        self._say("starting PostgreSQL" if self._users_prefect else "starting PostgreSQL and Prefect")
        thread = ThreadPoolExecutor(1)
        self._begun = thread.submit(self._start_database)
        thread.shutdown(wait=False)

    def _start_database(self) -> None:
        self._postgres.prepare()
        self._supervisor.add(self._postgres.service())
        self._supervisor.wait_for("postgres", self._postgres.answers)
        self._postgres.create_databases()
        if not self._users_prefect:
            database = self._postgres.url("prefect", "asyncpg")
            self._supervisor.add(flow_services.prefect(self._home, self._prefect_port, database))

    def go_on(self, stack: dict[str, str]) -> None:
        """Start what needs the stack, whose outputs `stack` is. Raises TidemarkError where `begin` came to nothing."""
        self._begun.result()
        self._say("starting MLflow")
        self._supervisor.add(
            flow_services.mlflow(
                self._home, self._mlflow_port, self._mlflow_database, self._emulator_port, stack["LakeBucket"]
            )
        )

    def finish(self, stack: dict[str, str]) -> dict[str, str]:
        """Wait until both servers answer, start the worker, and tell where they are.

        Raises TidemarkError where one does not answer.
        """
        prefect = self._users_prefect or {"PREFECT_API_URL": f"{self._prefect}/api"}
        if not self._users_prefect:
            self._say("waiting for Prefect")
            self._supervisor.wait_for("prefect", lambda: answers(f"{self._prefect}/api/health"), seconds=FIRST_START_S)
        self._say("waiting for MLflow")
        self._supervisor.wait_for("mlflow", lambda: answers(f"{self._mlflow}/health"), seconds=FIRST_START_S)
        self._say("waiting for the flows' worker")
        self._supervisor.add(
            flow_services.worker(self._home, prefect, self._mlflow, self._mlflow_database, self._emulator_port, stack)
        )
        self._supervisor.wait_for(
            "flows", lambda: _registered(prefect), what="the flows' worker", seconds=FIRST_START_S
        )
        return {"mlflow": self._mlflow, "prefect": self._users_prefect.get("PREFECT_API_URL", self._prefect)}
