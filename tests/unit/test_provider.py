"""What ws_server takes from an OpenID Connect provider, and what it does not."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import jwt
import pytest

from tests.provider import CLIENT, SECRET, Key, Provider, new_key
from tidemark.errors import Unauthorized, Unavailable
from tidemark.local.home import free_port
from tidemark.openid import sign_out_url
from tidemark.settings import SignInSettings
from ws_server import provider as ours

PAGE = "http://localhost:9999"
NONCE, VERIFIER = "n" * 43, "v" * 43


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider(free_port(), f"{PAGE}/signin/callback").running() as running:
        yield running


def client(provider: Provider, **changed: str) -> ours.Provider:
    given = {"oidc_issuer": provider.issuer, "oidc_client_id": CLIENT, "oidc_client_secret": SECRET, "public_url": PAGE}
    return ours.Provider(SignInSettings(**(given | changed)))


def code(provider: Provider, page: ours.Provider, nonce: str = NONCE) -> str:
    back = provider.approve(page.sign_in_url("s" * 43, nonce, VERIFIER))
    return back.split("code=")[1].split("&")[0]


def test_the_provider_vouches_for_who_signed_in(provider: Provider) -> None:
    page = client(provider)
    page.redeem(code(provider, page), VERIFIER, NONCE)


def test_a_code_is_taken_once_and_with_its_verifier_only(provider: Provider) -> None:
    page = client(provider)
    used = code(provider, page)
    page.redeem(used, VERIFIER, NONCE)
    with pytest.raises(Unauthorized):
        page.redeem(used, VERIFIER, NONCE)
    with pytest.raises(Unauthorized):
        page.redeem(code(provider, page), "w" * 43, NONCE)


DAY_S = 86_400  # far enough for a session of tests that began long before


@pytest.mark.parametrize(
    "lies",
    [
        {"iss": "http://127.0.0.1:1"},
        {"iss": None},
        {"aud": "another"},
        {"aud": None},
        {"aud": [CLIENT, "another"]},  # without azp
        {"aud": [CLIENT, "another"], "azp": "another"},
        {"azp": "another"},
        {"nonce": "another"},
        {"nonce": None},
        {"nonce": 7},
        {"exp": int(time.time()) - 60},
        {"exp": None},
        {"exp": "soon"},
        {"iat": int(time.time()) + DAY_S},
        {"iat": None},
        {"nbf": int(time.time()) + DAY_S},
        {"sub": None},
    ],
    ids=str,
)
def test_an_id_token_must_be_of_this_provider_this_page_this_sign_in_and_now(
    provider: Provider, lies: dict[str, Any]
) -> None:
    page = client(provider)
    provider.lies = lies
    with pytest.raises(Unauthorized):
        page.redeem(code(provider, page), VERIFIER, NONCE)


def test_a_token_for_several_is_taken_where_it_was_made_for_this_page(provider: Provider) -> None:
    page = client(provider)
    provider.lies = {"aud": [CLIENT, "another"], "azp": CLIENT}
    page.redeem(code(provider, page), VERIFIER, NONCE)


def unsigned(claims: dict[str, Any], key: Key) -> str:
    return jwt.encode(claims, "", algorithm="none", headers={"kid": key.kid})


def by_the_public_key_as_a_secret(claims: dict[str, Any], key: Key) -> str:
    header, content, _ = jwt.encode(claims, "x" * 32, algorithm="HS256", headers={"kid": key.kid}).split(".")
    signature = jwt.get_algorithm_by_name("HS256").sign(f"{header}.{content}".encode(), key.public_pem)
    return f"{header}.{content}.{jwt.utils.base64url_encode(signature).decode()}"


def by_the_clients_secret(claims: dict[str, Any], key: Key) -> str:
    return jwt.encode(claims, SECRET.ljust(32), algorithm="HS256", headers={"kid": key.kid})


def by_another_key_of_the_same_name(claims: dict[str, Any], key: Key) -> str:
    return jwt.encode(claims, new_key().private, algorithm="RS256", headers={"kid": key.kid})


def by_a_key_that_is_not_published(claims: dict[str, Any], key: Key) -> str:
    return jwt.encode(claims, new_key().private, algorithm="RS256", headers={"kid": "unknown"})


def by_another_algorithm_than_the_keys(claims: dict[str, Any], key: Key) -> str:
    return jwt.encode(claims, key.private, algorithm="RS512", headers={"kid": key.kid})


def without_a_name_of_the_key(claims: dict[str, Any], key: Key) -> str:
    return jwt.encode(claims, key.private, algorithm="RS256")


def with_a_key_of_its_own(claims: dict[str, Any], key: Key) -> str:
    own = new_key()
    return jwt.encode(claims, own.private, algorithm="RS256", headers={"kid": "own", "jwk": own.public})


def nothing(claims: dict[str, Any], key: Key) -> str:
    return ""


@pytest.mark.parametrize(
    "forge",
    [
        unsigned,
        by_the_public_key_as_a_secret,
        by_the_clients_secret,
        by_another_key_of_the_same_name,
        by_a_key_that_is_not_published,
        by_another_algorithm_than_the_keys,
        without_a_name_of_the_key,
        with_a_key_of_its_own,
        nothing,
        lambda claims, key: "a.b.c",
        lambda claims, key: "\ud800".join("abc"),
    ],
)
def test_an_id_token_must_be_signed_by_the_providers_key(provider: Provider, forge: Any) -> None:
    page = client(provider)
    provider.forge = forge
    with pytest.raises(Unauthorized):
        page.redeem(code(provider, page), VERIFIER, NONCE)


def test_a_new_key_is_learnt_and_the_old_one_then_forgotten(provider: Provider) -> None:
    page = client(provider)
    page.redeem(code(provider, page), VERIFIER, NONCE)
    old, provider.key = provider.key, new_key()
    page.redeem(code(provider, page), VERIFIER, NONCE)
    provider.forge = lambda claims, key: jwt.encode(claims, old.private, "RS256", headers={"kid": old.kid})
    with pytest.raises(Unauthorized):
        page.redeem(code(provider, page), VERIFIER, NONCE)


def test_what_the_provider_says_of_itself_and_its_keys_are_kept(provider: Provider) -> None:
    page = client(provider)
    for _ in range(3):
        page.redeem(code(provider, page), VERIFIER, NONCE)
    assert provider.asked.count("/.well-known/openid-configuration") == 1
    assert provider.asked.count("/jwks") == 1


@pytest.mark.parametrize(
    "described",
    [
        {"issuer": "https://another.example"},
        {"issuer": None},
        {"token_endpoint": "http://another.example/token"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"jwks_uri": "file:///etc/passwd"},
        {"jwks_uri": None},
    ],
    ids=str,
)
def test_a_provider_that_describes_something_else_is_not_used(provider: Provider, described: dict[str, Any]) -> None:
    provider.described = described
    with pytest.raises(Unavailable):
        client(provider).sign_in_url("s", NONCE, VERIFIER)


def test_a_wrong_secret_is_the_pages_fault(provider: Provider) -> None:
    page = client(provider, oidc_client_secret="another")
    with pytest.raises(Unavailable, match="as this page is set up"):
        page.redeem(code(provider, page), VERIFIER, NONCE)


def test_a_provider_that_does_not_answer_is_not_asked_by_everybody() -> None:
    away = Provider(free_port(), f"{PAGE}/signin/callback")
    page = client(away)
    with pytest.raises(Unavailable):
        page.sign_in_url("s", NONCE, VERIFIER)
    with away.running(), pytest.raises(Unavailable):
        page.sign_in_url("s", NONCE, VERIFIER)
    assert away.asked == []


def test_a_slash_at_the_end_of_the_issuer_makes_no_other(provider: Provider) -> None:
    page = client(provider, oidc_issuer=f"{provider.issuer}/")
    page.redeem(code(provider, page), VERIFIER, NONCE)


def test_people_leave_cognito_by_its_own_way() -> None:
    domain = "https://tidemark-1a2b.auth.eu-west-1.amazoncognito.com"
    said = {
        "issuer": "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Ab1",
        "authorization_endpoint": f"{domain}/oauth2/authorize",
        "end_session_endpoint": f"{domain}/logout",
    }
    left = sign_out_url(said, "abc", "https://d123.cloudfront.net")
    assert left == f"{domain}/logout?client_id=abc&logout_uri=https%3A%2F%2Fd123.cloudfront.net"


@pytest.mark.parametrize(
    "issuer", ["https://cognito-idp.eu-west-1.amazonaws.com.evil.example/p", "https://login.example/cognito-idp."]
)
def test_people_leave_others_as_openid_connect_has_it(issuer: str) -> None:
    said = {"issuer": issuer, "end_session_endpoint": "https://login.example/out?tenant=1"}
    left = sign_out_url(said, "abc", "https://page.example")
    assert left == (
        "https://login.example/out?tenant=1&client_id=abc&post_logout_redirect_uri=https%3A%2F%2Fpage.example"
    )
    assert sign_out_url({"issuer": issuer}, "abc", "https://page.example") is None
