"""The keys that sign tokens, and the tokens that were revoked: what the secret holds, and how a process keeps up.

The secret's text is one key as it is (as a deployment makes it at first), or JSON once a key was changed or a token
revoked. The newest key comes first, and signs once every process can know it; those before it are good until their
end. So a change ends no token at once, and none is refused meanwhile.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from hashlib import sha256

import msgspec

from tidemark.errors import Misuse, SettingsError
from tidemark.settings import SHORTEST_SECRET, is_guessable

FRESH_S = 20.0
"""Seconds after which a process reads the secret again. API Gateway keeps what the authorizer said for as long."""
SETTLED_S = 30.0
"""Seconds after which every process knows a new key, and it signs."""
AGAIN_S = 5.0
"""Seconds after which a process that meets a key which it does not know reads the secret again."""
MOST_REVOKED = 1_000  # a secret holds 64 KB
KEY_BYTES = 48


class Key(msgspec.Struct, frozen=True, omit_defaults=True):
    """A key of HS256. `since`: when it begins to sign, `until`: when it ends, in seconds since 1970."""

    secret: str
    since: float | None = None
    until: float | None = None

    @property
    def id(self) -> str:
        """What a token's header names it by; the key cannot be told from it."""
        return sha256(self.secret.encode()).hexdigest()[:16]


class Keys(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What the secret holds. `revoked`: until when each revoked token would have been good, by its id."""

    keys: tuple[Key, ...]
    revoked: dict[str, float] = {}

    @property
    def signs(self) -> Key:
        """The key that signs: the newest that every process knows."""
        now = time.time()
        return next((key for key in self.keys if key.since is None or key.since <= now), self.keys[0])

    def good(self, id_: str | None = None) -> Iterator[Key]:
        """The keys that are good now: of one name, or all for a token that names none."""
        now = time.time()
        return (key for key in self.keys if (key.until is None or key.until > now) and id_ in (None, key.id))

    def text(self) -> str:
        """What is kept of it."""
        return msgspec.json.encode(self).decode()

    def rotated(self, keep_s: float) -> Keys:
        """The same with a new key, which signs after `SETTLED_S`; those before it end after `keep_s` seconds more, or
        before if they did. Where `keep_s` is 0 they are dropped, and the new one signs at once."""
        now = time.time()
        begins = now + SETTLED_S if keep_s > 0 else None
        ends = now + SETTLED_S + keep_s
        kept = [Key(key.secret, key.since, min(ends, key.until or ends)) for key in self.good()] if begins else []
        return Keys((Key(secrets.token_urlsafe(KEY_BYTES), begins), *kept), self._still(now))

    def revoking(self, id_: str, until: float) -> Keys:
        """The same without one token. Raises Misuse where as many were revoked as the secret can hold."""
        revoked = {**self._still(time.time()), id_: until}
        if len(revoked) > MOST_REVOKED:
            raise Misuse(f"{MOST_REVOKED} tokens are revoked, and no more can be kept: `tidemark token rotate --now`")
        return Keys(self.keys, revoked)

    def _still(self, now: float) -> dict[str, float]:
        return {id_: until for id_, until in self.revoked.items() if until > now}


def read(text: str) -> Keys:
    """The keys in a secret's text. Raises SettingsError where there are none, or one that could be guessed."""
    if text.startswith("{"):
        try:
            found = msgspec.json.decode(text, type=Keys)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise SettingsError("the secret that signs tokens cannot be read") from None
    else:
        found = Keys((Key(text),))
    if not found.keys or any(len(key.secret) < SHORTEST_SECRET or is_guessable(key.secret) for key in found.keys):
        raise SettingsError(
            f"the secret that signs tokens is empty, a default, or shorter than {SHORTEST_SECRET} characters"
        )
    return found


class Keyring:
    """The keys as a process knows them: read at the start, and again where they are older than `FRESH_S`.

    Where the secret cannot be read again the process goes on with what it knows, and `report`s it. `now_s`: seconds of
    a clock that is never set.
    """

    def __init__(
        self,
        text: Callable[[], str],
        report: Callable[[str], None] = lambda _: None,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._text, self._report, self._now_s = text, report, now_s
        self._read_at = now_s()
        self._keys = read(text())

    def known(self) -> Keys:
        """The keys as they were last read."""
        return self._keys

    def now(self) -> Keys:
        """The keys, read again where it is time to."""
        if self._now_s() - self._read_at >= FRESH_S:
            self.refresh()
        return self._keys

    def knowing(self, id_: str | None) -> Keys:
        """The keys; read again where none of them has that name, so that no new key waits for its turn."""
        unknown = id_ is not None and not any(self._keys.good(id_))
        if unknown and self._now_s() - self._read_at >= AGAIN_S:
            self.refresh()
        return self._keys

    def refresh(self) -> None:
        """Read them again."""
        self._read_at = self._now_s()
        try:
            self._keys = read(self._text())
        except Exception as error:  # noqa: BLE001  # whatever keeps us from reading, what is known still holds
            self._report(type(error).__name__)
