"""The live page in a real browser, against the local cloud: what it shows is what the API says."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.cloud import Cloud
from tests.samples import sale

SHOWN = {
    "total-sales": "sales",
    "tickets": "tickets",
    "average-transaction": "average_transaction",
    "items-per-hour": "items_per_hour",
    "inventory-turnover": "inventory_turnover",
}


def says(page: Page, kpis: dict[str, Any]) -> None:
    """Wait until the page shows these KPIs to the last digit."""
    for tile, name in SHOWN.items():
        expect(page.locator(f"[data-kpi={tile}]")).to_have_attribute("data-exact", str(kpis[name]), timeout=15_000)


@pytest.fixture(scope="module", autouse=True)
def _replayed(cloud: Cloud, supermarket_file: Path) -> None:
    cloud.forget_sales()
    cloud.restart("ws_server")
    cloud.simulate("--source", "csv", "--file", str(supermarket_file), "--max")


def test_the_page_shows_what_the_api_says(page: Page, cloud: Cloud) -> None:
    says(page, cloud.kpis())
    words = page.locator("main").inner_text()
    for exactly in ("$322,966.75", "322,966.749 exactly", "322.966749 exactly", "5.6282", "1,000", "5,510 items"):
        assert exactly in words
    assert "simulated stock" in words
    assert page.locator(".chart canvas:first-of-type").count() == 4


def test_filters_combine_and_stay_in_the_address(page: Page, cloud: Cloud) -> None:
    for name in ("A", "Food and beverages", "Member", "Ewallet"):
        page.get_by_role("button", name=name, exact=True).click()
    chosen = {"branch": "A", "product_line": "Food and beverages", "customer_type": "Member", "payment": "Ewallet"}
    says(page, cloud.kpis(**chosen))
    page.get_by_role("button", name="B", exact=True).click()
    says(page, cloud.kpis(**{**chosen, "branch": ["A", "B"]}))
    page.reload()
    says(page, cloud.kpis(**{**chosen, "branch": ["A", "B"]}))
    page.get_by_role("button", name="Clear filters").click()
    page.get_by_role("button", name="7 days").click()
    says(page, cloud.kpis(**{"from": _week_before(cloud)}))
    page.keyboard.press("Escape")
    says(page, cloud.kpis())


def _week_before(cloud: Cloud) -> str:
    """A minute after a week before the newest sale."""
    newest = max(
        sold["sold_at"]
        for branch in "ABC"
        for sold in cloud.get("/v1/sales", branch=branch, **{"from": "2019-03-30", "to": "2019-03-31"}).json()["sales"]
    )
    return (datetime.fromisoformat(newest) - timedelta(days=7) + timedelta(minutes=1)).isoformat()


def test_a_sale_appears_without_reloading(page: Page, cloud: Cloud) -> None:
    page.evaluate("window.notReloaded = true")
    cloud.post({"sales": [sale("appears", sold_at="2019-03-30T20:59:00Z")]})
    says(page, cloud.kpis())
    expect(page.locator("[data-latency]")).to_have_text(re.compile(r"\d+ ms, p99 \d+ ms"))
    expect(page.locator("[data-freshness]")).not_to_have_text("none yet")
    assert page.evaluate("window.notReloaded")


def test_an_anomaly_is_shown_with_its_reason_and_as_text(page: Page, cloud: Cloud) -> None:
    script = "<img src=x onerror=alert(1)>"
    cloud.post({"sales": [sale("odd", total="1000", product_line=script, sold_at="2019-03-30T20:58:00Z")]})
    feed = page.locator(".anomalies")
    expect(feed).to_contain_text("Total is not price × quantity + tax; Product line is not on the list")
    expect(feed).to_contain_text(script)
    assert page.locator("main img").count() == 0
    page.reload()  # now from the ledger, not from a tick
    expect(page.locator(".anomalies")).to_contain_text("Total is not price × quantity + tax")


@pytest.mark.parametrize("service", ["ws_server", "redis"])
def test_the_page_heals_when_a_part_dies(page: Page, cloud: Cloud, service: str) -> None:
    says(page, cloud.kpis())
    cloud.kill(service)
    cloud.post({"sales": [sale(f"while {service} was dead", sold_at="2019-03-30T20:57:00Z")]})
    expected = cloud.kpis()
    says(page, expected)
    cloud.post({"sales": [sale(f"after {service} was dead", sold_at="2019-03-30T20:56:00Z")]})
    assert cloud.kpis() != expected
    says(page, cloud.kpis())


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_moves_when_numbers_change(page: Page, cloud: Cloud, scheme: str) -> None:
    page.get_by_role("combobox").select_option(scheme)
    before = page.locator(".tile").evaluate_all("tiles => tiles.map(t => JSON.stringify(t.getBoundingClientRect()))")
    cloud.post({"sales": [sale(f"still {scheme}", sold_at="2019-03-30T20:55:00Z")]})
    says(page, cloud.kpis())
    after = page.locator(".tile").evaluate_all("tiles => tiles.map(t => JSON.stringify(t.getBoundingClientRect()))")
    assert before == after
