"""Who may see the live page: a one-time code opens a session, which a cookie carries."""

from __future__ import annotations

import secrets
from datetime import timedelta
from hashlib import sha256

from redis import Redis

from tidemark import tokens
from tidemark.errors import Unauthorized
from tidemark.tokens import Grant

COOKIE = "tidemark_session"
CODE_LIFETIME = timedelta(days=1)
SESSION_LIFETIME = timedelta(hours=12)
CODE_NAME = "sign-in code"


class Access:
    """Codes and sessions are tokens, signed with the same secret; Redis remembers which codes were used."""

    def __init__(self, secret: str, redis: Redis) -> None:
        self._secret = secret
        self._redis = redis

    def new_code(self) -> str:
        """A code for one sign-in."""
        name = f"{CODE_NAME} {secrets.token_hex(8)}"
        return tokens.mint(self._secret, "read", name=name, lifetime=CODE_LIFETIME)

    def redeem(self, code: str) -> str:
        """The session that the code opens. Raises Unauthorized where it is not valid, or was used."""
        grant = tokens.verify(self._secret, code)
        if not grant.name.startswith(CODE_NAME):
            raise Unauthorized("this is no sign-in code")
        key = f"tidemark:code:{sha256(code.encode()).hexdigest()}"
        if not self._redis.set(key, 1, nx=True, ex=CODE_LIFETIME):
            raise Unauthorized("this link has been used")
        return tokens.mint(self._secret, "read", name="browser", lifetime=SESSION_LIFETIME)

    def session(self, cookie: str | None, header: str | None = None) -> Grant:
        """Who holds this cookie, or this Authorization header. Raises Unauthorized."""
        grant = tokens.verify(self._secret, tokens.bearer(header) if header else cookie or "")
        if grant.name.startswith(CODE_NAME):
            raise Unauthorized("a sign-in code is no session")
        grant.require("read")
        return grant

    def api_token(self) -> str:
        """A token for asking the API on a browser's behalf."""
        return tokens.mint(self._secret, "read", name="live page", lifetime=timedelta(minutes=5))
