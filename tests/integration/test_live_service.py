"""The service behind the page as its clients and its operators meet it: limits, slow readers, ends, and numbers."""

from __future__ import annotations

import json
import signal
import time
from datetime import timedelta

import httpx
import pytest
from redis import Redis

from tests.cloud import Cloud
from tests.samples import sale
from tests.sockets import browser
from tidemark import tokens
from tidemark.adapters import redis_stream
from tidemark.cells import Cell, CellKey, Combo, measures
from tidemark.local import stores
from tidemark.local.supervisor import wait_until


def metrics(cloud: Cloud, address: str | None = None) -> dict[str, float]:
    answer = httpx.get(
        f"{address or cloud.live}/metrics", headers={"Authorization": f"Bearer {cloud.tokens['read']}"}, timeout=10
    )
    assert answer.status_code == 200
    lines = [line for line in answer.text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


def test_a_tick_tells_the_sale_that_was_posted(cloud: Cloud) -> None:
    with browser(cloud.live, cloud.tokens["read"]) as client:
        client.join()
        known = json.loads(client.read_until('42["names"')[2:])[1]
        cloud.post({"sales": [sale("told")]})
        tick = json.loads(client.read_until('42["tick"')[2:])[1]
    assert {"before", "cursor", "oldest", "request", "names", "cells", "anomalies"} == set(tick)
    assert known["epoch"] == tick["cursor"].split(".")[0]
    first, new = tick["names"]
    names = [*known["names"][1][:first], *new]
    assert [names[branch] for _, branch, *_ in tick["cells"]] == ["A"]


def test_metrics_and_health_count_the_browsers(cloud: Cloud) -> None:
    assert httpx.get(f"{cloud.live}/metrics").status_code == 401
    before = metrics(cloud)["tidemark_live_clients"]
    with browser(cloud.live, cloud.tokens["read"]) as client:
        client.join()
        assert metrics(cloud)["tidemark_live_clients"] == before + 1
    wait_until(lambda: metrics(cloud)["tidemark_live_clients"] == before, "the server to notice", seconds=10)


def test_a_snapshot_is_not_sent_again_to_who_has_it(cloud: Cloud) -> None:
    headers = {"Authorization": f"Bearer {cloud.tokens['read']}"}
    first = httpx.get(f"{cloud.live}/snapshot", headers=headers)
    tag = first.headers["etag"]
    assert httpx.get(f"{cloud.live}/snapshot", headers={**headers, "If-None-Match": tag}).status_code == 304
    since = httpx.get(f"{cloud.live}/snapshot", headers=headers, params={"since": first.json()["cursor"]})
    assert (since.json()["cells"], since.json()["whole"]) == ([], False)


def test_who_speaks_too_much_or_too_long_is_sent_away(cloud: Cloud) -> None:
    with browser(cloud.live, cloud.tokens["read"]) as chatty:
        chatty.join()
        for number in range(60):
            chatty.say(f'42{number}["clock",1]')
        chatty.read_to_the_end()
    with browser(cloud.live, cloud.tokens["read"]) as verbose:
        verbose.join()
        verbose.say(f'420["clock","{"x" * 20_000}"]')
        verbose.read_to_the_end()
    assert (chatty.closed, verbose.closed) == (1008, 1009)


def test_a_socket_ends_with_its_session(cloud: Cloud) -> None:
    secret = stores.token_secret(cloud.home, stores.running(cloud.home))
    short = tokens.mint(secret, "read", name="short", lifetime=timedelta(seconds=3))
    with browser(cloud.live, short) as client:
        client.join()
        client.read_to_the_end()
    assert client.closed == 1000
    with browser(cloud.live, short) as late:
        late.read()
    assert late.accepted is False


@pytest.mark.parametrize("limit", ["max_clients", "max_clients_per_session"])
def test_no_more_sockets_are_open_than_may_be(cloud: Cloud, limit: str) -> None:
    with cloud.another_live_page(**{limit: 2}) as server:
        token = cloud.tokens["read"]
        with browser(server.address, token) as one, browser(server.address, token) as two:
            one.join()
            two.join()
            with browser(server.address, token) as three:
                three.read()
            assert three.accepted is False
            assert httpx.get(f"{server.address}/healthz").status_code == 200
        wait_until(lambda: _may_join(server.address, token), "the places", seconds=10)


def _may_join(address: str, token: str) -> bool:
    with browser(address, token) as client:
        client.read()
    return bool(client.accepted)


def fat_cell(version: int) -> Cell:
    """A cell whose tick is some 200 KB."""
    values = measures(kind="sale", quantity=1, total=10_500, cogs=10_000, tax=500, rating=None, anomaly=False)
    combos = {Combo(f"line {n:04d}", "Member", "Cash"): tuple(v * version for v in values) for n in range(4_000)}
    return Cell(CellKey(25_771_800, "fat", "slow-test"), version, 0, combos)


def test_who_does_not_read_is_passed_over_and_told_so(cloud: Cloud) -> None:
    with cloud.another_live_page() as server, Redis(port=cloud.home.port("redis")) as redis:
        token = cloud.tokens["read"]
        stream = redis_stream.connect(f"redis://127.0.0.1:{cloud.home.port('redis')}")
        with browser(server.address, token, buffer=4096) as slow, browser(server.address, token) as quick:
            slow.join()
            quick.join()
            for version in range(1, 13):
                began = time.monotonic()
                stream.publish([fat_cell(version)], [])
                while not any(f",{version}," in text[:200] or text.startswith("42") for text in quick.said):
                    assert quick.read()
                quick.said.clear()
                assert time.monotonic() - began < 5
            passed_over = metrics(cloud, server.address)["tidemark_live_passed_over_total"]
            assert passed_over > 0
            slow.read_until('42["behind"]')
        redis.xtrim(redis_stream.KEY, maxlen=0)
    cloud.restart("ws_server")  # the cells of this test are in no table: forget them


def test_a_server_that_ends_takes_nobody_and_leaves_nobody(cloud: Cloud) -> None:
    with cloud.another_live_page(drain_seconds=10) as server:
        with browser(server.address, cloud.tokens["read"]) as client:
            client.join()
            server.process.send_signal(signal.SIGTERM)
            client.read_until('42["move",{"within_ms":5000}]')
            with pytest.raises(httpx.TransportError):
                httpx.get(f"{server.address}/healthz")
            cloud.post({"sales": [sale("while it drains")]})
            client.read_until('42["tick"')
        assert server.process.wait(timeout=15) == 0
