"""What happens to a page when parts of the world fail: it says so, heals by itself, and then equals the API."""

from __future__ import annotations

import re
import signal

import pytest
from playwright.sync_api import BrowserContext, expect
from redis import Redis

from tests.browser.conftest import Open, says
from tests.cloud import Cloud
from tests.proxy import Proxy
from tests.samples import sale

pytestmark = [pytest.mark.usefixtures("replayed"), pytest.mark.long]

STATES = """() => {
  const node = document.querySelector("[data-connection]");
  window.states = [node.dataset.connection];
  new MutationObserver(() => states.push(node.dataset.connection)).observe(node, { attributes: true });
}"""


def post(cloud: Cloud, name: str) -> None:
    assert (
        cloud.post({"sales": [sale(name, sold_at="2019-03-30T20:57:00Z")]}).json()["results"][0]["status"] == "accepted"
    )


def port_of(cloud: Cloud) -> int:
    return int(cloud.live.rsplit(":", 1)[1])


@pytest.mark.parametrize("service", ["ws_server", "redis"])
def test_a_part_dies(open_page: Open, cloud: Cloud, service: str) -> None:
    page = open_page()
    says(page, cloud.kpis())
    cloud.kill(service)
    post(cloud, f"while {service} was dead")
    says(page, cloud.kpis())
    post(cloud, f"after {service} was dead")
    says(page, cloud.kpis())
    if service == "ws_server":
        expect(page.locator("[data-note]")).to_have_text(re.compile(r"The connection was lost for \d+ s; .* missed"))


def test_redis_is_emptied(open_page: Open, cloud: Cloud) -> None:
    page = open_page()
    with Redis(port=cloud.home.port("redis")) as redis:
        redis.flushall()
    for number in range(3):
        post(cloud, f"after flush {number}")
        says(page, cloud.kpis())


def test_the_network_is_cut_for_a_minute(open_page: Open, cloud: Cloud) -> None:
    with Proxy(port_of(cloud)).running() as proxy:
        page = open_page(at=proxy.address)
        says(page, cloud.kpis())
        before = cloud.kpis()
        proxy.pull()
        page.wait_for_selector("[data-connection=away]")
        post(cloud, "while the cable was out")
        expect(page.locator("[data-freshness]")).to_have_text(re.compile(r"^(6\d|7\d) s ago$"), timeout=90_000)
        says(page, before)
        expect(page.locator(".stale")).to_have_count(1)
        proxy.plug()
        says(page, cloud.kpis())
        page.wait_for_selector("[data-connection=live]")
        expect(page.locator(".stale")).to_have_count(0)
        expect(page.locator("[data-note]")).to_have_text(
            re.compile(r"lost for [67]\d s; 1 sales? (was|were) missed and fetched")
        )


def test_the_clock_is_wrong_and_three_tabs_are_open(context: BrowserContext, open_page: Open, cloud: Cloud) -> None:
    context.add_init_script("const now = Date.now; Date.now = () => now() + 3 * 3600 * 1000")
    pages = [open_page() for _ in range(3)]
    post(cloud, "for three")
    for page in pages:
        page.bring_to_front()
        says(page, cloud.kpis())
    expect(pages[-1].locator("[data-latency]")).to_have_text(re.compile(r"^\d{1,4} ms, p99 \d{1,4} ms$"))
    expect(pages[-1].locator("[data-freshness]")).to_have_text(re.compile("just now|s ago"))


def test_a_server_that_ends_lets_its_pages_move_without_a_gap(open_page: Open, cloud: Cloud) -> None:
    with cloud.another_live_page(drain_seconds=20) as ending, Proxy(ending.port).running() as proxy:
        page = open_page(at=proxy.address)
        says(page, cloud.kpis())
        page.evaluate(STATES)
        proxy.backends = [ending.port, port_of(cloud)]
        post(cloud, "before the move")
        ending.process.send_signal(signal.SIGTERM)
        expect(page.locator("[data-note]")).to_contain_text("Moved to another server without a gap", timeout=25_000)
        post(cloud, "after the move")
        says(page, cloud.kpis())
        assert ending.process.wait(timeout=25) == 0
        post(cloud, "after the end")
        says(page, cloud.kpis())
        assert set(page.evaluate("window.states")) == {"live"}


def test_several_servers_behind_a_proxy_tell_the_same(open_page: Open, cloud: Cloud) -> None:
    with cloud.another_live_page() as other, Proxy(port_of(cloud), other.port).running() as proxy:
        pages = [open_page(at=proxy.address) for _ in range(3)]
        for number in range(5):
            post(cloud, f"behind a proxy {number}")
        for page in pages:
            says(page, cloud.kpis())
        other.process.kill()
        post(cloud, "one of two is dead")
        for page in pages:
            says(page, cloud.kpis())
