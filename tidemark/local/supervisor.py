"""Watching the processes, with supervisord: it starts them, restarts what dies, keeps their logs, ends them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from xmlrpc.client import Fault, ServerProxy

import httpx
import psutil
from supervisor.xmlrpc import SupervisorTransport

from tidemark.errors import TidemarkError
from tidemark.local.home import ROOT, Home, write_atomically
from tidemark.local.services import EMULATOR_ENDS_S, Service

STOP_S = EMULATOR_ENDS_S + 60.0  # one service after the other ends, the last started first; a flow may need 15 s
DOES_NOT_START = ("fatal", "backoff", "exited")


class DoesNotAnswer(TidemarkError):
    """What was waited for did not come in time."""


class Supervisor:
    """The one supervisord of a home."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._services: list[Service] = []
        self._adding = threading.Lock()

    def running(self) -> bool:
        """Whether it is there."""
        return self._process() is not None

    def start(self, *services: Service) -> None:
        """Start supervisord with these services."""
        home = self._home
        home.supervisor_socket.unlink(missing_ok=True)
        self._services = list(services)
        write_atomically(home.supervisor_config, _config(home, self._services))
        started = subprocess.run(
            [sys.executable, "-m", "supervisor.supervisord", "-c", str(home.supervisor_config)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        if started.returncode:
            raise TidemarkError(f"the processes cannot be started: {(started.stderr or started.stdout).strip()}")
        wait_until(self._answers, "supervisord", seconds=20)

    def _answers(self) -> bool:
        try:
            self._proxy().supervisor.getState()
        except (OSError, Fault):
            return False
        return True

    def add(self, *services: Service) -> None:
        """Start these beside those that run. Threads may do so at once."""
        with self._adding:
            self._services += services
            write_atomically(self._home.supervisor_config, _config(self._home, self._services))
            try:
                changes: Any = self._proxy().supervisor.reloadConfig()
                added, _, _ = changes[0]
                for name in added:
                    self._proxy().supervisor.addProcessGroup(name)
            except (OSError, Fault) as error:
                names = ", ".join(service.name for service in services)
                raise TidemarkError(f"the processes' supervisor does not take {names}: {error}") from None

    def wait_for(
        self, name: str, answers: Callable[[], bool], *, what: str | None = None, seconds: float = 30.0
    ) -> None:
        """Wait until the service `name`, or `what` is in it, answers.

        Raises TidemarkError with the last lines of a log where it does not in time, or where any service does not run.
        """
        try:
            wait_until(answers, what or name, seconds=seconds, alive=self.check)
        except DoesNotAnswer as error:
            raise TidemarkError(f"{error}:\n{self.tail(name)}") from None

    def check(self) -> None:
        """Raise TidemarkError, with the last lines of its log, where a service does not run."""
        for name, (state, _) in self.states().items():
            if state in DOES_NOT_START:
                raise TidemarkError(f"{name} does not start:\n{self.tail(name)}")

    def states(self) -> dict[str, tuple[str, int]]:
        """Each service's state in a word, and its process id (0 where it has none)."""
        try:
            found = self._proxy().supervisor.getAllProcessInfo()
        except (OSError, Fault) as error:
            raise TidemarkError(f"the processes' supervisor does not answer: {error}") from None
        assert isinstance(found, list)
        return {info["name"]: (str(info["statename"]).lower(), int(info["pid"])) for info in found}

    def log(self, name: str) -> Path:
        """Where a service's log is."""
        return self._home.logs / f"{name}.log"

    def tail(self, name: str, lines: int = 6) -> str:
        """The last lines of a service's log."""
        path = self.log(name)
        return "\n".join(path.read_text(errors="replace").splitlines()[-lines:]) if path.exists() else ""

    def stop(self) -> None:
        """End everything, children and grandchildren too, and wait until it has ended."""
        process = self._process()
        if process is None:
            return
        family = [process]
        with suppress(psutil.NoSuchProcess):  # it ends by itself just now
            family += process.children(recursive=True)
            process.send_signal(signal.SIGTERM)
        _, left = psutil.wait_procs(family, timeout=STOP_S)
        for survivor in left:
            with suppress(psutil.NoSuchProcess):
                survivor.kill()
        psutil.wait_procs(left, timeout=5)
        self._home.supervisor_pid.unlink(missing_ok=True)
        self._home.supervisor_socket.unlink(missing_ok=True)

    def _process(self) -> psutil.Process | None:
        try:
            process = psutil.Process(int(self._home.supervisor_pid.read_text()))
            ours = str(self._home.supervisor_config) in process.cmdline()
        except (OSError, ValueError, psutil.Error):
            return None
        return process if ours and process.status() != psutil.STATUS_ZOMBIE else None

    def _proxy(self) -> ServerProxy:
        transport = SupervisorTransport(None, None, f"unix://{self._home.supervisor_socket}")
        return ServerProxy("http://127.0.0.1", transport=transport)


def wait_until(
    condition: Callable[[], bool],
    what: str,
    *,
    seconds: float,
    every: float = 0.05,
    alive: Callable[[], None] = lambda: None,
) -> None:
    """Wait until `condition()` holds, asking `every` so many seconds; `alive()` may raise what makes waiting pointless.

    Raises DoesNotAnswer where it does not hold in time.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        alive()
        if time.monotonic() > deadline:
            raise DoesNotAnswer(f"{what} does not answer after {seconds:.0f} s")
        time.sleep(every)


def answers(url: str) -> bool:
    """Whether a server answers 200 there."""
    try:
        return httpx.get(url, timeout=10).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def _config(home: Home, services: list[Service]) -> str:
    parts = [
        "[supervisord]",
        f"logfile={home.logs / 'supervisord.log'}",
        f"pidfile={home.supervisor_pid}",
        f"directory={ROOT}",
        "umask=077",
        *(["user=root"] if os.geteuid() == 0 else []),
        "[unix_http_server]",
        f"file={home.supervisor_socket}",
        "chmod=0700",
        "[rpcinterface:supervisor]",
        "supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface",
    ]
    for service in services:
        environment = ",".join(f'{key}="{_escape(value)}"' for key, value in service.environment.items())
        parts += [
            f"[program:{service.name}]",
            f"command={_escape(' '.join(_quote(word) for word in service.command))}",
            f"environment={environment}",
            f"stopsignal={service.stop_signal}",
            "autostart=true",
            "autorestart=true",
            "startsecs=4",
            "startretries=5",
            "stopasgroup=true",
            "killasgroup=true",
            f"stopwaitsecs={service.ends_s}",
            "redirect_stderr=true",
            f"stdout_logfile={_escape(str(home.logs / f'{service.name}.log'))}",
            "stdout_logfile_maxbytes=10MB",
            "stdout_logfile_backups=1",
        ]
    return "\n".join(parts) + "\n"


def _quote(word: str) -> str:
    return "'" + word.replace("'", "'\\''") + "'"


def _escape(value: str) -> str:
    return value.replace("%", "%%").replace('"', '\\"')
