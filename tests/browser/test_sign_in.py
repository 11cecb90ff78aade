"""People sign in to both pages at one OpenID Connect provider, and out again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.cloud import Cloud
from tests.explorer import container
from tests.provider import CLIENT, SECRET, Provider
from tests.proxy import Proxy
from tidemark.local.home import HOST, free_port
from tidemark.openid import CALLBACK

BASE = "/explorer"


class Pages:
    """Where both pages are, and who signs people in."""

    def __init__(self, live: str, app: str, provider: Provider) -> None:
        self.live = live
        self.app = app
        self.provider = provider


@pytest.fixture(scope="module")
def pages(cloud: Cloud) -> Iterator[Pages]:
    proxy = Proxy()
    port = free_port()
    app = f"http://{HOST}:{port}{BASE}"
    provider = Provider(free_port(), proxy.address + CALLBACK, f"{app}/oauth2callback")
    given = {"oidc_issuer": provider.issuer, "oidc_client_id": CLIENT, "oidc_client_secret": SECRET}
    of_app = {
        "api_url": cloud.api,
        "api_token": cloud.tokens["read"],
        "cookie_secret": "signs the cookies of these tests, and nobody else's",
    }
    with (
        provider.running(),
        proxy.running(),
        cloud.another_live_page(public_url=proxy.address, **given) as server,
        container(port, BASE, public_url=app, **given, **of_app),
    ):
        proxy.backends.append(server.port)
        yield Pages(proxy.address, app, provider)


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    errors: list[str] = []
    opened = context.new_page()
    opened.on("pageerror", lambda error: errors.append(str(error)))
    yield opened
    assert errors == []


def agree(page: Page) -> None:
    page.get_by_role("button", name="Continue as Ada").click()


def test_people_sign_in_to_the_live_page_and_out_of_all_its_tabs(
    page: Page, pages: Pages, context: BrowserContext
) -> None:
    page.goto(f"{pages.live}/?branch=A")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.get_by_role("link", name="Sign in").click()
    agree(page)
    page.wait_for_selector("[data-connection=live]")
    assert urlsplit(page.url).query == "branch=A"
    tab = context.new_page()
    tab.goto(pages.live)
    tab.wait_for_selector("[data-connection=live]")
    page.get_by_role("link", name="Sign out").click()
    expect(page.get_by_role("link", name="Sign in")).to_be_visible()
    assert not pages.provider.signed_in
    expect(tab.locator("[data-connection='signed out']")).to_contain_text("reload the page to sign in")
    tab.reload()
    expect(tab.get_by_role("link", name="Sign in")).to_be_visible()


def test_who_declines_is_told_so_and_may_try_again(page: Page, pages: Pages) -> None:
    page.goto(f"{pages.live}/signin/start")
    page.get_by_role("button", name="Decline").click()
    expect(page.get_by_text("did not let you in")).to_be_visible()
    page.get_by_role("link", name="Sign in").click()
    agree(page)
    page.wait_for_selector("[data-connection=live]")


def test_people_sign_in_to_the_app_and_out_again(page: Page, pages: Pages, context: BrowserContext) -> None:
    page.goto(f"{pages.app}/housing")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(page.get_by_role("link", name="Housing prices")).to_have_count(0)
    page.get_by_role("button", name="Sign in").click()
    agree(page)
    expect(page.get_by_role("heading", name="Pipelines")).to_be_visible(timeout=30_000)
    page.goto(f"{pages.app}/housing")
    expect(page.get_by_role("heading", name=re.compile("Housing"))).to_be_visible(timeout=30_000)
    page.get_by_role("link", name="Sign out").click()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    assert not pages.provider.signed_in
    page.goto(f"{pages.app}/housing")
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()


def test_a_sign_in_that_is_too_old_or_signed_by_nobody_opens_nothing(page: Page, pages: Pages) -> None:
    pages.provider.lies = {"iat": 1_600_000_000}
    page.goto(pages.app)
    page.get_by_role("button", name="Sign in").click()
    agree(page)
    page.wait_for_url(f"{pages.app}/")
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    pages.provider.lies = {}
    page.context.add_cookies([{"name": "_streamlit_user", "value": "forged", "url": pages.app}])
    page.goto(pages.app)
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
