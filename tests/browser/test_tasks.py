"""Five questions that somebody who sees the page for the first time is asked, each answered from the page.

`docs/user-testing.md` has the protocol; here each path is walked by a script, and its answer held against the file.
A script clicks faster than people do: the time told there is of the people's sessions, once there are any.
"""

from __future__ import annotations

import csv
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import says
from tests.cloud import Cloud
from tests.samples import sale

UNDER_S = 60


@pytest.fixture(scope="module")
def rows(replayed: Cloud, supermarket_file: Path) -> list[dict[str, Any]]:
    """The file's sales, and one that is flagged."""
    replayed.post({"sales": [sale("887-00-1234", total="9.99", branch="C", sold_at="2019-03-29T14:20:00Z")]})
    with supermarket_file.open(encoding="utf-8", newline="") as file:
        found: list[dict[str, Any]] = list(csv.DictReader(file))
    for row in found:
        row["sold"] = datetime.strptime(f"{row['Date']} {row['Time']}", "%m/%d/%Y %H:%M")  # noqa: DTZ007
    return found


@pytest.fixture(autouse=True)
def _quickly() -> Iterator[None]:
    began = time.monotonic()
    yield
    assert time.monotonic() - began < UNDER_S


def best(rows: list[dict[str, Any]], field: Callable[[dict[str, Any]], str]) -> str:
    sums: Counter[str] = Counter()
    for row in rows:
        sums[field(row)] += Decimal(row["Total"])  # type: ignore[assignment]  # a Counter of any number
    return sums.most_common(1)[0][0]


def number(text: str | None) -> float:
    return float(re.sub(r"[^\d.]", "", (text or "").replace("K", "")))


def test_which_branch_sells_most_electronics_on_mondays(page: Page, rows: list[dict[str, Any]]) -> None:
    page.get_by_role("button", name="Electronic accessories", exact=True).first.click()
    page.locator("[data-tile=weekdays]").get_by_role("button", name=re.compile("^Mon: ")).click()
    branches = page.locator("[data-tile=branches] .mark")
    told = {mark.locator(".name").inner_text(): mark.get_attribute("aria-description") for mark in branches.all()}
    shown = {name.split()[-1]: number((says or "").split(" ")[0]) for name, says in told.items()}
    mondays = [r for r in rows if r["Product line"] == "Electronic accessories" and r["sold"].weekday() == 0]
    assert max(shown, key=lambda branch: shown[branch]) == best(mondays, lambda row: row["Branch"])


def test_which_sale_at_two_was_flagged_and_why(page: Page, rows: list[dict[str, Any]]) -> None:
    page.locator("[data-tile=hours]").get_by_role("button", name=re.compile("^14: ")).click()
    page.locator("[data-tile=anomalies]").get_by_role("button", name=re.compile("14:20")).click()
    panel = page.get_by_role("dialog")
    expect(panel.get_by_role("heading", name="887-00-1234")).to_be_visible()
    expect(panel).to_contain_text("Total is not price × quantity + tax")


def test_what_did_members_spend_by_ewallet_in_february(page: Page, cloud: Cloud, rows: list[dict[str, Any]]) -> None:
    page.locator("[data-tile=payments]").get_by_role("button", name=re.compile("^Ewallet, Member")).click()
    chart = page.locator(".over-time")
    chart.focus()
    page.keyboard.press("Home")
    for _ in range(31):
        page.keyboard.press("ArrowRight")
    expect(chart).to_have_attribute("aria-valuetext", re.compile("Feb 1, 2019"))
    for _ in range(27):
        page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Enter")
    of = [r for r in rows if r["Payment"] == "Ewallet" and r["Customer type"] == "Member" and r["sold"].month == 2]
    exactly = sum((Decimal(row["Total"]) for row in of), Decimal())
    expect(page.locator("[data-kpi=total-sales]")).to_have_attribute("data-exact", str(exactly.normalize()))


def test_what_was_the_best_hour_of_branch_c(page: Page, rows: list[dict[str, Any]]) -> None:
    page.locator("[data-tile=branches]").get_by_role("button", name=re.compile("^Branch C")).click()
    hours = page.locator("[data-tile=hours]")
    tallest = hours.locator(".bar").evaluate_all("bars => bars.map(bar => bar.getBoundingClientRect().height)")
    names = hours.locator(".name").all_inner_texts()
    of_c = [row for row in rows if row["Branch"] == "C"]
    assert names[tallest.index(max(tallest))] == best(of_c, lambda row: str(row["sold"].hour))


def test_is_the_number_current_and_how_many_sales_are_behind_it(
    page: Page, cloud: Cloud, rows: list[dict[str, Any]]
) -> None:
    expect(page.locator("[data-connection]")).to_have_text("Live")
    cloud.post({"sales": [sale("task five", sold_at="2019-03-30T20:40:00Z")]})
    says(page, cloud.kpis())
    expect(page.locator("[data-freshness]")).to_have_text(re.compile("just now|s ago"))
    tile = page.locator(".kpi", has_text="Average transaction")
    expect(tile).to_contain_text(f"{len(rows) + 2:,} sales")
