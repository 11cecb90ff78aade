"""Who may see the live page: a one-time code opens a session, which a cookie carries."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http import HTTPStatus

from redis import Redis, RedisError

from tidemark import tokens
from tidemark.errors import BadRequest, Forbidden, TidemarkError, Unauthorized, Unavailable
from tidemark.settings import LivePageSettings
from tidemark.tokens import Grant

COOKIE = "tidemark_session"
CODE_LIFETIME = timedelta(days=1)
SESSION_LIFETIME = timedelta(hours=12)
CODE_NAME = "sign-in code"

STATUS = {
    Unauthorized: HTTPStatus.UNAUTHORIZED,
    Forbidden: HTTPStatus.FORBIDDEN,
    BadRequest: HTTPStatus.BAD_REQUEST,
    Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
}


def status(error: TidemarkError) -> HTTPStatus:
    """The HTTP status of a refusal."""
    return STATUS.get(type(error), HTTPStatus.INTERNAL_SERVER_ERROR)


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
        """The session that the code opens. Raises Unauthorized where it is not valid, or was used; Unavailable where
        nobody can tell."""
        grant = tokens.verify(self._secret, code)
        if not grant.name.startswith(CODE_NAME):
            raise Unauthorized("this is no sign-in code")
        key = f"tidemark:{grant.name}"
        try:
            unused = self._redis.set(key, 1, nx=True, ex=CODE_LIFETIME)
        except RedisError:
            raise Unavailable("nobody can sign in now: try again in a minute") from None
        if not unused:
            raise Unauthorized("this link has been used")
        return tokens.mint(self._secret, "read", name="browser", lifetime=SESSION_LIFETIME)

    def session(self, cookie: str | None, header: str | None = None) -> Grant:
        """Who holds this cookie, or this Authorization header. Raises Unauthorized."""
        return self.grant(credential(cookie, header))

    def grant(self, credential: str) -> Grant:
        """Who holds this token. Raises Unauthorized where it may not read."""
        grant = tokens.verify(self._secret, credential)
        if grant.name.startswith(CODE_NAME):
            raise Unauthorized("a sign-in code is no session")
        grant.require("read")
        return grant

    def api_token(self) -> str:
        """A token for asking the API on a browser's behalf."""
        return tokens.mint(self._secret, "read", name="live page", lifetime=timedelta(minutes=5))


def credential(cookie: str | None, header: str | None) -> str:
    """The token that a request carries: its Authorization header's, or else its cookie's."""
    return tokens.bearer(header) if header else cookie or ""


class Limits:
    """How many sockets may be open."""

    def __init__(self, settings: LivePageSettings) -> None:
        self._settings = settings
        self._open: Counter[str] = Counter()
        self.closed_for: str | None = None

    @contextmanager
    def one_more(self, credential: str) -> Iterator[None]:
        """Counts one socket of a session while it is open. Raises Unavailable where that is one too many."""
        if self.closed_for:
            raise Unavailable(self.closed_for)
        if self._open.total() >= self._settings.max_clients:
            raise Unavailable("this server serves as many browsers as it may")
        if self._open[credential] >= self._settings.max_clients_per_session:
            raise Unavailable("this browser has as many pages open as it may")
        self._open[credential] += 1
        try:
            yield
        finally:
            self._open[credential] -= 1
            if not self._open[credential]:
                del self._open[credential]
