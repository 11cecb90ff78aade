"""People sign in to the live page by OpenID Connect: through a real provider, and as an enemy."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import socketio

from tests.cloud import Cloud
from tests.provider import CLIENT, SECRET, Provider
from tests.proxy import Proxy
from tidemark.local.home import free_port
from tidemark.local.supervisor import wait_until
from tidemark.openid import CALLBACK


class Page:
    """A live page that a provider signs in to, called by another address than its own."""

    def __init__(self, address: str, provider: Provider) -> None:
        self.address = address
        self.provider = provider

    def browser(self) -> httpx.Client:
        return httpx.Client(base_url=self.address, timeout=20)

    def begin(self, browser: httpx.Client, query: str = "") -> str:
        """The request that the browser is sent to the provider with."""
        sent = browser.get(f"/signin/start{query}")
        assert sent.status_code == 302, sent.text
        return sent.headers["location"]

    def sign_in(self, browser: httpx.Client, query: str = "") -> httpx.Response:
        """The answer to a browser that comes back from the provider."""
        return browser.get(self.provider.approve(self.begin(browser, query)))


@pytest.fixture(scope="module")
def page(cloud: Cloud) -> Iterator[Page]:
    proxy = Proxy()
    provider = Provider(free_port(), proxy.address + CALLBACK)
    given = {"oidc_issuer": provider.issuer, "oidc_client_id": CLIENT, "oidc_client_secret": SECRET}
    with (
        proxy.running(),
        provider.running(),
        cloud.another_live_page(public_url=proxy.address, **given) as server,
    ):
        proxy.backends.append(server.port)
        yield Page(proxy.address, provider)


@pytest.fixture(autouse=True)
def honest(page: Page) -> Iterator[None]:
    yield
    page.provider.lies, page.provider.forge = {}, None


def is_in(browser: httpx.Client) -> bool:
    return browser.get("/snapshot").status_code == 200


def refused(answer: httpx.Response, status: int, words: str) -> None:
    """A page that says what to do, and nothing of how we are made."""
    assert answer.status_code == status
    assert words in answer.text
    assert 'href="/signin/start"' in answer.text
    assert "Traceback" not in answer.text
    assert "tidemark_session" not in answer.headers.get("set-cookie", "")


def test_the_page_offers_to_sign_in_and_opens_afterwards(page: Page) -> None:
    with page.browser() as browser:
        offered = browser.get("/")
        assert offered.status_code == 401
        assert 'href="/signin/start"' in offered.text
        assert "tidemark status" not in offered.text
        back = page.sign_in(browser)
        assert (back.status_code, back.headers["location"]) == (302, "/")
        assert browser.get("/").status_code == 200
        assert is_in(browser)
        assert browser.get("/config").json()["sign_out"] == "/signout"


def test_no_cookie_says_who_it_is(page: Page) -> None:
    with page.browser() as browser:
        page.sign_in(browser)
        for cookie in browser.cookies.jar:
            assert "ada" not in str(cookie.value).lower()
            assert cookie.name == "tidemark_session"


def test_the_view_that_was_asked_for_is_opened(page: Page) -> None:
    with page.browser() as browser:
        offered = browser.get("/?branch=A&from=2019-01-01T00%3A00")
        start = offered.text.split('href="')[1].split('"')[0].replace("&amp;", "&")
        back = page.sign_in(browser, start.removeprefix("/signin/start"))
        assert back.headers["location"] == "/?branch=A&from=2019-01-01T00%3A00"


@pytest.mark.parametrize(
    "wanted",
    [
        "//evil.example",
        "https://evil.example",
        "%0d%0aSet-Cookie:%20a=b",
        "%00",
        "\\\\evil.example",
        "%F0%9F%92%A5",
        "x" * 5000,
    ],
)
def test_nobody_is_led_elsewhere(page: Page, wanted: str) -> None:
    with page.browser() as browser:
        back = page.sign_in(browser, f"?wanted={wanted}")
        assert back.status_code == 302
        assert back.headers["location"].startswith("/?") or back.headers["location"] == "/"
        assert "a" not in browser.cookies
        assert is_in(browser)


def test_words_in_the_address_are_not_taken_for_html(page: Page) -> None:
    with page.browser() as browser:
        shown = browser.get('/?a="><script>alert(1)</script>').text
        assert "<script" not in shown


def test_a_callback_is_taken_once(page: Page) -> None:
    with page.browser() as browser:
        back = page.provider.approve(page.begin(browser))
        kept = dict(browser.cookies)
        assert browser.get(back).status_code == 302
        with page.browser() as thief:  # who has all that the browser had
            thief.cookies.update(kept)
            refused(thief.get(back), 400, "not begun in this browser")
        assert browser.get(back).headers["location"] == "/"  # a reload, by somebody who is in
        browser.cookies.delete("tidemark_session")
        refused(browser.get(back), 400, "not begun in this browser")


def test_of_many_at_once_one_is_let_in(page: Page) -> None:
    with page.browser() as browser:
        back = page.provider.approve(page.begin(browser))
        kept = dict(browser.cookies)
    found: list[int] = []

    def come() -> None:
        with httpx.Client(cookies=kept, timeout=20) as one:
            found.append(one.get(back).status_code)

    threads = [threading.Thread(target=come) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [302, *[400] * 7]


def test_a_callback_without_the_cookie_signs_nobody_in(page: Page) -> None:
    with page.browser() as enemy, page.browser() as victim:
        back = page.provider.approve(page.begin(enemy))
        refused(victim.get(back), 400, "not begun in this browser")  # login CSRF
        page.begin(victim)
        refused(victim.get(back), 400, "not begun in this browser")  # with a sign-in of the victim's own on its way
        assert not is_in(victim)
        assert enemy.get(back).status_code == 302


def test_a_sign_in_cookie_is_no_session_and_a_session_no_sign_in_cookie(page: Page, cloud: Cloud) -> None:
    with page.browser() as browser:
        back = page.provider.approve(page.begin(browser))
        attempt = browser.cookies["tidemark_signin"]
        headers = {"Authorization": f"Bearer {attempt}"}
        assert httpx.get(f"{page.address}/snapshot", headers=headers).status_code == 401
        assert httpx.get(f"{page.address}/snapshot", cookies={"tidemark_session": attempt}).status_code == 401
        assert httpx.get(f"{cloud.api}/v1/kpis", headers=headers, timeout=30).status_code in (401, 403)
        forged = httpx.get(back, cookies={"tidemark_signin": cloud.tokens["admin"]})
        refused(forged, 400, "not begun in this browser")


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?code=c",
        "?state=s&code=c",
        "?state=&code=",
        "?error=access_denied",
        "?error=access_denied&error_description=<script>alert(1)</script>",
        "?state=%00%ff&code=%f0%9f",
        "?state=é&code=é",
        "?state=" + "s" * 6000,
        "?code=" + "c" * 6000,
        "?state=s&state=t&code=c&code=d",
        "?" + "a=b&" * 1500,
    ],
    ids=lambda query: query[:40],
)
def test_a_callback_that_nobody_asked_for_is_a_plain_page(page: Page, query: str) -> None:
    with page.browser() as browser:
        refused(browser.get(f"{CALLBACK}{query}"), 400, "not begun in this browser")
        page.begin(browser)
        answer = browser.get(f"{CALLBACK}{query}")
        refused(answer, 400, "not begun in this browser")
        assert "alert(1)" not in answer.text


@pytest.mark.parametrize("size", [9_000, 60_000])
def test_what_is_too_long_is_refused_and_the_page_goes_on(page: Page, size: int) -> None:
    with page.browser() as browser:
        for query, cookie in (("?state=" + "s" * size, ""), ("", "tidemark_signin=" + "c" * size)):
            with contextlib.suppress(httpx.TransportError):  # the connection is closed on whoever goes on sending
                answer = browser.get(f"{CALLBACK}{query}", headers={"Cookie": cookie})
                assert 400 <= answer.status_code < 500
        assert browser.get("/healthz").status_code == 200


def test_whoever_is_declined_is_told_whom_to_ask(page: Page) -> None:
    with page.browser() as browser:
        answer = browser.get(page.provider.decline(page.begin(browser)))
        refused(answer, 403, "Ask whoever invites people")
        assert "Ada" not in answer.text


def test_an_answer_that_names_another_issuer_is_refused(page: Page) -> None:
    with page.browser() as browser:
        back = page.provider.approve(page.begin(browser))
        refused(browser.get(f"{back}&iss=https://evil.example"), 400, "not begun in this browser")


@pytest.mark.parametrize("lies", [{"nonce": "another"}, {"exp": int(time.time()) - 90}, {"aud": "another"}], ids=str)
def test_an_id_token_that_is_not_valid_opens_nothing(page: Page, lies: dict[str, object]) -> None:
    page.provider.lies = lies
    with page.browser() as browser:
        refused(page.sign_in(browser), 401, "not")
        assert not is_in(browser)


def test_signing_out_ends_the_session_here_at_the_provider_and_in_other_pages(page: Page) -> None:
    with page.browser() as browser:
        page.sign_in(browser)
        session = browser.cookies["tidemark_session"]
        open_elsewhere = socketio.SimpleClient()
        headers = {"Cookie": f"tidemark_session={session}"}
        open_elsewhere.connect(page.address, headers=headers, transports=["websocket"])
        left = browser.get("/signout")
        asked = urlsplit(left.headers["location"])
        assert f"{asked.scheme}://{asked.netloc}{asked.path}" == f"{page.provider.issuer}/logout"
        assert parse_qs(asked.query) == {"client_id": [CLIENT], "post_logout_redirect_uri": [page.address]}
        assert "tidemark_session" not in browser.cookies
        assert page.provider.signed_in
        browser.get(left.headers["location"])
        assert not page.provider.signed_in
        assert httpx.get(f"{page.address}/snapshot", cookies={"tidemark_session": session}).status_code == 401
        wait_until(lambda: not open_elsewhere.client.connected, "the other page's end", seconds=10)


def test_another_server_learns_who_signed_out(page: Page, cloud: Cloud) -> None:
    given = {"oidc_issuer": page.provider.issuer, "oidc_client_id": CLIENT, "oidc_client_secret": SECRET}
    with page.browser() as browser, cloud.another_live_page(public_url=page.address, **given) as other:
        page.sign_in(browser)
        cookies = {"tidemark_session": browser.cookies["tidemark_session"]}
        address = f"{other.address}/config"
        assert httpx.get(address, cookies=cookies).status_code == 200
        browser.get("/signout")
        wait_until(lambda: httpx.get(address, cookies=cookies).status_code == 401, "the other server", seconds=10)


def test_one_of_two_browsers_signs_out_alone(page: Page) -> None:
    with page.browser() as one, page.browser() as other:
        page.sign_in(one)
        page.sign_in(other)
        one.get("/signout")
        assert not is_in(one)
        assert is_in(other)


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_no_other_page_signs_a_browser_out(page: Page, site: str) -> None:
    with page.browser() as browser:
        page.sign_in(browser)
        assert browser.get("/signout", headers={"Sec-Fetch-Site": site}).status_code == 403
        assert is_in(browser)


def test_links_and_tokens_are_taken_beside_it(page: Page, cloud: Cloud) -> None:
    with page.browser() as browser:
        assert browser.get(cloud.sign_in_link(page.address)).status_code == 302
        assert is_in(browser)
        browser.get("/signout")
        assert not is_in(browser)
    headers = {"Authorization": f"Bearer {cloud.tokens['read']}"}
    assert httpx.get(f"{page.address}/snapshot", headers=headers).status_code == 200
