"""An OpenID Connect provider on this machine: discovery, sign-in page, codes with PKCE, signed ID tokens, keys that
change. It is strict where a real one is, and lies on request."""

from __future__ import annotations

import contextlib
import json
import logging
import secrets
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from flask import Flask, Response, redirect, request
from jwt.algorithms import RSAAlgorithm
from werkzeug.serving import make_server

from tidemark.local.home import HOST

PERSON = {"sub": "4711", "name": "Ada Byron", "email": "ada@example.com"}
CLIENT = "tidemark-page"
SECRET = "known-to-these-tests-alone"
Answer = Response | tuple[str, int] | Any


@dataclass
class Key:
    """A key of the provider."""

    kid: str
    private: rsa.RSAPrivateKey

    @property
    def public(self) -> dict[str, Any]:
        """As it is published."""
        found: dict[str, Any] = json.loads(RSAAlgorithm.to_jwk(self.private.public_key()))
        return {**found, "kid": self.kid, "use": "sig", "alg": "RS256"}

    @property
    def public_pem(self) -> bytes:
        """As a text that somebody might use as a secret."""
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        return self.private.public_key().public_bytes(serialization.Encoding.PEM, form)


def new_key() -> Key:
    """A key that nobody else has."""
    return Key(secrets.token_hex(4), rsa.generate_private_key(public_exponent=65537, key_size=2048))


class Provider:
    """Knows one client, whose callbacks are `callbacks`, and one person.

    To make it lie: `lies` are claims that ID tokens get beside the true ones (None takes one away); `forge`, given the
    claims and the key, signs in its place.
    """

    def __init__(self, port: int, *callbacks: str) -> None:
        self.issuer = f"http://{HOST}:{port}"
        self.callbacks = set(callbacks)
        self.key = new_key()
        self.lies: dict[str, Any] = {}
        self.forge: Any = None
        self.described: dict[str, Any] = {}
        self.asked: list[str] = []
        self.signed_in: set[str] = set()
        self._codes: dict[str, dict[str, str]] = {}
        self.app = Flask("provider")
        for path, view in {
            "/.well-known/openid-configuration": self.describe,
            "/authorize": self.authorize,
            "/jwks": self.jwks,
            "/logout": self.logout,
        }.items():
            self.app.add_url_rule(path, view_func=view)
        self.app.add_url_rule("/answer", view_func=self.answer, methods=["POST"])
        self.app.add_url_rule("/token", view_func=self.token, methods=["POST"])
        self.app.before_request(lambda: self.asked.append(request.path))

    def describe(self) -> Answer:
        places = {
            "authorization_endpoint": "/authorize",
            "token_endpoint": "/token",
            "jwks_uri": "/jwks",
            "end_session_endpoint": "/logout",
        }
        told = {name: self.issuer + path for name, path in places.items()}
        return {"issuer": self.issuer, **told, "subject_types_supported": ["public"], **self.described}

    def jwks(self) -> Answer:
        return {"keys": [self.key.public]}

    def authorize(self) -> Answer:
        """The sign-in page."""
        self._check(request.args)
        hidden = "".join(f'<input type="hidden" name="{name}" value="{value}">' for name, value in request.args.items())
        return (
            f'<h1>The provider</h1><form method="post" action="/answer">{hidden}'
            '<button name="says" value="yes">Continue as Ada</button>'
            '<button name="says" value="no">Decline</button></form>'
        )

    def answer(self) -> Answer:
        asked = dict(request.form)
        says = asked.pop("says")
        return redirect(self.approve(asked) if says == "yes" else self.decline(asked))

    def approve(self, asked: dict[str, str] | str) -> str:
        """Where the browser goes back to, with a code; of a request, or of its URL."""
        asked = _parameters(asked)
        self._check(asked)
        self.signed_in.add(PERSON["sub"])
        code = secrets.token_urlsafe(16)
        self._codes[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def decline(self, asked: dict[str, str] | str) -> str:
        """Where the browser goes back to, with none."""
        asked = _parameters(asked)
        told = {"error": "access_denied", "error_description": "Ada said no", "state": asked["state"]}
        return f"{asked['redirect_uri']}?{urlencode(told)}"

    def token(self) -> Answer:
        given = request.authorization
        if given is None or (given.username, given.password) != (CLIENT, SECRET):
            return {"error": "invalid_client"}, 401
        asked = self._codes.pop(request.form["code"], None)
        verifier = sha256(request.form.get("code_verifier", "").encode()).digest()
        challenge = urlsafe_b64encode(verifier).rstrip(b"=").decode()
        if (
            asked is None
            or asked["redirect_uri"] != request.form["redirect_uri"]
            or asked["code_challenge"] != challenge
        ):
            return {"error": "invalid_grant"}, 400
        return {"access_token": "opaque", "token_type": "Bearer", "id_token": self.id_token(asked["nonce"])}

    def id_token(self, nonce: str) -> str:
        """What the provider says of the person."""
        now = int(time.time())
        told = {**PERSON, "iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": nonce, **self.lies}
        claims = {name: value for name, value in told.items() if value is not None}
        if self.forge is not None:
            forged: str = self.forge(claims, self.key)
            return forged
        return jwt.encode(claims, self.key.private, algorithm="RS256", headers={"kid": self.key.kid})

    def logout(self) -> Answer:
        self.signed_in.clear()
        return redirect(request.args["post_logout_redirect_uri"])

    def _check(self, asked: Any) -> None:
        expected = {"response_type": "code", "client_id": CLIENT, "code_challenge_method": "S256"}
        assert {name: asked[name] for name in expected} == expected
        assert asked["redirect_uri"] in self.callbacks
        assert "openid" in asked["scope"].split()
        assert min(len(asked[name]) for name in ("state", "nonce", "code_challenge")) >= 20

    @contextlib.contextmanager
    def running(self) -> Iterator[Provider]:
        """Serve."""
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        port = urlsplit(self.issuer).port
        assert port is not None
        server = make_server(HOST, port, self.app, threaded=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield self
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


def _parameters(asked: dict[str, str] | str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(asked).query)) if isinstance(asked, str) else asked
