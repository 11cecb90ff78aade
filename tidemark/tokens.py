"""Tokens: who may do what. Signed (HS256), with a scope and an end; nothing is stored for them.

What signs and checks them is given as `keyring.Keys`, or as the text of the secret that holds these.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import jwt
import msgspec

from tidemark import keyring
from tidemark.errors import Misuse, Unauthorized
from tidemark.grants import Grant, Scope
from tidemark.keyring import Key, Keys

ISSUER = "tidemark"
ISSUER_OF_BRANCHES = "tidemark/branches"
"""Of tokens of some branches only: a version that knows nothing of branches must not take them for whole ones."""
NOT_VALID = "this token is not valid"
MOST_BRANCHES = 50


def mint(
    keys: Keys | str,
    scope: Scope,
    *,
    name: str,
    lifetime: timedelta,
    branches: Collection[str] = (),
    origin: Grant | None = None,
) -> str:
    """A new token, of some branches, or of all where none is given. A negative lifetime gives one that has expired.

    `origin`: the grant by which it is made; it ends with that, and is revoked with it. Raises Misuse where branches and
    scope do not go together.
    """
    if branches and scope == "admin":
        raise Misuse("an admin token is of all branches")
    if len(branches) > MOST_BRANCHES or not all(0 < len(branch) <= 64 for branch in branches):
        raise Misuse(f"a token is of up to {MOST_BRANCHES} branches, their names of 1 to 64 characters")
    now = datetime.now(UTC)
    claims: dict[str, Any] = {"sub": name, "scope": scope, "iat": now, "exp": now + lifetime}
    claims["jti"] = secrets.token_hex(8)
    if branches:
        claims["branches"] = sorted(set(branches))
    if origin:
        ends = origin.origin_ends or origin.expires_at
        claims |= {"from": origin.origin or origin.id, "until": ends}
        claims["exp"] = min(now + lifetime, datetime.fromtimestamp(ends, UTC))
    return sign(keys, claims, ISSUER_OF_BRANCHES if branches else ISSUER)


def verify(keys: Keys | str, token: str) -> Grant:
    """The token's grant. Raises Unauthorized where it is malformed, forged, of somebody else, past its end, or
    revoked."""
    keys = _keys(keys)
    claims, key = _opened(keys, token, [ISSUER, ISSUER_OF_BRANCHES], ["exp", "sub", "iss"])
    branches = claims.get("branches")
    known = {
        "name": claims["sub"],
        "scope": claims.get("scope"),
        "expires_at": min(claims["exp"], key.until or claims["exp"]),
        "branches": branches,
        # Older tokens have no id of their own: what was signed has one spelling, which the signature has not.
        "id": claims.get("jti") or sha256(token.rpartition(".")[0].encode()).hexdigest()[:16],
        "origin": claims.get("from"),
        "origin_ends": claims.get("until"),
        "key": key.id,
    }
    try:
        grant = msgspec.convert(known, Grant)
    except msgspec.ValidationError:
        raise Unauthorized(NOT_VALID) from None
    if (claims["iss"] == ISSUER_OF_BRANCHES) != (branches is not None) or branches == [] or (
        branches is not None and grant.scope == "admin"
    ):  # fmt: skip
        raise Unauthorized(NOT_VALID)
    if is_revoked(keys, grant):
        raise Unauthorized("this token has been revoked")
    return grant


def key_of(token: str) -> str | None:
    """The name of the key that a token says it is signed with; None where it says none."""
    try:
        named = jwt.get_unverified_header(token).get("kid")
    except jwt.PyJWTError:
        return None
    return named if isinstance(named, str) else None


def is_revoked(keys: Keys, grant: Grant) -> bool:
    """Whether a token, the one that it was made with, or the key that signed it, has been taken back."""
    return grant.id in keys.revoked or grant.origin in keys.revoked or not any(keys.good(grant.key))


def sign(keys: Keys | str, claims: Mapping[str, Any], issuer: str) -> str:
    """Claims, signed, with the key's name in the header."""
    key = _keys(keys).signs
    return jwt.encode({**claims, "iss": issuer}, key.secret, algorithm="HS256", headers={"kid": key.id})


def signed(keys: Keys | str, text: str, issuer: str, require: Collection[str] = ("iss", "exp")) -> dict[str, Any]:
    """Claims that were signed by an issuer. Raises Unauthorized where they were not, or are past their end."""
    return _opened(_keys(keys), text, [issuer], list(require))[0]


def _keys(keys: Keys | str) -> Keys:
    return keyring.read(keys) if isinstance(keys, str) else keys


def _opened(keys: Keys, token: str, issuers: list[str], require: list[str]) -> tuple[dict[str, Any], Key]:
    """The claims, and the key that signed them."""
    if "=" in token:  # JWTs have no padding; a decoder that bears it would make one token of many spellings
        raise Unauthorized(NOT_VALID)
    try:
        named_key = jwt.get_unverified_header(token).get("kid")
        for key in keys.good(named_key):
            try:
                options: Any = {"require": require}
                claims = jwt.decode(token, key.secret, algorithms=["HS256"], issuer=issuers, options=options)
            except jwt.InvalidSignatureError:
                continue
            return claims, key
    except jwt.ExpiredSignatureError:
        raise Unauthorized("this token has expired") from None
    except jwt.PyJWTError:
        raise Unauthorized(NOT_VALID) from None
    raise Unauthorized(NOT_VALID)


def bearer(header: str | None) -> str:
    """The token in an `Authorization: Bearer` header. Raises Unauthorized where there is none."""
    scheme, _, token = (header or "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthorized("an Authorization: Bearer token is needed")
    return token.strip()
