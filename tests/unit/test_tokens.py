"""Tokens: branches, keys that change, and tokens that are taken back."""

from __future__ import annotations

import string
import time
from datetime import timedelta
from typing import Any

import jwt
import pytest

from tidemark import keyring, tokens
from tidemark.errors import Misuse, SettingsError, Unauthorized
from tidemark.keyring import AGAIN_S, FRESH_S, SETTLED_S, Key, Keyring, Keys

SECRET = "a secret of the tests, of thirty-two bytes and more"
HOUR = timedelta(hours=1)
CLAIMS: dict[str, Any] = {"iss": tokens.ISSUER, "sub": "x", "scope": "read", "exp": 4_000_000_000}


def mint(keys: Keys | str = SECRET, **how: Any) -> str:
    return tokens.mint(keys, how.pop("scope", "read"), **{"name": "x", "lifetime": HOUR, **how})


def forged(secret: str = SECRET, **changes: Any) -> str:
    return jwt.encode({**CLAIMS, **changes}, secret, algorithm="HS256")


def test_a_token_is_of_all_branches_or_of_some() -> None:
    assert tokens.verify(SECRET, mint()).branches is None
    assert tokens.verify(SECRET, mint(branches=["B", "A", "B"])).branches == frozenset({"A", "B"})


def test_an_admin_is_of_all_branches() -> None:
    with pytest.raises(Misuse):
        mint(scope="admin", branches=["A"])


@pytest.mark.parametrize("branches", [["A"] * 51, [""], ["x" * 65]], ids=["many", "empty", "long"])
def test_branches_that_cannot_be(branches: list[str]) -> None:
    with pytest.raises(Misuse):
        mint(branches=branches)


@pytest.mark.parametrize(
    "changes",
    [
        {"branches": ["A"]},  # an older version would take it for one of all branches
        {"iss": tokens.ISSUER_OF_BRANCHES},
        {"iss": tokens.ISSUER_OF_BRANCHES, "branches": []},
        {"iss": tokens.ISSUER_OF_BRANCHES, "branches": "A"},
        {"iss": tokens.ISSUER_OF_BRANCHES, "branches": [1]},
        {"iss": tokens.ISSUER_OF_BRANCHES, "branches": None},
        {"iss": tokens.ISSUER_OF_BRANCHES, "branches": ["A"], "scope": "admin"},
        {"iss": "another"},
        {"jti": 7},
        {"exp": None},
    ],
    ids=str,
)
def test_claims_that_we_never_sign_are_of_nobody(changes: dict[str, Any]) -> None:
    with pytest.raises(Unauthorized):
        tokens.verify(SECRET, forged(**changes))


def test_a_token_from_before_keys_had_names_is_good() -> None:
    grant = tokens.verify(SECRET, forged())
    assert (grant.name, grant.branches, len(grant.id)) == ("x", None, 16)


def test_a_change_of_keys_ends_no_token_at_once_and_each_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    before = keyring.read(SECRET)
    old, older = mint(before), forged()
    keys = keyring.read(before.rotated(600).text())
    assert keys.signs.secret == SECRET  # until every process knows the new one
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + SETTLED_S)
    new = mint(keys)
    assert jwt.get_unverified_header(new)["kid"] != jwt.get_unverified_header(old)["kid"]
    for token in (new, old, older):
        tokens.verify(keys, token)
    monkeypatch.setattr(time, "time", lambda: real() + SETTLED_S + 601)
    tokens.verify(keys, new)
    for token in (old, older):
        with pytest.raises(Unauthorized):
            tokens.verify(keys, token)
    assert len(keys.rotated(600).keys) == 2  # the one that ended is forgotten


def test_a_second_change_lengthens_no_key() -> None:
    once = keyring.read(SECRET).rotated(10)
    twice = once.rotated(1_000)
    assert [key.until is None for key in twice.keys] == [True, False, False]
    assert twice.keys[2].until == once.keys[1].until


def test_a_key_is_dropped_at_once() -> None:
    keys = keyring.read(SECRET)
    with pytest.raises(Unauthorized):
        tokens.verify(keys.rotated(0), mint(keys))


