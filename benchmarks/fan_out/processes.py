"""Fan-out's processes: the measured server alone on one core, everything else on another."""

from __future__ import annotations

import contextlib
import os
import re
import resource
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence

import httpx
import psutil

from benchmarks.measure import ROOT
from tidemark.errors import TidemarkError
from tidemark.local.home import HOST
from tidemark.local.supervisor import wait_until

SERVERS, OTHERS = 0, 1
SOCKETS = 6_000


@contextlib.contextmanager
def shared_out() -> Iterator[None]:
    """This process, and what it starts, stays off the servers' core, and may open sockets enough."""
    if not hasattr(os, "sched_setaffinity") or not {SERVERS, OTHERS} <= os.sched_getaffinity(0):
        raise TidemarkError("this benchmark needs Linux and two cores")
    before, files = os.sched_getaffinity(0), resource.getrlimit(resource.RLIMIT_NOFILE)
    if files[1] < SOCKETS:
        raise TidemarkError(f"this benchmark needs {SOCKETS} open files; `ulimit -Hn` allows {files[1]}")
    os.sched_setaffinity(0, {OTHERS})
    resource.setrlimit(resource.RLIMIT_NOFILE, (files[1], files[1]))
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
        resource.setrlimit(resource.RLIMIT_NOFILE, files)


@contextlib.contextmanager
def server(command: Sequence[str], port: int, environment: Mapping[str, str]) -> Iterator[psutil.Process]:
    """A process on the servers' core, once it listens on `port`."""
    name = " ".join(command)
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=lambda: os.sched_setaffinity(0, {SERVERS}),
    )

    def listens() -> bool:
        if process.poll() is not None:
            raise TidemarkError(
                f"{name} ended with exit code {process.returncode}; `make bench` installs what it needs"
            )
        with socket.socket() as probe:
            return probe.connect_ex((HOST, port)) == 0

    try:
        wait_until(listens, name, seconds=30)
        yield psutil.Process(process.pid)
    finally:
        process.kill()
        process.wait()


def cpu_seconds(process: psutil.Process) -> float:
    """User's and system's, since it started."""
    times = process.cpu_times()
    return float(times.user + times.system)


def counter(port: int, token: str, name: str) -> float:
    """A counter of ws_server, by its own metrics."""
    answer = httpx.get(f"http://{HOST}:{port}/metrics", headers={"Authorization": f"Bearer {token}"}, timeout=10)
    found = re.search(rf"^tidemark_live_{name}_total (\S+)$", answer.text, re.MULTILINE)
    if found is None:
        raise TidemarkError(f"ws_server does not tell its {name}: {answer.text[:200]}")
    return float(found[1])
