"""Who may see the live page: a one-time code opens a session, which a cookie carries."""

from __future__ import annotations

import secrets
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from http import HTTPStatus
from typing import Any

import jwt
from redis import Redis, RedisError

from tidemark import tokens
from tidemark.errors import BadRequest, Forbidden, TidemarkError, Unauthorized, Unavailable
from tidemark.settings import LivePageSettings
from tidemark.tokens import Grant

COOKIE = "tidemark_session"
CODE_LIFETIME = timedelta(days=1)
SESSION_LIFETIME = timedelta(hours=12)
CODE_NAME = "sign-in code"
SESSION_NAME = "browser"

ENDED = "tidemark:ended"

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
    """Codes and sessions are tokens, signed with the same secret; Redis remembers which codes were used, and which
    sessions were ended."""

    def __init__(self, secret: str, redis: Redis) -> None:
        self._secret = secret
        self._redis = self.redis = redis
        self.ended = Ended(redis)

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
        if not self.first_use(grant.name, CODE_LIFETIME):
            raise Unauthorized("this link has been used")
        return self.new_session()

    def first_use(self, name: str, lifetime: timedelta) -> bool:
        """Whether this is used for the first time, among all servers. Raises Unavailable where nobody can tell."""
        try:
            return bool(self._redis.set(f"tidemark:{name}", 1, nx=True, ex=lifetime))
        except RedisError:
            raise Unavailable("nobody can sign in now: try again in a minute") from None

    def new_session(self) -> str:
        """A session for a browser."""
        # Signed in the same second, two browsers would hold one token, and one's sign-out would end both.
        name = f"{SESSION_NAME} {secrets.token_hex(8)}"
        return tokens.mint(self._secret, "read", name=name, lifetime=SESSION_LIFETIME)

    def sign(self, claims: Mapping[str, Any], purpose: str, lifetime: timedelta) -> str:
        """Claims that a browser keeps for a purpose of ours; no token, since that is of another issuer."""
        ends = datetime.now(UTC) + lifetime
        return jwt.encode({**claims, "iss": purpose, "exp": ends}, self._secret, algorithm="HS256")

    def signed(self, text: str, purpose: str) -> dict[str, Any]:
        """The claims that were signed for the purpose. Raises Unauthorized where they were not, or are past their
        end."""
        try:
            options: Any = {"require": ["iss", "exp"]}
            return jwt.decode(text, self._secret, algorithms=["HS256"], issuer=purpose, options=options)
        except jwt.PyJWTError:
            raise Unauthorized("this is not valid any more") from None

    def session(self, cookie: str | None, header: str | None = None) -> Grant:
        """Who holds this cookie, or this Authorization header. Raises Unauthorized."""
        return self.grant(credential(cookie, header))

    def grant(self, credential: str) -> Grant:
        """Who holds this token. Raises Unauthorized where it may not read."""
        grant = tokens.verify(self._secret, credential)
        if grant.name.startswith(CODE_NAME):
            raise Unauthorized("a sign-in code is no session")
        if credential in self.ended:
            raise Unauthorized("this session has ended")
        grant.require("read")
        return grant

    def api_token(self) -> str:
        """A token for asking the API on a browser's behalf."""
        return tokens.mint(self._secret, "read", name="live page", lifetime=timedelta(minutes=5))


class Ended:
    """Sessions that were ended before their time. Each server asks Redis now and then which, so that no request has
    to."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._until: dict[str, float] = {}

    def __contains__(self, held: str) -> bool:
        return bool(self._until) and digest(held) in self._until

    def add(self, held: str, until: float) -> None:
        """End a session, which would have lasted `until`, in seconds since 1970: here at once, at the other servers
        when they next ask. Raises Unavailable where these cannot be told."""
        self._until[digest(held)] = until
        try:
            with self._redis.pipeline() as together:
                together.zadd(ENDED, {digest(held): until})
                together.expire(ENDED, SESSION_LIFETIME)
                together.execute()
        except RedisError:
            raise Unavailable("this session ends here only: close the browser, or try again in a minute") from None

    def refresh(self) -> None:
        """Learn of those that were ended elsewhere, and forget those that would be over by now."""
        now = time.time()
        with suppress(RedisError):  # what is known here stays so
            self._redis.zremrangebyscore(ENDED, 0, now)
            found: Any = self._redis.zrange(ENDED, 0, -1, withscores=True)
            self._until |= {name.decode(): until for name, until in found}
        self._until = {name: until for name, until in self._until.items() if until > now}


def digest(held: str) -> str:
    """By what an ended session is remembered: nobody can sign in with it."""
    return sha256(held.encode()).hexdigest()


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
