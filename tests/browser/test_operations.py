"""The page *Operations* in a real browser: for everyone, and with an admin's token to heal."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open
from tests.browser.test_everyone import problems
from tests.cloud import Cloud
from tests.integration.test_operations import give_up, new
from tests.samples import sale


@pytest.fixture
def operations(open_page: Open, cloud: Cloud) -> Page:
    page = open_page()
    page.goto(f"{cloud.live}/operations")
    page.locator("[data-letters]").first.wait_for()
    return page


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_wide_and_narrow(operations: Page, scheme: str) -> None:
    operations.emulate_media(color_scheme="light" if scheme == "light" else "dark")
    assert problems(operations) == []
    operations.set_viewport_size({"width": 360, "height": 740})
    assert problems(operations) == []
    assert operations.evaluate("document.documentElement.scrollWidth") <= 360


def test_the_span_is_in_the_address(operations: Page) -> None:
    operations.get_by_role("button", name="Last 15 minutes").click()
    assert operations.url.endswith("?span=15")
    operations.reload()
    expect(operations.get_by_role("button", name="Last 15 minutes")).to_have_attribute("aria-pressed", "true")


def test_a_sale_moves_the_figures_and_the_page_says_which_request_it_was(open_page: Open, cloud: Cloud) -> None:
    page = open_page()
    answer = cloud.post({"sales": [sale(new("operations"), sold_at="2019-03-30T20:59:00Z")]})
    expect(page.locator("[data-freshness]")).to_have_attribute("data-request", answer.headers["X-Request-Id"])
    page.goto(f"{cloud.live}/operations")
    expect(page.locator("[data-tile=latencies] .says")).to_contain_text(" ms")
    expect(page.locator("[data-watermark=A]")).to_contain_text(":")


def test_dead_letters_are_healed_with_an_admins_token_alone(operations: Page, cloud: Cloud) -> None:
    give_up(cloud, "publish")
    heal = operations.locator("[data-tile=letters]").get_by_role("button", name="Heal")
    expect(heal).to_be_enabled(timeout=45_000)
    heal.click()
    dialog = operations.get_by_role("dialog")
    assert problems(operations) == []
    dialog.get_by_label("Token of an admin").fill(cloud.tokens["admin"])
    dialog.get_by_role("button", name="Heal").click()
    expect(dialog.locator("[data-healed]")).to_contain_text("publish: 1 healed", timeout=30_000)
    expect(dialog.get_by_label("Token of an admin")).to_have_value("")
