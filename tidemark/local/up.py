"""Starting and ending the local cloud."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import httpx
import msgspec
import psutil

from tidemark import data, keyring, tokens
from tidemark.adapters.secret_keys import give_reader_token
from tidemark.errors import TidemarkError, Unavailable
from tidemark.grants import SCOPES
from tidemark.keyring import Keys
from tidemark.local import flow_services, services, stores
from tidemark.local.deploy import Deployment
from tidemark.local.flows_part import FlowsPart
from tidemark.local.home import HOST, Home, State, write_atomically
from tidemark.local.supervisor import Supervisor, answers

PARTS = ("core", "live", "flows", "explorer")
TOKEN_LIFETIME = timedelta(days=30)
NEEDED_BYTES = 500_000_000
SALES_FILE = "supermarket_sales.csv"
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
    try:
        return _start(home, supervisor, parts, simulate=simulate, say=say)
    except BaseException:
        supervisor.stop()
        home.state_file.unlink(missing_ok=True)
        raise


def _start(home: Home, supervisor: Supervisor, parts: frozenset[str], *, simulate: bool, say: Say) -> State:
    ports = home.ports(("ministack", "redis", "live"))
    flows = FlowsPart(home, supervisor, ports["ministack"], say) if "flows" in parts else None
    say("starting ministack and Redis")
    supervisor.start(services.emulator(home, ports["ministack"]), services.redis(home, ports["redis"]))
    if flows:
        flows.begin()
    supervisor.wait_for("ministack", lambda: answers(f"http://{HOST}:{ports['ministack']}/_ministack/health"))
    stack = Deployment(home, f"redis://{HOST}:{ports['redis']}", say).ensure()
    if flows:
        flows.go_on(stack)
    if "live" in parts:
        say("starting the live page")
        label = source_label(simulate=simulate)
        supervisor.add(services.live_page(home, ports["live"], ports["redis"], ports["ministack"], stack, label))
    say("waiting for the API")
    api = services.api_url(ports["ministack"], stack)
    supervisor.wait_for("ministack", lambda: answers(f"{api}/healthz"), what="the API")
    keys = keyring.read(stores.token_secret(home, stack))
    state = State(endpoints={"api": api}, tokens=_tokens(keys))
    reader = give_reader_token(stores.client(home, "secretsmanager"), stack, keys)
    if "live" in parts:
        live = f"http://{HOST}:{ports['live']}"
        say("waiting for the live page")
        supervisor.wait_for("ws_server", lambda: answers(f"{live}/healthz"))
        state.endpoints["live"] = sign_in_link(live, state.tokens["read"])
    if flows:
        state.endpoints |= flows.finish(stack)
    if "explorer" in parts:
        state.endpoints["explorer"] = _explorer(home, supervisor, state, stack, reader, say)
    _write(home, state)
    if simulate:
        say("starting the stream of sales")
        supervisor.add(services.simulator(home))
        if flows:
            supervisor.add(flow_services.housing_drip(home))
    return state


def _tokens(keys: Keys) -> dict[str, str]:
    return {scope: tokens.mint(keys, scope, name="local", lifetime=TOKEN_LIFETIME) for scope in SCOPES}


def renew_tokens(home: Home, keys: Keys) -> None:
    """Write new tokens, and a new sign-in link, to the state file: those before end with the key that signed them."""
    state = home.state()
    state.tokens = _tokens(keys)
    if "live" in state.endpoints:
        address = state.endpoints["live"].partition("/signin")[0]
        state.endpoints["live"] = sign_in_link(address, state.tokens["read"])
    _write(home, state)


def _write(home: Home, state: State) -> None:
    write_atomically(home.state_file, msgspec.json.format(msgspec.json.encode(state)).decode())


def _explorer(home: Home, supervisor: Supervisor, state: State, stack: dict[str, str], reader: str, say: Say) -> str:
    """Start the Streamlit app; `state` tells it where everything else is. Returns its address."""
    port = home.ports(("explorer",))["explorer"]
    say("starting the explorer")
    aws = services.aws_environment(home, home.port("ministack"))
    found = {"lake_bucket": stack["LakeBucket"], "reader_token": stack["ReaderToken"]}
    supervisor.add(services.explorer(port, state.endpoints["api"], reader, state.endpoints, home.tables, aws, found))
    address = f"http://{HOST}:{port}"
    supervisor.wait_for("explorer", lambda: answers(f"{address}/_stcore/health"), seconds=60)
    return address


def sign_in_link(live: str, read_token: str) -> str:
    """A link that signs one browser in."""
    try:
        answer = httpx.post(f"{live}/signin/codes", headers={"Authorization": f"Bearer {read_token}"}, timeout=20)
    except httpx.TransportError as error:
        raise Unavailable(f"the live page gives no sign-in link: {error!r}") from error
    if answer.status_code != httpx.codes.OK:
        raise TidemarkError(f"the live page gives no sign-in link: {answer.text[:200]}")
    return f"{live}{answer.json()['path']}"


def source_label(*, simulate: bool) -> str:
    """What the page says of where its sales come from."""
    if not simulate:
        return "Sales posted to this API"
    if data.find(SALES_FILE):
        return "Real supermarket sales of early 2019, replayed faster; then the same quarter again and again"
    return "Simulated sales: drawn, not real"


def _check_space(home: Home) -> None:
    free = shutil.disk_usage(home.path).free
    if free < NEEDED_BYTES:
        raise TidemarkError(f"{home.path} has {free / 1e6:.0f} MB free; {NEEDED_BYTES / 1e6:.0f} MB are needed")


def down(home: Home, *, wipe: bool) -> bool:
    """End everything; with `wipe` forget the data too. Returns whether anything ran.

    Raises TidemarkError, and ends nothing, where the disk may have no room for what the emulator writes down at its
    end; and where it could not write it.
    """
    supervisor = Supervisor(home)
    ran = supervisor.running()
    if ran and not wipe:
        _check_room_to_keep(home, supervisor)
    log = supervisor.log("ministack")
    told = log.stat().st_size if log.exists() else 0
    supervisor.stop()
    home.state_file.unlink(missing_ok=True)
    if ran and not wipe and (lost := _not_kept(log, told)):
        raise TidemarkError(f"ended, but the emulator could not keep what it held of {lost}: see {log}")
    if wipe:
        folders = (home.emulator, home.redis, home.postgres, home.prefect, home.flows, home.lake_mirror, home.tables)
        for path in (*folders, home.path / "cdk.out"):
            shutil.rmtree(path, ignore_errors=True)
        home.deployed_file.unlink(missing_ok=True)
    return ran


def _check_room_to_keep(home: Home, supervisor: Supervisor) -> None:
    _, pid = supervisor.states().get("ministack", ("", 0))
    try:
        needed = psutil.Process(pid).memory_info().rss if pid else 0  # written down it is smaller
    except psutil.Error:
        return
    free = shutil.disk_usage(home.path).free
    if free < needed:
        raise TidemarkError(
            f"{home.path} has {free / 1e6:,.0f} MB free, and the emulator may need {needed / 1e6:,.0f} MB to keep its "
            "tables: all goes on. Make room and end it again; `tidemark down --wipe` ends it and forgets all"
        )


def _not_kept(log: Path, told: int) -> str:
    """Of which services the emulator said since then that it could not keep what it held."""
    if not log.exists():
        return ""
    said = log.read_bytes()
    lines = said[told if told <= len(said) else 0 :].decode(errors="replace")
    return ", ".join(sorted(set(re.findall(r"Persistence: (?:failed to save|error getting state for) (\w+)", lines))))


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
