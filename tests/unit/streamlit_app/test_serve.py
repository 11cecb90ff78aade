"""How the Streamlit app's container starts it."""

from __future__ import annotations

import tomllib

import pytest

from streamlit_app import serve
from tidemark import settings
from tidemark.errors import SettingsError
from tidemark.settings import ExplorerSettings, LivePageSettings, SignInSettings, variable

COOKIES = "signs the cookies of these tests, and nobody else's"
GIVEN = {
    "api_url": "https://api.example",
    "api_token": "t",
    "public_url": "https://d123.cloudfront.net/explorer",
    "oidc_issuer": "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Ab1",
    "oidc_client_id": "client",
    "oidc_client_secret": 'a"b\\c\n[auth]\nd=é',
    "cookie_secret": COOKIES,
}


def loaded(**changed: str) -> ExplorerSettings:
    return settings.load(ExplorerSettings, {variable(name): value for name, value in (GIVEN | changed).items()})


def test_streamlits_secrets_are_those_of_the_settings_whatever_is_in_them() -> None:
    assert tomllib.loads(serve.secrets(loaded())) == {
        "auth": {
            "redirect_uri": "https://d123.cloudfront.net/explorer/oauth2callback",
            "cookie_secret": COOKIES,
            "client_id": "client",
            "client_secret": GIVEN["oidc_client_secret"],
            "server_metadata_url": f"{GIVEN['oidc_issuer']}/.well-known/openid-configuration",
            "client_kwargs": {"scope": "openid email profile", "code_challenge_method": "S256"},
        }
    }


def chosen(found: ExplorerSettings) -> dict[str, str]:
    words = serve.options(found)
    return dict(zip(words[::2], words[1::2], strict=True))


def test_the_app_is_where_its_public_address_says() -> None:
    options = chosen(loaded())
    assert options["--server.baseUrlPath"] == "explorer"
    assert options["--server.allowedHosts"] == options["--browser.serverAddress"] == "d123.cloudfront.net"
    assert options["--server.corsAllowedOrigins"] == "https://d123.cloudfront.net"
    assert options["--server.port"] == "8501"
    assert options["--browser.serverPort"] == "443"


def test_without_a_public_address_it_is_as_before() -> None:
    found = loaded(public_url="", oidc_issuer="")
    assert set(chosen(found)) == {"--server.address", "--server.port"}
    assert not found.offers_sign_in()


@pytest.mark.parametrize("name", ["public_url", "oidc_client_id", "oidc_client_secret", "cookie_secret"])
def test_a_sign_in_that_could_not_work_is_refused_at_the_start(name: str) -> None:
    with pytest.raises(SettingsError, match=variable(name)):
        loaded(**{name: ""}).offers_sign_in()


def test_a_short_cookie_secret_is_refused() -> None:
    with pytest.raises(SettingsError, match="TIDEMARK_COOKIE_SECRET"):
        loaded(cookie_secret=COOKIES[:31]).offers_sign_in()


@pytest.mark.parametrize("name", ["public_url", "oidc_issuer"])
@pytest.mark.parametrize(
    "address",
    [
        "http://shop.example",
        "http://localhost.evil.example",
        "http://127.0.0.1@evil.example",
        "https://user:word@shop.example",
        "https://",
        "shop.example",
        "javascript:alert(1)",
        "https://shop.example?a=b",
        "https://shop.example/a b",
        "https://shop.example\\@evil.example",
        "https://shop.example\n",
    ],
)
def test_passwords_never_travel_in_clear(name: str, address: str) -> None:
    with pytest.raises(SettingsError, match=variable(name)):
        loaded(**{name: address})


@pytest.mark.parametrize("address", ["http://127.0.0.1:8000", "http://localhost/x", "https://shop.example:8443/x/y"])
def test_but_within_this_machine(address: str) -> None:
    assert loaded(public_url=address).public_url == address


def test_both_pages_sign_in_by_the_same_settings() -> None:
    assert issubclass(LivePageSettings, SignInSettings)
    assert issubclass(ExplorerSettings, SignInSettings)
