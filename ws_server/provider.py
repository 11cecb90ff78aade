"""The OpenID Connect provider: what it says of itself, its keys, and what it answers for a code.

Nothing that it says of a person is kept or logged. All that it is asked has an end, and is asked by greenlets: whoever
waits for it keeps nobody else waiting.
"""

from __future__ import annotations

import hmac
import json
import logging
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import gevent
import httpx
import jwt
from gevent.lock import RLock

from tidemark.errors import Unauthorized, Unavailable
from tidemark.openid import CALLBACK, SCOPES, discovery_url, sign_out_url
from tidemark.settings import SignInSettings

log = logging.getLogger(__name__)

WAIT_S = 4.0  # for a connection, and for each answer to go on
LONGEST_S = 10.0  # for all that one request asks
LARGEST = 262_144  # bytes of an answer
FRESH_S = 3_600.0  # what a provider said of itself holds as long
REST_S = 5.0  # one that did not answer is not asked again before
LEEWAY_S = 30
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Signatures by a key that only the provider has: neither none, nor one by a secret that could be its public key."""
ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")
NOT_NOW = "the sign-in service does not answer: try again in a minute"
MISMATCH = "the sign-in service cannot be used as this page is set up: tell whoever runs it"


class Provider:
    """A provider, for one client of it."""

    def __init__(self, settings: SignInSettings) -> None:
        self._issuer = settings.oidc_issuer
        self._client = settings.oidc_client_id
        self._secret = settings.oidc_client_secret
        self._back = settings.public_url.rstrip("/")
        self._http = httpx.Client(timeout=WAIT_S, headers={"Accept": "application/json"})
        self._asking = RLock()
        self._said: dict[str, Any] = {}
        self._keys: jwt.PyJWKClient | None = None
        self._fresh_until = self._rests_until = 0.0

    def sign_in_url(self, state: str, nonce: str, verifier: str) -> str:
        """Where a browser is sent to sign in (OpenID Connect Core 1.0, section 3.1.2, with PKCE, RFC 7636). Raises
        Unavailable."""
        with _in_time():
            place = str(self._description()["authorization_endpoint"])
        asked = {
            "response_type": "code",
            "client_id": self._client,
            "redirect_uri": self._back + CALLBACK,
            "scope": SCOPES,
            "state": state,
            "nonce": nonce,
            "code_challenge": urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        return f"{place}{'&' if '?' in place else '?'}{urlencode(asked)}"

    def redeem(self, code: str, verifier: str, nonce: str) -> None:
        """Returns where the provider vouches for the person who came back with the code. Raises Unauthorized where it
        does not, Unavailable where it cannot be asked."""
        with _in_time():
            self._verify(self._id_token(code, verifier), nonce)

    def sign_out_url(self) -> str | None:
        """Where a browser is sent to sign out at the provider too; None where there is no such place. Raises
        Unavailable."""
        with _in_time():
            return sign_out_url(self._description(), self._client, self._back)

    def issued(self, issuer: str) -> bool:
        """Whether an answer that names its issuer (RFC 9207) is of this provider."""
        return issuer.rstrip("/") == self._issuer.rstrip("/")

    def _description(self) -> dict[str, Any]:
        with self._asking:
            now = time.monotonic()
            if now < self._fresh_until:
                return self._said
            if now >= self._rests_until:
                self._rests_until = now + REST_S
                try:
                    self._take(self._ask("GET", discovery_url(self._issuer)))
                except Unavailable:
                    if not self._said:
                        raise
                else:
                    self._fresh_until, self._rests_until = now + FRESH_S, 0.0
            if not self._said:
                raise Unavailable(NOT_NOW)
            return self._said

    def _take(self, said: Mapping[str, Any]) -> None:
        places = [said.get(name) for name in ENDPOINTS]
        if not self.issued(str(said.get("issuer"))) or not all(_is_safe(place) for place in places):
            log.error("the OpenID Connect provider describes another issuer, or places that are not on https")
            raise Unavailable(MISMATCH)
        if self._keys is None or self._keys.uri != said["jwks_uri"]:
            # An unknown key is looked for at once: only the provider itself, asked with a code, can name one.
            context = httpx.create_ssl_context()
            self._keys = jwt.PyJWKClient(said["jwks_uri"], timeout=WAIT_S, ssl_context=context, cooldown_duration=0)
        self._said = dict(said)

    def _id_token(self, code: str, verifier: str) -> str:
        said = self._description()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._back + CALLBACK,
            "code_verifier": verifier,
        }
        auth = None
        if "client_secret_basic" in (said.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]):
            auth = httpx.BasicAuth(quote(self._client, safe=""), quote(self._secret, safe=""))  # RFC 6749, 2.3.1
        else:
            form |= {"client_id": self._client, "client_secret": self._secret}
        answer = self._ask("POST", said["token_endpoint"], data=form, auth=auth)
        return str(answer.get("id_token", ""))

    def _verify(self, token: str, nonce: str) -> None:
        """As OpenID Connect Core 1.0 demands in section 3.1.3.7."""
        assert self._keys is not None
        try:
            claims = jwt.decode(
                token,
                self._keys.get_signing_key_from_jwt(token),
                algorithms=ALGORITHMS,
                audience=self._client,
                issuer=self._said["issuer"],
                leeway=LEEWAY_S,
                options={
                    "require": ["iss", "sub", "aud", "exp", "iat", "nonce"],
                    "enforce_minimum_key_length": True,
                },
            )
        except jwt.PyJWKClientConnectionError:
            raise Unavailable(NOT_NOW) from None
        except (jwt.PyJWTError, ValueError, OSError) as error:
            log.warning("an ID token was refused: %s", type(error).__name__)
            raise Unauthorized("what the sign-in service says is not valid") from None
        several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        meant_for = claims.get("azp", "" if several else self._client)
        if meant_for != self._client or not hmac.compare_digest(str(claims["nonce"]).encode(), nonce.encode()):
            log.warning("an ID token was refused: it is of another client, or of another sign-in")
            raise Unauthorized("what the sign-in service says is not of this sign-in")

    def _ask(self, method: str, place: str, **what: Any) -> dict[str, Any]:
        try:
            with self._http.stream(method, place, **what) as answer:
                said = json.loads(_all_of(answer))
        except (httpx.HTTPError, ValueError):
            raise Unavailable(NOT_NOW) from None
        if answer.status_code == httpx.codes.OK and isinstance(said, dict):
            return said
        if isinstance(said, dict) and said.get("error") == "invalid_grant":
            raise Unauthorized("this sign-in has been used, or took too long")
        if answer.is_server_error:
            raise Unavailable(NOT_NOW)
        log.error("the OpenID Connect provider refused this page's request: status %d", answer.status_code)
        raise Unavailable(MISMATCH)


@contextmanager
def _in_time() -> Iterator[None]:
    with gevent.Timeout(LONGEST_S, Unavailable(NOT_NOW)):
        yield


def _all_of(answer: httpx.Response) -> bytes:
    content = bytearray()
    for part in answer.iter_bytes():
        content += part
        if len(content) > LARGEST:
            raise ValueError("an answer without end")
    return bytes(content)


def _is_safe(place: object) -> bool:
    address = urlsplit(str(place))
    return address.scheme == "https" or (address.scheme == "http" and address.hostname in ("127.0.0.1", "localhost"))
