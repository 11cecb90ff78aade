"""The Streamlit app as its container starts it, behind a proxy that takes https, with people who sign in."""

from __future__ import annotations

import stat
import time
from collections.abc import Iterator
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import jwt
import psutil
import pytest

from tests.explorer import container
from tests.provider import CLIENT, SECRET, Provider
from tidemark.local.home import HOST, free_port

BASE = "/explorer"
PUBLIC = f"https://shop.example{BASE}"
COOKIE_SECRET = "signs the cookies of these tests, and nobody else's"


class App:
    """A running app, its provider and its process."""

    def __init__(self, port: int, provider: Provider, process: int, log: Path) -> None:
        self.address = f"http://{HOST}:{port}{BASE}"
        self.provider = provider
        self.process = process
        self.log = log

    def browser(self) -> httpx.Client:
        return httpx.Client(headers={"Host": "shop.example"}, timeout=20)

    def begin(self, browser: httpx.Client) -> httpx.Response:
        """As the button of the sign-in page does."""
        pressed = jwt.encode({"provider": "default", "exp": time.time() + 60}, COOKIE_SECRET, algorithm="HS256")
        answer = browser.get(f"{self.address}/auth/login", params={"provider": pressed})
        remember(browser, answer)
        return answer

    def here(self, back: str) -> str:
        """A public address, at this machine."""
        return back.replace(PUBLIC, self.address)


def remember(browser: httpx.Client, answer: httpx.Response) -> None:
    """As a browser does that came by https: httpx would not send these cookies."""
    for header in answer.headers.get_list("set-cookie"):
        for cookie in SimpleCookie(header).values():
            browser.cookies.set(cookie.key, cookie.value)


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    log = tmp_path_factory.mktemp("app") / "log"
    port = free_port()
    provider = Provider(free_port(), f"{PUBLIC}/oauth2callback")
    given = {
        "api_url": f"http://{HOST}:{free_port()}",
        "api_token": "a token that the API never sees",
        "public_url": PUBLIC,
        "oidc_issuer": provider.issuer,
        "oidc_client_id": CLIENT,
        "oidc_client_secret": SECRET,
        "cookie_secret": COOKIE_SECRET,
    }
    with container(port, BASE, log, **given) as process, provider.running():
        yield App(port, provider, process.pid, log)


@pytest.fixture(autouse=True)
def honest(app: App) -> Iterator[None]:
    yield
    app.provider.lies, app.provider.forge = {}, None


def test_the_secrets_are_for_the_owner_of_the_process_alone(app: App) -> None:
    words = psutil.Process(app.process).cmdline()
    assert SECRET not in words
    assert COOKIE_SECRET not in words
    file = Path(words[words.index("--secrets.files") + 1])
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_who_signs_in_has_cookies_for_https_only(app: App) -> None:
    with app.browser() as browser:
        sent = app.begin(browser)
        asked = parse_qs(urlsplit(sent.headers["location"]).query)
        assert asked["redirect_uri"] == [f"{PUBLIC}/oauth2callback"]
        back = browser.get(app.here(app.provider.approve(sent.headers["location"])))
        assert (back.status_code, back.headers["location"]) == (302, f"{BASE}/")
        for answer in (sent, back):
            for header in answer.headers.get_list("set-cookie"):
                for cookie in SimpleCookie(header).values():
                    assert cookie["secure"], header
                    assert cookie["httponly"] or not cookie.value, header


def failed(answer: httpx.Response, status: int, words: str) -> None:
    assert answer.status_code == status
    assert words in answer.text
    assert f'href="{BASE}/"' in answer.text
    kept = [header for header in answer.headers.get_list("set-cookie") if header.startswith("_streamlit_user=")]
    assert all("Max-Age=0" in header for header in kept)


def test_a_callback_is_of_the_browser_that_began_it_and_taken_once(app: App) -> None:
    with app.browser() as browser, app.browser() as another:
        back = app.here(app.provider.approve(app.begin(browser).headers["location"]))
        failed(another.get(back), 400, "not begun in this browser")
        app.begin(another)
        failed(another.get(back), 400, "not begun in this browser")
        assert browser.get(back).status_code == 302
        failed(browser.get(back), 400, "not begun in this browser")


def test_whoever_is_declined_is_told_whom_to_ask(app: App) -> None:
    with app.browser() as browser:
        back = app.provider.decline(app.begin(browser).headers["location"])
        failed(browser.get(app.here(back)), 403, "Ask whoever invites people")


@pytest.mark.parametrize(
    "lies", [{"nonce": "another"}, {"exp": int(time.time()) - 600}, {"aud": "another"}, {"iss": "https://a.example"}]
)
def test_an_id_token_that_is_not_valid_opens_nothing(app: App, lies: dict[str, object]) -> None:
    app.provider.lies = lies
    with app.browser() as browser:
        failed(browser.get(app.here(app.provider.approve(app.begin(browser).headers["location"]))), 400, "not")


@pytest.mark.parametrize("query", ["?code=c", "?state=s&code=c", "?error=x", "?code=" + "c" * 6000])
def test_a_callback_that_nobody_asked_for_is_a_plain_page(app: App, query: str) -> None:
    with app.browser() as browser:
        failed(browser.get(f"{app.address}/oauth2callback{query}"), 400, "not begun in this browser")


def test_coming_back_from_the_sign_out_leads_home(app: App) -> None:
    with app.browser() as browser:
        assert browser.get(f"{app.address}/oauth2callback").headers["location"] == f"{BASE}/"


def test_what_the_process_measures_is_for_nobody_outside(app: App) -> None:
    with app.browser() as browser:
        assert browser.get(f"{app.address}/_stcore/metrics").status_code == 404


def test_nothing_that_the_provider_says_is_logged(app: App) -> None:
    with app.browser() as browser:
        browser.get(app.here(app.provider.decline(app.begin(browser).headers["location"])))
        app.provider.lies = {"iss": "https://a.example"}
        back = app.provider.approve(app.begin(browser).headers["location"])
        browser.get(app.here(back))
    said = app.log.read_text()
    assert "Streamlit" in said
    for secret in ("Ada", "said no", "ada@", SECRET, COOKIE_SECRET, parse_qs(urlsplit(back).query)["code"][0]):
        assert secret not in said


def test_a_provider_that_is_away_is_a_plain_page(tmp_path: Path) -> None:
    port = free_port()
    given = {
        "api_url": f"http://{HOST}:{free_port()}",
        "api_token": "a token that the API never sees",
        "public_url": PUBLIC,
        "oidc_issuer": f"http://{HOST}:{free_port()}",
        "oidc_client_id": CLIENT,
        "oidc_client_secret": SECRET,
        "cookie_secret": COOKIE_SECRET,
    }
    away = Provider(free_port())
    with container(port, BASE, **given) as process:
        app = App(port, away, process.pid, tmp_path)
        with app.browser() as browser:
            failed(app.begin(browser), 503, "Try again in a minute")
