"""The whole live path of fan-out: sales in Redis, the real ws_server, pages that watch and pages that come back."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil

from benchmarks.cloud import local_cloud
from benchmarks.fan_out.clients import Clients
from benchmarks.fan_out.processes import counter, server
from benchmarks.fan_out.publisher import Publisher
from benchmarks.measure import median
from tidemark.local import services, stores
from tidemark.local.home import HOST, Home, free_port
from tidemark.local.supervisor import wait_until
from tidemark.settings import variable

PAGES = 2_000
SALES_PER_SECOND = 5_000
WARM_S, WINDOW_S = 4.0, 15.0
RECONNECTS = 3


def run(program: Path) -> tuple[float, dict[str, float]]:
    """How many sends a message for each sale would cost for one of ours, and the figures; `program`: the clients."""
    with (
        local_cloud("core") as home,
        _live_page(home) as (process, port),
        Publisher(f"redis://{HOST}:{home.port('redis')}", SALES_PER_SECOND) as publisher,
    ):
        token = home.state().tokens["read"]
        time.sleep(WARM_S)
        empty = process.memory_info().rss
        with Clients(program, port, PAGES, token) as pages:
            time.sleep(WARM_S)
            began, sales, sends = time.monotonic(), publisher.sales, counter(port, token, "sent")
            seen = pages.measure(process, WINDOW_S)
            sales, sends = publisher.sales - sales, counter(port, token, "sent") - sends
            seconds = time.monotonic() - began
            full = process.memory_info().rss
            back = [_reconnect(pages) for _ in range(RECONNECTS)]
    return sales * PAGES / sends, {
        "conflated_clients": PAGES,
        "conflated_sales_per_second": round(sales / seconds),
        "conflated_sends_per_second": round(sends / seconds),
        "conflated_bytes_per_tick": round(seen.bytes / seen.received),
        "conflated_p50_ms": seen.p50_ms,
        "conflated_p99_ms": seen.p99_ms,
        "conflated_share_of_a_core": round(seen.cpu / WINDOW_S, 3),
        "conflated_memory_per_client_kb": round((full - empty) / PAGES / 1000, 1),
        "reconnect_2000_s": round(median(back), 2),
    }


def _reconnect(pages: Clients) -> float:
    took = pages.reconnect()
    time.sleep(1)
    return took


@contextlib.contextmanager
def _live_page(home: Home) -> Iterator[tuple[psutil.Process, int]]:
    """ws_server as the local cloud runs it, but on the servers' core and for all pages as one session.

    Twice as many: those that come back may be there before it has seen that they had gone.
    """
    port = free_port()
    service = services.live_page(home, port, home.port("redis"), home.port("ministack"), stores.running(home), "")
    environment = {**service.environment, variable("max_clients_per_session"): str(2 * PAGES)}
    with server(service.command, port, environment) as process:
        wait_until(
            lambda: httpx.get(f"http://{HOST}:{port}/healthz").status_code == httpx.codes.OK, "ws_server", seconds=30
        )
        yield process, port
