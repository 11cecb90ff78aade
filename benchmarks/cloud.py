"""A local cloud of a benchmark's own, and processes in the benchmarks' environment."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx

from benchmarks.measure import ROOT
from tidemark.errors import TidemarkError
from tidemark.local import stores
from tidemark.local.home import Home
from tidemark.local.services import aws_environment
from tidemark.local.supervisor import wait_until

PEER_PYTHON = ROOT / ".venv-bench" / "bin" / "python"
TIDEMARK = Path(sys.executable).parent / "tidemark"


@contextlib.contextmanager
def local_cloud(parts: str, *, simulate: bool = False) -> Iterator[Home]:
    """`tidemark up` in a temporary home; `simulate`: with its streams of sales and of blocks."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "TIDEMARK_HOME": folder}
        up = [str(TIDEMARK), "up", "--detach", "--only", parts, *([] if simulate else ["--no-simulate"])]
        started = subprocess.run(up, env=environment, capture_output=True, text=True, check=False)
        try:
            if started.returncode:
                raise TidemarkError(f"the local cloud does not start: {started.stderr[-500:]}")
            yield Home(Path(folder))
        finally:
            subprocess.run([str(TIDEMARK), "down"], env=environment, capture_output=True, check=False)


def function_environment(home: Home, name: str) -> dict[str, str]:
    """The environment that the deployed Lambda `name` runs with on the emulator."""
    client = stores.client(home, "lambda")
    pages = client.get_paginator("list_functions").paginate()
    found = [f for page in pages for f in page["Functions"] if f"-{name}Function" in f["FunctionName"]]
    variables: dict[str, str] = found[0]["Environment"]["Variables"]
    return {**aws_environment(home, home.port("ministack")), **variables}


@contextlib.contextmanager
def peer(module: str, port: int, ready: str = "/healthz") -> Iterator[subprocess.Popen[bytes]]:
    """A peer's server, `python -m MODULE PORT` in the benchmarks' environment, once it answers."""
    if not PEER_PYTHON.exists():
        raise TidemarkError("the benchmarks' packages are not installed: `make bench` does it")
    process = subprocess.Popen(
        [str(PEER_PYTHON), "-m", module, str(port)], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )

    def answers() -> bool:
        if process.poll() is not None:
            raise TidemarkError(f"{module} ended with exit code {process.returncode}")
        try:
            return httpx.get(f"http://127.0.0.1:{port}{ready}", timeout=5).status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    try:
        wait_until(answers, module, seconds=90)
        yield process
    finally:
        process.kill()
        process.wait()
