"""What runs on a laptop listens to this machine only: every socket of every process that `tidemark up` started."""

from __future__ import annotations

from ipaddress import ip_address

import psutil
import pytest

from tests.cloud import Cloud
from tests.trust import tell
from tidemark.local.home import Home
from tidemark.local.supervisor import Supervisor

LISTENS = "LISTEN"


def listening(home: Home) -> dict[str, list[str]]:
    """By process, the addresses that it and all that it started listen on; a UDP socket listens where it is bound."""
    pid = int(home.supervisor_pid.read_text())
    found: dict[str, list[str]] = {}
    for process in (psutil.Process(pid), *psutil.Process(pid).children(recursive=True)):
        try:
            sockets = process.net_connections(kind="inet")
        except psutil.NoSuchProcess:
            continue
        for one in sockets:
            if one.laddr and (one.status == LISTENS or (one.status == psutil.CONN_NONE and not one.raddr)):
                found.setdefault(f"{process.pid} {process.name()}", []).append(f"{one.laddr.ip} {one.laddr.port}")
    return found


def is_of_this_machine(address: str) -> bool:
    found = ip_address(address.split()[0])
    mapped = getattr(found, "ipv4_mapped", None)
    return (mapped or found).is_loopback


def of_this_machine_alone(home: Home, *services: str) -> dict[str, list[str]]:
    """What listens, the ports of these services among it: all of it on loopback."""
    found = listening(home)
    ports = {int(address.split()[1]) for addresses in found.values() for address in addresses}
    for service in services:
        assert home.port(service) in ports, f"{service} was not looked at"
    beyond = {name: [a for a in addresses if not is_of_this_machine(a)] for name, addresses in found.items()}
    assert {name: addresses for name, addresses in beyond.items() if addresses} == {}
    return found


def test_nothing_listens_beyond_this_machine(cloud: Cloud) -> None:
    assert set(Supervisor(cloud.home).states()) >= {"ministack", "redis", "ws_server", "explorer"}
    found = of_this_machine_alone(cloud.home, "ministack", "redis", "live", "explorer")
    tell("loopback", processes=len(found), sockets=sum(map(len, found.values())))


@pytest.mark.parametrize(("address", "own"), [("127.0.0.1 1", True), ("::1 1", True), ("::ffff:127.0.0.1 1", True)])
def test_what_is_of_this_machine(address: str, own: bool) -> None:
    assert is_of_this_machine(address) is own
    assert not any(map(is_of_this_machine, ("0.0.0.0 1", ":: 1", "10.0.0.1 1", "::ffff:10.0.0.1 1")))
