"""The clients' side of fan-out: `clients.c`, compiled and driven."""

from __future__ import annotations

import shutil
import subprocess
import threading
import time
from pathlib import Path
from typing import TypeVar

import msgspec
import psutil

from benchmarks.cloud import PEER_PYTHON
from benchmarks.fan_out.processes import cpu_seconds
from tidemark.errors import TidemarkError

PATIENCE_S = 60
T = TypeVar("T")


def compiled(source: Path, folder: Path) -> Path:
    """The program of one C file, by this machine's compiler or by the one that comes from PyPI."""
    program = folder / source.stem
    compiler = [shutil.which("cc")] if shutil.which("cc") else [str(PEER_PYTHON), "-m", "ziglang", "cc"]
    command = [*compiler, "-O2", "-std=gnu17", "-Wall", "-Wextra", str(source), "-o", str(program)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise TidemarkError(f"{source.name} cannot be compiled: {done.stderr[-500:]}")
    return program


class Received(msgspec.Struct, frozen=True):
    """What the clients received in a window; `cpu`: seconds of CPU that the server took for it."""

    received: int
    bytes: int
    seconds: float
    connected: int
    p50_ms: float
    p99_ms: float
    max_ms: float
    cpu: float = 0.0


class _Connected(msgspec.Struct):
    connected: int


class _Returned(msgspec.Struct):
    seconds: float


class Clients:
    """`count` Socket.IO clients of one server; a context manager that ends them."""

    def __init__(self, program: Path, port: int, count: int, token: str, stalled: int = 0) -> None:
        header = f"Authorization: Bearer {token}"
        self._count = count
        self._process = subprocess.Popen(
            [str(program), str(port), str(count), str(stalled), header],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )

    def __enter__(self) -> Clients:
        self._answer(_Connected)
        return self

    def __exit__(self, *exception: object) -> None:
        self._process.kill()
        self._process.communicate()

    def measure(self, server: psutil.Process, seconds: float) -> Received:
        """What comes in within a window."""
        self._say("start")
        before = cpu_seconds(server)
        time.sleep(seconds)
        cpu = cpu_seconds(server) - before
        self._say("stop")
        found = self._answer(Received)
        if found.connected < self._count or not found.received:
            raise TidemarkError(f"of {self._count} clients {found.connected} stayed; {found.received} messages came")
        return msgspec.structs.replace(found, cpu=cpu)

    def reconnect(self) -> float:
        """Drop all and connect again at once; seconds until each has had a snapshot and a tick."""
        self._say("reconnect")
        return self._answer(_Returned).seconds

    def _say(self, command: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{command}\n")

    def _answer(self, kind: type[T]) -> T:
        assert self._process.stdout is not None
        watchdog = threading.Timer(PATIENCE_S, self._process.kill)
        watchdog.start()
        line = self._process.stdout.readline()
        watchdog.cancel()
        if not line:
            raise TidemarkError("the clients were refused, or waited in vain")
        return msgspec.json.decode(line, type=kind)