def test_the_name_of_a_key_is_no_way_around_it() -> None:
    keys = keyring.read(SECRET).rotated(0)
    token = jwt.encode(CLAIMS, SECRET, algorithm="HS256", headers={"kid": keys.signs.id})
    with pytest.raises(Unauthorized):
        tokens.verify(keys, token)


@pytest.mark.parametrize("older", [False, True])
def test_a_revoked_token_is_good_no_more_however_it_is_spelt(older: bool) -> None:
    token, other = (forged(), forged(sub="other")) if older else (mint(), mint())
    keys = keyring.read(SECRET)
    keys = keyring.read(keys.revoking(tokens.verify(keys, token).id, time.time() + 60).text())
    head, _, signature = token.rpartition(".")
    with pytest.raises(Unauthorized, match="revoked"):
        tokens.verify(keys, token)
    for last in string.ascii_letters + string.digits + "-_":  # some of these are the same signature
        with pytest.raises(Unauthorized):
            tokens.verify(keys, f"{head}.{signature[:-1]}{last}")
    tokens.verify(keys, other)


def test_what_was_made_with_a_token_ends_with_it() -> None:
    keys = keyring.read(SECRET)
    parent = tokens.verify(keys, mint(lifetime=timedelta(minutes=5)))
    code = tokens.verify(keys, mint(lifetime=timedelta(minutes=1), origin=parent))
    session = tokens.verify(keys, mint(origin=code))
    assert session.expires_at == parent.expires_at > code.expires_at
    assert session.origin == code.origin == parent.id
    assert tokens.is_revoked(keys.revoking(parent.id, time.time() + 60), session)
    assert not tokens.is_revoked(keys.revoking(code.id, time.time() + 60), session)


def test_what_was_revoked_is_forgotten_when_it_would_have_ended() -> None:
    keys = keyring.read(SECRET).revoking("past", time.time() - 1).revoking("coming", time.time() + 60)
    assert set(keys.revoked) == {"coming"}
    full = Keys(keys.keys, {f"{n:016d}": time.time() + 60 for n in range(keyring.MOST_REVOKED)})
    assert len(full.text()) < 65_536
    with pytest.raises(Misuse, match="rotate"):
        full.revoking("one more", time.time() + 60)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "short",
        "x" * 64,
        "changeme" * 8,
        "{",
        '{"keys":[]}',
        '{"keys":[{"secret":"short"}]}',
        '{"keys":[],"more":1}',
    ],
)
def test_a_secret_that_signs_nothing_well_is_refused(text: str) -> None:
    with pytest.raises(SettingsError):
        keyring.read(text)


def test_a_process_keeps_up_and_goes_on_with_what_it_knows() -> None:
    now, told, texts = [0.0], list[str](), [SECRET]

    def text() -> str:
        return texts.pop()

    ring = Keyring(text, told.append, lambda: now[0])
    now[0] = FRESH_S - 1
    assert ring.now().keys == (Key(SECRET),)
    now[0] = FRESH_S
    assert ring.now().keys == (Key(SECRET),)  # nobody answers
    assert told == ["IndexError"]
    changed = ring.known().rotated(60)
    texts.append(changed.text())
    assert ring.now().keys == (Key(SECRET),)  # and nobody is asked again at once
    now[0] = 2 * FRESH_S
    assert ring.now() == changed


def test_a_key_that_a_process_does_not_know_is_looked_for_at_once_but_not_all_the_time() -> None:
    now, reads, kept = [0.0], [0], Keys((Key(SECRET),))

    def text() -> str:
        reads[0] += 1
        return kept.text()

    ring = Keyring(text, now_s=lambda: now[0])
    kept = kept.rotated(0)
    new = tokens.key_of(tokens.mint(kept, "read", name="till", lifetime=timedelta(hours=1)))
    assert new == kept.signs.id
    assert ring.knowing(new).signs.id != new  # it was read a moment ago
    now[0] = AGAIN_S
    assert ring.knowing(None).signs.id != new
    assert ring.knowing(new).signs.id == new
    now[0] = 3 * AGAIN_S
    assert ring.knowing(new) == kept
    assert reads == [2]
    assert ring.knowing("0" * 16) == ring.knowing("1" * 16)
    assert reads == [3]
    assert tokens.key_of("rubbish") is None
