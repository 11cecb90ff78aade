"""Groups, predictions and the report in a real browser: begun, cancelled, found, and taken home."""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.test_explorer import NO_API, choose_own
from tests.explorer import explorer

ROWS = 600
LONG = 60_000


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two groups of shops, whose sales follow their size; and a colour that says nothing."""
    path = tmp_path_factory.mktemp("own") / "shops.csv"
    drawn = random.Random(5)
    with path.open("w", newline="") as out:
        rows = csv.writer(out)
        rows.writerow(["size", "staff", "sales", "colour"])
        for _ in range(ROWS):
            large = drawn.random() < 0.4
            size = drawn.gauss(90 if large else 20, 5)
            staff = drawn.gauss(30 if large else 8, 2)
            rows.writerow([f"{size:.3f}", f"{staff:.3f}", f"{3 * size + drawn.gauss(0, 9):.3f}", drawn.choice("rgb")])
    return path


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with explorer(NO_API, "none", {}, tmp_path_factory.mktemp("tables")) as address:
        yield address


def opened(context: BrowserContext, address: str, table: Path, name: str) -> Page:
    page = context.new_page()
    page.goto(f"{address}/{name}")
    choose_own(page, str(table))
    return page


def test_groups_are_found_and_looked_into(context: BrowserContext, address: str, table: Path) -> None:
    page = opened(context, address, table, "groups")
    page.get_by_role("button", name="Look for groups").click()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("Stopped; nothing was kept.")).to_be_visible(timeout=LONG)
    page.get_by_role("button", name="Look for groups").click()
    expect(page.get_by_role("heading", name="Found:")).to_contain_text("2 groups", timeout=LONG)
    expect(page.get_by_role("table", name="Means of the groups")).to_contain_text("staff")
    expect(page.locator(".explorer")).to_have_attribute("data-exact", "true", timeout=LONG)
    expect(page.locator(".explorer .line")).to_have_text(f"{ROWS} of {ROWS} rows")


def test_a_column_is_predicted_and_noise_is_not(context: BrowserContext, address: str, table: Path) -> None:
    page = opened(context, address, table, "prediction")
    page.get_by_label("What is to be predicted").click()
    page.get_by_role("option", name="colour").click()
    page.get_by_role("button", name="Learn to predict colour").click()
    expect(page.get_by_role("heading", name="Nothing to find: no better than the baseline")).to_be_visible(timeout=LONG)
    page.get_by_label("What is to be predicted").click()
    page.get_by_role("option", name="sales").click()
    page.get_by_role("button", name="Learn to predict sales").click()
    expect(page.get_by_role("heading", name="sales can be predicted: 99")).to_be_visible(timeout=LONG)
    expect(page.locator(".tile h3", has_text="residual")).to_be_visible(timeout=LONG)


def test_the_report_is_shown_and_taken_home(context: BrowserContext, address: str, table: Path) -> None:
    page = opened(context, address, table, "report")
    page.get_by_role("button", name="Write the report").click()
    expect(page.get_by_role("heading", name="4 Discussion")).to_be_visible(timeout=LONG)
    for name, begins in (("PDF", b"%PDF-"), ("HTML", b"<!doctype html>")):
        with page.expect_download() as download:
            page.get_by_role("button", name=name).click()
        assert Path(download.value.path()).read_bytes().startswith(begins)
