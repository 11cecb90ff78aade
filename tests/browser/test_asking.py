"""Asking the page: marks, brushes, drilling, replaying, comparing, keeping, exporting, alerting, feedback."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import Open, says
from tests.cloud import Cloud
from tests.samples import sale

pytestmark = pytest.mark.usefixtures("replayed")


def tickets(page: Page) -> int:
    return int(page.locator("[data-kpi=tickets]").get_attribute("data-exact") or 0)


def test_every_mark_says_its_number_and_filters(page: Page, cloud: Cloud) -> None:
    lines = page.locator("[data-tile=lines]")
    mark = lines.get_by_role("button", name=re.compile("^Food and beverages"))
    mark.hover()
    expect(lines.locator(".says")).to_have_text("Food and beverages: $56,144.84 · 174 sales")
    mark.click()
    says(page, cloud.kpis(product_line="Food and beverages"))
    mark.click()
    page.locator("[data-tile=payments]").get_by_role("button", name=re.compile("^Cash, Member")).click()
    says(page, cloud.kpis(payment="Cash", customer_type="Member"))
    page.keyboard.press("Escape")
    page.locator("[data-tile=branches]").get_by_role("button", name=re.compile("^Branch C")).click()
    says(page, cloud.kpis(branch="C"))


def test_time_is_brushed_with_the_mouse_and_with_the_keyboard(page: Page, cloud: Cloud) -> None:
    chart = page.locator(".over-time")
    over = chart.locator(".u-over").bounding_box()
    assert over is not None
    page.mouse.move(over["x"] + over["width"] * 0.25, over["y"] + 50)
    page.mouse.down()
    page.mouse.move(over["x"] + over["width"] * 0.5, over["y"] + 60, steps=5)
    page.mouse.up()
    page.wait_for_url(re.compile(r"from=.*to="))
    query = page.evaluate("Object.fromEntries(new URLSearchParams(location.search))")
    says(page, cloud.kpis(**{"from": f"{query['from']}:00Z", "to": f"{query['to']}:00Z"}))
    page.keyboard.press("Escape")
    says(page, cloud.kpis())
    chart.focus()
    page.keyboard.press("Home")
    expect(chart).to_have_attribute("aria-valuetext", re.compile(r"^Tue, Jan 1, 2019: \$4,745\.18 · 12 sales"))
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Enter")
    says(page, cloud.kpis(**{"from": "2019-01-01", "to": "2019-01-03"}))


def test_a_number_leads_to_its_hours_its_sales_and_one_sale(page: Page, cloud: Cloud) -> None:
    cloud.post({"sales": [sale("drilled", total="1", sold_at="2019-02-01T14:30:00Z")]})
    cloud.post({"sales": [sale("drilled", total="2", sold_at="2019-02-01T14:30:00Z")]})
    page.get_by_role("button", name="Tickets", exact=True).click()
    panel = page.get_by_role("dialog")
    panel.get_by_role("button", name="Fri, Feb 1, 2019").click()
    panel.get_by_role("button", name="Fri, Feb 1, 2019, 14:00").click()
    panel.get_by_role("button", name="drilled").click()
    expect(panel).to_contain_text("Total is not price × quantity + tax")
    stored = cloud.get("/v1/sales/drilled").json()
    expect(panel).to_contain_text(stored["sale"]["model"])
    expect(panel).to_contain_text(f"writer {stored['counted_by']['writer']}")
    expect(panel).to_contain_text("total 2 instead of 1")
    expect(page).to_have_url(re.compile("open=sale%3Adrilled"))
    page.reload()
    expect(page.get_by_role("dialog")).to_contain_text("Total is not price × quantity + tax")
    page.get_by_role("button", name="← The sales of its hour").click()
    expect(page.get_by_role("dialog")).to_contain_text("drilled")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_pause_holds_the_picture_and_catches_up(page: Page, cloud: Cloud) -> None:
    says(page, cloud.kpis())
    before = cloud.kpis()
    page.get_by_role("button", name="Pause").click()
    cloud.post({"sales": [sale("paused 1"), sale("paused 2")]})
    page.get_by_role("button", name="Catch up: 2 sales").wait_for()
    says(page, before)
    page.get_by_role("button", name="Catch up: 2 sales").click()
    says(page, cloud.kpis())


def test_a_day_is_played_again(page: Page, cloud: Cloud) -> None:
    page.get_by_role("button", name="Replay").click()
    bar = page.get_by_role("region", name="Replay")
    bar.get_by_label("Day").fill("2019-03-08")
    bar.get_by_role("button", name="Stop").click()
    scrubber = bar.get_by_role("slider")
    for minute, until in ((840, "14:00"), (1260, "21:00")):
        scrubber.evaluate(
            "(input, value) => { input.value = value; input.dispatchEvent(new Event('input', { bubbles: true }));"
            " input.dispatchEvent(new Event('change', { bubbles: true })) }",
            str(minute),
        )
        says(page, cloud.kpis(**{"from": "2019-03-08", "to": f"2019-03-08T{until}:00Z"}))
    expect(page).to_have_url(re.compile(r"replay=17963\.1260\.0"))
    bar.get_by_label("Speed").select_option("240")
    says(page, cloud.kpis(**{"from": "2019-03-08", "to": "2019-03-09"}))
    bar.get_by_role("button", name="Back to live").click()
    says(page, cloud.kpis())


def test_two_branches_and_two_periods_are_compared(open_page: Open, cloud: Cloud) -> None:
    page = open_page("branch=A")
    page.get_by_label("Compare").select_option("with branch B")
    tile = page.locator(".kpi", has_text="Tickets")
    expect(tile.locator(".change")).to_contain_text(f"on branch B: {cloud.kpis(branch='B')['tickets']}")
    page.get_by_label("Compare").select_option("with a week earlier")
    expect(tile.locator(".change")).not_to_contain_text("a week earlier")  # all time has no week before it
    page.goto(f"{cloud.live}/?from=2019-02-08T00:00&to=2019-02-15T00:00&compare=week")
    week_before = cloud.kpis(**{"from": "2019-02-01", "to": "2019-02-08"})
    expect(tile.locator(".change")).to_contain_text(f"on a week earlier: {week_before['tickets']}")


def test_tiles_and_numbers_are_chosen_and_ordered_and_kept_by_name(page: Page, cloud: Cloud) -> None:
    page.get_by_role("button", name="Tiles").click()
    panel = page.get_by_role("dialog")
    panel.get_by_label("Ratings", exact=True).uncheck()
    panel.get_by_label("Rating", exact=True).check()
    panel.get_by_role("button", name="Needs a look: up").click()
    page.keyboard.press("Escape")
    expect(page.locator("[data-tile]").first).to_have_attribute("data-tile", "anomalies")
    expect(page.locator("[data-tile=ratings]")).to_have_count(0)
    expect(page.locator("[data-kpi=rating]")).to_have_attribute("data-exact", str(cloud.kpis()["rating"]))
    page.get_by_role("button", name="Views").click()
    panel.get_by_label("Name").fill("Mine")
    panel.get_by_role("button", name="Keep").click()
    link = panel.get_by_label("Address of this view").input_value()
    page.goto(cloud.live)
    expect(page.locator("[data-tile=ratings]")).to_have_count(1)
    page.get_by_role("button", name="Views").click()
    page.get_by_role("dialog").get_by_role("button", name="Mine", exact=True).click()
    expect(page.locator("[data-tile=ratings]")).to_have_count(0)
    expect(page).to_have_url(link)


def test_numbers_are_written_as_the_reader_wants(page: Page) -> None:
    page.get_by_role("button", name="Settings").click()
    panel = page.get_by_role("dialog")
    panel.get_by_label("Numbers and dates").select_option("de-DE")
    expect(page.locator("[data-kpi=average-transaction]")).to_have_text(re.compile(r"^3\d\d,\d\d\s\$$"))
    panel.get_by_label("Currency").select_option("EUR, Euro")
    panel.get_by_label("EUR for one USD").fill("0.5")
    expect(page.locator("[data-kpi=average-transaction]")).to_have_text(re.compile(r"^1\d\d,\d\d\s€$"))
    expect(page.locator(".kpi", has_text="Total sales")).to_contain_text("EUR at 0,5")
    panel.get_by_label("Theme").select_option("dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(15, 21, 22)"
    panel.get_by_label("Kiosk").click()
    expect(page.get_by_role("toolbar")).to_have_count(0)
    page.keyboard.press("Escape")
    expect(page.get_by_role("toolbar")).to_have_count(1)


def test_what_is_seen_is_exported(open_page: Open, cloud: Cloud, tmp_path: Path) -> None:
    cloud.post({"sales": [sale("formula", product_line="=1+1", sold_at="2019-03-29T20:59:00Z")]})
    page = open_page("branch=A")
    says(page, cloud.kpis(branch="A"))
    page.get_by_text("Export").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Numbers (CSV)").click()
    table = tmp_path / "numbers.csv"
    download.value.save_as(table)
    rows = list(csv.DictReader(table.open(encoding="utf-8", newline="")))
    expected = cloud.kpis(branch="A")
    (whole,) = [row for row in rows if row["view"] == "all"]
    assert (whole["sales"], int(whole["tickets"])) == (expected["sales"], expected["tickets"])
    days = [row for row in rows if row["view"] == "over time"]
    assert sum(int(row["tickets"]) for row in days) == expected["tickets"]
    assert [row["value"] for row in rows if "1+1" in row["value"]] == ["'=1+1"]
    with page.expect_download() as download:
        page.get_by_role("button", name="Picture (PNG)").click()
    picture = tmp_path / "page.png"
    download.value.save_as(picture)
    assert picture.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert picture.stat().st_size > 50_000


def test_a_rule_tells_when_its_limit_is_crossed(context: BrowserContext, page: Page, cloud: Cloud) -> None:
    context.grant_permissions(["notifications"])
    page.evaluate(
        """() => {
          window.told = [];
          window.Notification = class { constructor(_, { body }) { told.push(body) } static permission = "granted" };
        }"""
    )
    page.get_by_role("button", name="Alerts").click()
    panel = page.get_by_role("dialog")
    panel.get_by_label("Tell me when").select_option("Tickets")
    panel.get_by_role("combobox").nth(1).select_option("all time")
    panel.get_by_label("Limit").fill(str(cloud.kpis()["tickets"]))
    panel.get_by_role("button", name="Add").click()
    panel.get_by_label("Tell me when").select_option("a sale is unusual")
    panel.get_by_role("button", name="Add").click()
    before = tickets(page)
    cloud.post({"sales": [sale("alert", total="1")]})
    expect(panel.locator(".fired")).to_contain_text(f"Tickets of all time above {before:,}: now {before + 1:,}")
    expect(panel.locator(".fired")).to_contain_text("Total is not price × quantity + tax: alert")
    page.wait_for_function("() => told.some(text => text.includes('alert'))")
    page.reload()
    expect(page.get_by_role("button", name=re.compile(r"Alerts \(\d+\)"))).to_be_visible()


def test_feedback_reaches_the_api_with_the_view(open_page: Open, cloud: Cloud) -> None:
    page = open_page("branch=B")
    page.get_by_role("button", name="Feedback").click()
    panel = page.get_by_role("dialog")
    text = "Where is <b>Tuesday</b>? ünï"
    panel.get_by_label(re.compile("What works")).fill(text)
    panel.get_by_role("button", name="It helps me", exact=True).click()
    panel.get_by_role("button", name="Send").click()
    expect(panel).to_contain_text("Thank you")
    kept: list[dict[str, Any]] = cloud.get("/v1/feedback", token=cloud.tokens["admin"]).json()["feedback"]
    assert (kept[0]["text"], kept[0]["view"], kept[0]["mood"]) == (text, "branch=B", "good")
