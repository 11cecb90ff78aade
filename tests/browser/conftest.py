"""A real Chromium: Debian's, or the one that Playwright brought."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.cloud import Cloud


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        path = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser, cloud: Cloud) -> Iterator[Page]:
    """The live page, signed in; an error in its console fails the test."""
    context = chromium.new_context(viewport={"width": 1440, "height": 1000})
    opened = context.new_page()
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.goto(cloud.sign_in_link())
    opened.wait_for_selector("[data-connection=live]")
    yield opened
    context.close()
    assert errors == []
