"""Where the suite can run: ministack, LocalStack, AWS. What one of them cannot do is said by name, with the reason."""

from __future__ import annotations

import os
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import botocore.session
import httpx
import pytest

from tidemark.deployment.account import Account, docker
from tidemark.deployment.cdk import ROOT
from tidemark.errors import TidemarkError
from tidemark.local.home import HOST, free_port
from tidemark.local.services import EMULATOR_PYTHON, REGION
from tidemark.local.supervisor import wait_until

SERVICES = ("s3", "sqs", "secretsmanager", "cloudwatch", "cloudformation", "dynamodb", "lambda")
CONDITIONAL_DELETE = "DeleteObject with If-Match"
LOCALSTACK_PYTHON = ROOT / ".venv-localstack" / "bin" / "python"
TOKEN = "LOCALSTACK_AUTH_TOKEN"  # the name of a variable
ALLOWED = "TIDEMARK_TEST_ACCOUNT"
STARTS_S = 90


@dataclass(frozen=True)
class Backend:
    """`title`: what it is called; `environment`: how clients find it.

    `cannot`: by service, or by what a test is about within one, why it is NOT RUN.
    """

    name: str
    title: str
    environment: dict[str, str] = field(default_factory=dict)
    cannot: dict[str, str] = field(default_factory=dict)

    def demand(self, what: str) -> None:
        """Skip the test that is about what this cloud cannot do."""
        if what in self.cannot:
            pytest.skip(f"NOT RUN on {self.title}: {self.cannot[what]}")


def client(service: str) -> Any:
    """A client of the cloud that a test's environment names."""
    return botocore.session.get_session().create_client(service)


@contextmanager
def ministack(folder: Path) -> Iterator[Backend]:
    """The emulator that the local cloud runs on, one of its own, which keeps nothing."""
    port = free_port()
    environment = _emulated(port, folder)
    variables = {"BIND_HOST": HOST, "GATEWAY_PORT": str(port), "MINISTACK_HOST": HOST, "MINISTACK_REGION": REGION}
    command = [str(EMULATOR_PYTHON), "-m", "ministack"]
    with _process(
        command, {**variables, "LOG_LEVEL": "WARNING", "TMPDIR": str(folder)}, folder, "/_ministack/health", port
    ):
        yield Backend("ministack", f"ministack {_version(EMULATOR_PYTHON, 'ministack')}, an emulator", environment)


@contextmanager
def localstack(folder: Path) -> Iterator[Backend]:
    """LocalStack in Docker where there is an engine and a token; else some of its services in host mode."""
    if docker().state == "ok" and os.environ.get(TOKEN):
        port = free_port()
        command = ["docker", "run", "--rm", "-p", f"{HOST}:{port}:4566", "-e", TOKEN]
        command += ["-v", "/var/run/docker.sock:/var/run/docker.sock", "localstack/localstack:2026.3.0"]
        with _process(command, {}, folder, "/_localstack/health", port):
            yield Backend("localstack", "LocalStack 2026.3.0 in Docker", _emulated(port, folder))
        return
    why = "LocalStack's image wants a Docker engine and a token, and its host mode does not do this"
    if not LOCALSTACK_PYTHON.exists():
        reason = "LocalStack is not installed: `make test-localstack` does it where there is a Python 3.13"
        yield Backend("localstack", "LocalStack, not installed", {}, dict.fromkeys(SERVICES, reason))
        return
    port = free_port()
    variables = {
        "SKIP_SSL_CERT_DOWNLOAD": "1",
        "DISABLE_EVENTS": "1",
        "DNS_ADDRESS": "0",
        "GATEWAY_LISTEN": f"{HOST}:{port}",
    }
    command = [str(LOCALSTACK_PYTHON), "-m", "localstack.runtime.main"]
    title = f"LocalStack {_version(LOCALSTACK_PYTHON, 'localstack-core')} in host mode, without its image"
    with _process(command, variables, folder, "/_localstack/health", port):
        cannot = dict.fromkeys(("cloudformation", "dynamodb", "lambda"), why)
        cannot[CONDITIONAL_DELETE] = "LocalStack 2026.3 answers NotImplemented"
        yield Backend("localstack", title, _emulated(port, folder), cannot)


@contextmanager
def aws(folder: Path) -> Iterator[Backend]:
    """The account of the environment, where it is named as one to test in: the suite deploys and destroys."""
    try:
        account = Account()
        there = account.id
    except TidemarkError as error:
        yield Backend("aws", "AWS, no account", {}, dict.fromkeys(SERVICES, str(error)))
        return
    if os.environ.get(ALLOWED) != there:
        reason = f"set {ALLOWED} to {there}: the suite deploys to that account and destroys what it deployed"
        yield Backend("aws", f"AWS, account {there}", {}, dict.fromkeys(SERVICES, reason))
        return
    yield Backend("aws", f"AWS, account {there}, {account.region}", {})


def _emulated(port: int, folder: Path) -> dict[str, str]:
    endpoint = f"http://{HOST}:{port}"
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ENDPOINT_URL_S3": endpoint,
        # The CDK remembers an account by its key; a key of twelve digits would be an account that plain HTTP misses.
        "AWS_ACCESS_KEY_ID": f"LKIA{secrets.token_hex(8).upper()}",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": str(folder / "none"),
        "AWS_SHARED_CREDENTIALS_FILE": str(folder / "none"),
        "TIDEMARK_HOME": str(folder / "home"),
    }


@contextmanager
def _process(
    command: list[str], variables: dict[str, str], folder: Path, health: str, port: int
) -> Iterator[subprocess.Popen[bytes]]:
    with (folder / "emulator.log").open("wb") as log:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, **variables},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )

    def answers() -> bool:
        assert process.poll() is None, (folder / "emulator.log").read_text()[-2000:]
        try:
            return httpx.get(f"http://{HOST}:{port}{health}", timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    try:
        wait_until(answers, "the emulator", seconds=STARTS_S)
        yield process
    finally:
        os.killpg(process.pid, 15)
        process.wait(30)


def _version(python: Path, package: str) -> str:
    code = f"import importlib.metadata as m; print(m.version({package!r}))"
    return subprocess.run([str(python), "-c", code], capture_output=True, text=True, check=True).stdout.strip()
