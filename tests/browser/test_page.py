"""The live page in a real browser, against the local cloud: what it shows is what the API says."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Open, says
from tests.cloud import Cloud
from tests.samples import sale
from tidemark.local import stores

pytestmark = pytest.mark.usefixtures("replayed")

RECTANGLES = "tiles => tiles.map(t => JSON.stringify(t.getBoundingClientRect()))"


def test_the_page_shows_what_the_api_says(page: Page, cloud: Cloud) -> None:
    says(page, cloud.kpis())
    words = page.locator("main").inner_text()
    for exactly in ("$322,966.75", "322,966.749 exactly", "322.966749 exactly", "5.6282", "1,000", "5,510 items"):
        assert exactly in words
    assert "simulated stock" in words
    expect(page.locator("[data-tile=segments]")).to_contain_text("Baskets: no difference beyond chance")
    expect(page.locator("[data-sales]")).to_have_attribute("data-sales", "1000")


def test_filters_combine_and_stay_in_the_address(page: Page, cloud: Cloud) -> None:
    filters = page.get_by_role("navigation", name="Filters")
    for name in ("A", "Food and beverages", "Member", "Ewallet"):
        filters.get_by_role("button", name=name, exact=True).click()
    chosen = {"branch": "A", "product_line": "Food and beverages", "customer_type": "Member", "payment": "Ewallet"}
    says(page, cloud.kpis(**chosen))
    filters.get_by_role("button", name="B", exact=True).click()
    says(page, cloud.kpis(**{**chosen, "branch": ["A", "B"]}))
    page.reload()
    says(page, cloud.kpis(**{**chosen, "branch": ["A", "B"]}))
    page.go_back()
    says(page, cloud.kpis(**chosen))
    filters.get_by_role("button", name="Remove filter Payment: Ewallet").click()
    del chosen["payment"]
    says(page, cloud.kpis(**chosen))
    filters.get_by_role("button", name="Clear filters").click()
    filters.get_by_role("button", name="7 days", exact=True).click()
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
    feed = page.locator("[data-tile=anomalies]")
    expect(feed).to_contain_text("Total is not price × quantity + tax; Product line is not on the list")
    expect(feed).to_contain_text(script)
    assert page.locator("main img").count() == 0
    page.reload()  # now from the ledger, not from a tick
    expect(page.locator("[data-tile=anomalies]")).to_contain_text("Total is not price × quantity + tax")


def test_a_verdict_on_an_alarm_is_kept_and_the_last_one_holds(open_page: Open, cloud: Cloud) -> None:
    cloud.post({"sales": [sale("judged", total="2", sold_at="2019-03-30T20:52:00Z"), sale("usual")]})
    runs, _ = stores.open_pipelines(cloud.home)
    panel = open_page("open=sale:judged").get_by_role("dialog")
    asked = panel.get_by_role("group", name="Was the alarm right?")
    expect(asked).to_contain_text("Tells how often alarms are right.")
    for name, anomaly in (("False alarm", False), ("It was wrong", True)):
        asked.get_by_role("button", name=name).click()
        expect(asked.get_by_role("button", pressed=True)).to_have_text(name)
        expect(asked.get_by_role("status")).to_have_text("Kept")
        expect(asked.get_by_role("button", name=name)).to_be_focused()
        assert runs.told(["judged"]) == {"judged": anomaly}
    panel = open_page("open=sale:usual").get_by_role("dialog")
    expect(panel).to_contain_text("Nothing unusual about it")
    expect(panel.get_by_role("group", name="Was the alarm right?")).to_have_count(0)


@pytest.mark.parametrize("width", [360, 1440])
def test_the_model_that_no_watch_has_seen_says_so_in_the_room_kept_for_it(page: Page, cloud: Cloud, width: int) -> None:
    held: list[Route] = []
    page.set_viewport_size({"width": width, "height": 900})
    page.route("**/v1/models/sales", lambda route: held.append(route))  # Playwright marks the function
    page.reload()
    says(page, cloud.kpis())
    tile = page.locator("[data-tile=model]")
    expect(tile).to_contain_text("Asking how it does")
    before = page.locator(".tile").evaluate_all(RECTANGLES)
    held[0].continue_()
    expect(tile).to_contain_text("The watch has not looked at the model yet: the part flows does that")
    expect(tile.locator(".number")).to_have_text("Not judged yet")
    expect(tile).to_contain_text("The model that came with Tidemark serves")
    assert page.locator(".tile").evaluate_all(RECTANGLES) == before


@pytest.mark.parametrize("width", [360, 1440])
def test_a_forecast_that_is_not_there_yet_says_so_in_the_room_kept_for_it(page: Page, cloud: Cloud, width: int) -> None:
    held: list[Route] = []
    page.set_viewport_size({"width": width, "height": 900})
    page.route("**/v1/forecast", lambda route: held.append(route))  # Playwright marks the function
    page.reload()
    says(page, cloud.kpis())
    tile = page.locator("[data-tile=forecast]")
    expect(tile).to_contain_text("Asking what is forecast")
    before = page.locator(".tile").evaluate_all(RECTANGLES)
    held[0].continue_()
    expect(tile.locator(".number")).to_have_text("No forecast yet")
    expect(tile).to_contain_text("There is no forecast yet: the part flows makes one every two minutes")
    expect(tile.get_by_role("slider")).to_have_count(0)
    assert page.locator(".tile").evaluate_all(RECTANGLES) == before


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_moves_when_numbers_change(open_page: Open, cloud: Cloud, scheme: str) -> None:
    page = open_page()
    page.emulate_media(color_scheme="light" if scheme == "light" else "dark")
    says(page, cloud.kpis())
    before = page.locator(".tile").evaluate_all(RECTANGLES)
    cloud.post({"sales": [sale(f"still {scheme}", sold_at="2019-03-30T20:55:00Z")]})
    says(page, cloud.kpis())
    assert page.locator(".tile").evaluate_all(RECTANGLES) == before


@pytest.mark.parametrize(("width", "height"), [(360, 740), (768, 1024), (1440, 900), (3840, 2160)])
def test_it_fits_every_screen(open_page: Open, width: int, height: int) -> None:
    page = open_page()
    page.set_viewport_size({"width": width, "height": height})
    page.wait_for_function("() => document.documentElement.scrollWidth <= innerWidth")
    first = page.locator("[data-kpi=total-sales]").bounding_box()
    assert first is not None
    assert first["y"] < height / 2


def test_a_page_without_sales_explains_itself(open_page: Open) -> None:
    page = open_page("branch=nowhere")
    for said in ("no sale passes the filters", "No sale passes the filters", "Nothing unusual"):
        expect(page.locator("main")).to_contain_text(said)
    empty = {"cursor": "empty.1.0-0", "whole": True, "names": [0, []], "cells": [], "anomalies": []}
    page.route("**/snapshot*", lambda route: route.fulfill(json=empty))
    page.goto(page.url.split("?")[0])
    for said in ("the first sale appears at once", "Sales appear here as they are made", "Nothing unusual"):
        expect(page.locator("main")).to_contain_text(said)


def test_what_makes_no_sense_in_the_address_is_left_aside(open_page: Open, cloud: Cloud) -> None:
    page = open_page(
        "tiles=x&hour=99,a&weekday=-1&from=never&replay=1.2&compare=?&show=&locale=%%&currency=USD@0&open=x"
    )
    says(page, cloud.kpis())
    assert json.loads(page.evaluate("JSON.stringify(localStorage)")) is not None
