"""Who may see the live page: a one-time code opens a session, which a cookie carries."""

from __future__ import annotations

import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

from redis import Redis, RedisError

from tidemark import tokens
from tidemark.errors import BadRequest, Forbidden, TidemarkError, Unauthorized, Unavailable
from tidemark.grants import Grant
from tidemark.keyring import Keyring
from tidemark.settings import LivePageSettings

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
    """Codes and sessions are tokens, signed with the same keys: they end, and are revoked, with the token that they
    were made with. Redis remembers which codes were used, and which sessions were ended."""

    def __init__(self, keyring: Keyring, redis: Redis) -> None:
        self.keyring = keyring
        self._redis = self.redis = redis
        self.ended = Ended(redis)

    def new_code(self, by: Grant) -> str:
        """A code for one sign-in, made for whoever holds a token or session."""
        name = f"{CODE_NAME} {secrets.token_hex(8)}"
        return tokens.mint(self.keyring.known(), "read", name=name, lifetime=CODE_LIFETIME, origin=by)

    def redeem(self, code: str) -> tuple[str, Grant]:
        """The session that the code opens, and the code's grant. Raises Unauthorized where it is not valid, or was
        used; Unavailable where nobody can tell."""
        grant = tokens.verify(self.keyring.known(), code)
        if not grant.name.startswith(CODE_NAME):
            raise Unauthorized("this is no sign-in code")
        if not self.first_use(grant.name, CODE_LIFETIME):
            raise Unauthorized("this link has been used")
        return self.new_session(grant), grant

    def first_use(self, name: str, lifetime: timedelta) -> bool:
        """Whether this is used for the first time, among all servers. Raises Unavailable where nobody can tell."""
        try:
            return bool(self._redis.set(f"tidemark:{name}", 1, nx=True, ex=lifetime))
        except RedisError:
            raise Unavailable("nobody can sign in now: try again in a minute") from None

    def new_session(self, by: Grant | None = None) -> str:
        """A session for a browser; `by`: the code that opens it."""
        # Signed in the same second, two browsers would hold one token, and one's sign-out would end both.
        name = f"{SESSION_NAME} {secrets.token_hex(8)}"
        return tokens.mint(self.keyring.known(), "read", name=name, lifetime=SESSION_LIFETIME, origin=by)

    def sign(self, claims: Mapping[str, Any], purpose: str, lifetime: timedelta) -> str:
        """Claims that a browser keeps for a purpose of ours; no token, since that is of another issuer."""
        ends = datetime.now(UTC) + lifetime
        return tokens.sign(self.keyring.known(), {**claims, "exp": ends}, purpose)

    def signed(self, text: str, purpose: str) -> dict[str, Any]:
        """The claims that were signed for the purpose. Raises Unauthorized where they were not, or are past their
        end."""
        try:
            return tokens.signed(self.keyring.known(), text, purpose)
        except Unauthorized:
            raise Unauthorized("this is not valid any more") from None

    def session(self, cookie: str | None, header: str | None = None) -> Grant:
        """Who holds this cookie, or this Authorization header. Raises Unauthorized."""
        return self.grant(credential(cookie, header))

    def grant(self, credential: str) -> Grant:
        """Who holds this token. Raises Unauthorized where it is none, Forbidden where it may not read all branches:
        what the page is told is the same for all who look."""
        grant = tokens.verify(self.keyring.knowing(tokens.key_of(credential)), credential)
        if grant.name.startswith(CODE_NAME):
            raise Unauthorized("a sign-in code is no session")
        if grant.id in self.ended:
            raise Unauthorized("this session has ended")
        grant.require("read")
        grant.require_all_branches()
        return grant

    def is_over(self) -> Callable[[Grant], bool]:
        """Tells of a grant that was good whether it is over now: past its end, ended, or revoked. Made to be asked of
        many."""
        now, ended, keys = time.time(), self.ended, self.keyring.known()
        revoked, good = keys.revoked, {key.id for key in keys.good()}
        return lambda grant: (
            grant.expires_at <= now
            or grant.key not in good
            or grant.id in ended
            or grant.id in revoked
            or grant.origin in revoked
        )

    def api_token(self) -> str:
        """A token for asking the API on a browser's behalf."""
        return tokens.mint(self.keyring.known(), "read", name="live page", lifetime=timedelta(minutes=5))


class Ended:
    """Sessions that were ended before their time. Each server asks Redis now and then which, so that no request has
    to."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._until: dict[str, float] = {}

    def __contains__(self, id_: str) -> bool:
        return id_ in self._until

    def add(self, grant: Grant) -> None:
        """End a session before its time: here at once, at the other servers when they next ask. Raises Unavailable
        where these cannot be told."""
        self._until[grant.id] = grant.expires_at
        try:
            with self._redis.pipeline() as together:
                together.zadd(ENDED, {grant.id: grant.expires_at})
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
    def one_more(self, session: str) -> Iterator[None]:
        """Counts one socket of a session while it is open. Raises Unavailable where that is one too many."""
        if self.closed_for:
            raise Unavailable(self.closed_for)
        if self._open.total() >= self._settings.max_clients:
            raise Unavailable("this server serves as many browsers as it may")
        if self._open[session] >= self._settings.max_clients_per_session:
            raise Unavailable("this browser has as many pages open as it may")
        self._open[session] += 1
        try:
            yield
        finally:
            self._open[session] -= 1
            if not self._open[session]:
                del self._open[session]
