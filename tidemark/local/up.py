"""Starting and ending the local cloud."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from datetime import timedelta

import httpx
import msgspec

from tidemark import tokens
from tidemark.errors import TidemarkError
from tidemark.local import services, stores
from tidemark.local.deploy import Deployment
from tidemark.local.home import HOST, Home, State, write_atomically
from tidemark.local.supervisor import Supervisor, wait_until

PARTS = ("core", "live", "flows", "explorer")
TOKEN_LIFETIME = timedelta(days=30)
Say = Callable[[str], None]


def up(home: Home, parts: frozenset[str], *, simulate: bool, say: Say) -> State:
    """Start the parts and return once they answer. Where it fails, what it started is ended again.

    Raises TidemarkError that says what does not start and why.
    """
    supervisor = Supervisor(home)
    if supervisor.running():
        say("already running")
        return home.state()
    home.create()
    home.state_file.unlink(missing_ok=True)
    _check_space(home)
    ports = home.ports(("ministack", "redis"))
    wanted = [services.emulator(home, ports["ministack"]), services.redis(home, ports["redis"])]
    if simulate:
        wanted.append(services.simulator(home))
    say("starting " + ", ".join(service.name for service in wanted if not service.waits_for_deploy))
    supervisor.start(wanted)
    try:
        state = _finish(home, supervisor, ports, say)
        for service in wanted:
            if service.waits_for_deploy:
                say(f"starting {service.name}")
                supervisor.start_service(service.name)
    except BaseException:
        supervisor.stop()
        home.state_file.unlink(missing_ok=True)
        raise
    return state


def _finish(home: Home, supervisor: Supervisor, ports: dict[str, int], say: Say) -> State:
    def alive() -> None:
        for name, (state, _) in supervisor.states().items():
            if state in ("fatal", "backoff"):
                raise TidemarkError(f"{name} does not start:\n{supervisor.tail(name)}")

    emulator = f"http://{HOST}:{ports['ministack']}"
    wait_until(lambda: _answers(f"{emulator}/_ministack/health"), "ministack", seconds=30, alive=alive)
    deployment = Deployment(home, f"redis://{HOST}:{ports['redis']}", say)
    outputs = deployment.ensure()
    api = f"{emulator}/restapis/{outputs['ApiId']}/live/_user_request_"
    say("waiting for the API")
    wait_until(lambda: _answers(f"{api}/healthz"), "the API", seconds=30, alive=alive)
    secret = stores.token_secret(home, outputs)
    state = State(
        endpoints={"api": api},
        tokens={scope: tokens.mint(secret, scope, name="local", lifetime=TOKEN_LIFETIME) for scope in tokens.SCOPES},
    )
    write_atomically(home.state_file, msgspec.json.format(msgspec.json.encode(state)).decode())
    return state


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=10).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def _check_space(home: Home) -> None:
    free = shutil.disk_usage(home.path).free
    if free < 500_000_000:
        raise TidemarkError(f"{home.path} has {free / 1e6:.0f} MB free; 500 MB are needed")


def down(home: Home, *, wipe: bool) -> bool:
    """End everything; with `wipe` forget the data too. Returns whether anything ran."""
    supervisor = Supervisor(home)
    ran = supervisor.running()
    supervisor.stop()
    home.state_file.unlink(missing_ok=True)
    if wipe:
        for path in (home.emulator, home.redis, home.path / "cdk.out"):
            shutil.rmtree(path, ignore_errors=True)
        home.deployed_file.unlink(missing_ok=True)
    return ran


def watch(home: Home, say: Say) -> None:
    """Stay until interrupted, telling when a process dies and is started again."""
    supervisor = Supervisor(home)
    before = supervisor.states()
    while True:
        time.sleep(1)
        now = supervisor.states()
        for name, (state, pid) in now.items():
            if (state, pid) != before.get(name):
                say(f"{name}: {state}" + (f" (process {pid})" if pid else ""))
        before = now
