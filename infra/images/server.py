"""`python -m infra.images.server mlflow|prefect`: serve it on the PostgreSQL that `PGHOST` and its like name.

Its database is made where there is none. `… check` tells whether the server answers and the database still takes this
container's password: RDS changes it, and a container that holds the old one is then replaced.
"""

from __future__ import annotations

import os
import sys
import urllib.request
from urllib.parse import quote

import psycopg2

from infra.images.ports import MLFLOW, PREFECT

KEPT_S = 7 * 86_400
HEALTH = {"mlflow": (MLFLOW, "/health"), "prefect": (PREFECT, "/api/health")}


def url(driver: str, database: str) -> str:
    """The database as SQLAlchemy names it. `PGUSER` and the rest are PostgreSQL's own variables."""
    user, password = (quote(os.environ[name], safe="") for name in ("PGUSER", "PGPASSWORD"))
    where = f"{user}:{password}@{os.environ['PGHOST']}:{os.environ.get('PGPORT', '5432')}/{database}"
    mode = os.environ.get("PGSSLMODE", "require")
    return f"postgresql+{driver}://{where}?{'ssl' if driver == 'asyncpg' else 'sslmode'}={mode}"


def ensure(database: str) -> None:
    """Make the database where there is none."""
    connection = psycopg2.connect(dbname="postgres")
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", (database,))
        if cursor.fetchone() is None:
            cursor.execute(f'CREATE DATABASE "{database}"')
    connection.close()


def check(what: str) -> None:
    """Raises where the server does not answer, or the database does not take the password."""
    port, path = HEALTH[what]
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=8):
        psycopg2.connect(dbname=what, connect_timeout=8).close()


def mlflow() -> list[str]:
    """MLflow's tracking server; artifacts go through it, so that its clients need no keys of S3."""
    os.environ["MLFLOW_BACKEND_STORE_URI"] = url("psycopg2", "mlflow")
    options = {
        "--host": "0.0.0.0",  # noqa: S104  # in a container, whose group lets the worker in
        "--port": str(MLFLOW),
        "--workers": "1",
        "--artifacts-destination": os.environ["MLFLOW_ARTIFACTS"],
    }
    return [sys.executable, "-m", "mlflow", "server", *(word for pair in options.items() for word in pair)]


def prefect() -> list[str]:
    """Prefect's server and its pages."""
    os.environ["PREFECT_SERVER_DATABASE_CONNECTION_URL"] = url("asyncpg", "prefect")
    os.environ["PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD"] = str(KEPT_S)
    host = ("--host", "0.0.0.0", "--port", str(PREFECT))  # noqa: S104  # as above
    return [sys.executable, "-m", "prefect", "server", "start", *host]


def main(words: list[str]) -> None:
    """Become the server, or check it."""
    what = words[0] if words else ""
    if what not in HEALTH:
        raise SystemExit(f"expected {' or '.join(HEALTH)}, got {what!r}")
    if words[1:] == ["check"]:
        check(what)
        return
    ensure(what)
    command = mlflow() if what == "mlflow" else prefect()
    os.execv(command[0], command)  # noqa: S606  # a list of our own


if __name__ == "__main__":
    main(sys.argv[1:])
