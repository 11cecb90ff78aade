"""A real Chromium: Debian's, or the one that Playwright brought."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.cloud import Cloud
from tests.samples import REAL

expect.set_options(timeout=15_000)  # an answer of a Lambda that has just started, on a busy machine

SHOWN = {
    "total-sales": "sales",
    "tickets": "tickets",
    "average-transaction": "average_transaction",
    "items-per-hour": "items_per_hour",
    "inventory-turnover": "inventory_turnover",
}

Open = Callable[..., Page]
"""Opens the live page, signed in, with a query; at another address than its own where `at` is given."""


def says(page: Page, kpis: dict[str, Any], seconds: float = 15) -> None:
    """Wait until the page shows these KPIs to the last digit."""
    for tile, name in SHOWN.items():
        shown = page.locator(f"[data-kpi={tile}]")
        expect(shown).to_have_attribute("data-exact", str(kpis[name]), timeout=seconds * 1000)


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """Closed with the last of these tests: Playwright leaves a running loop in the thread, where no other may start."""
    with sync_playwright() as playwright:
        path = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        yield browser
        browser.close()


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    opened = chromium.new_context(viewport={"width": 1440, "height": 1000}, locale="en-US")
    yield opened
    opened.close()


@pytest.fixture
def open_page(context: BrowserContext, cloud: Cloud) -> Iterator[Open]:
    """Opens pages; an error in the console of any fails the test."""
    errors: list[str] = []

    def open_(query: str = "", at: str | None = None) -> Page:
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(cloud.sign_in_link(at))
        if query:
            page.goto(f"{at or cloud.live}/?{query}")
        page.wait_for_selector("[data-connection=live]")
        return page

    yield open_
    assert errors == []


@pytest.fixture
def page(open_page: Open) -> Page:
    """The live page, signed in."""
    return open_page()


@pytest.fixture(scope="module")
def replayed(cloud: Cloud, supermarket_file: Path) -> Cloud:
    """The cloud with the real file's sales and nothing else, as the module before may have left it."""
    if REAL.items() <= cloud.kpis().items():
        return cloud
    cloud.forget_sales()
    cloud.restart("ws_server")
    cloud.simulate("--source", "csv", "--file", str(supermarket_file), "--max")
    return cloud
