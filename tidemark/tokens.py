"""Tokens: who may do what. Signed (HS256), with a scope and an end; nothing is stored for them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Literal, get_args

import jwt
import msgspec

from tidemark.errors import Forbidden, Unauthorized

Scope = Literal["ingest", "read", "admin"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
ISSUER = "tidemark"


class Grant(msgspec.Struct, frozen=True):
    """What a token allows, until `expires_at`, seconds since 1970: `admin` is every scope."""

    name: str
    scope: Scope
    expires_at: float

    def require(self, scope: Scope) -> None:
        """Raises Forbidden unless the grant covers `scope`."""
        if self.scope not in (scope, "admin"):
            raise Forbidden(f"this token may {self.scope}; {scope} is needed")


def mint(secret: str, scope: Scope, *, name: str, lifetime: timedelta) -> str:
    """A new token. A negative lifetime gives one that has expired."""
    now = datetime.now(UTC)
    claims = {"iss": ISSUER, "sub": name, "scope": scope, "iat": now, "exp": now + lifetime}
    return jwt.encode(claims, secret, algorithm="HS256")


def verify(secret: str, token: str) -> Grant:
    """The token's grant. Raises Unauthorized where it is malformed, forged, of somebody else or past its end."""
    if "=" in token:  # JWTs have no padding; a decoder that bears it would make one token of many spellings
        raise Unauthorized("this token is not valid")
    try:
        claims = jwt.decode(
            token,
            secret,
            algorithms=["HS256"],
            issuer=ISSUER,
            options={"require": ["exp", "sub", "iss"]},
        )
        return msgspec.convert(
            {"name": claims["sub"], "scope": claims.get("scope"), "expires_at": claims["exp"]}, Grant
        )
    except jwt.ExpiredSignatureError:
        raise Unauthorized("this token has expired") from None
    except (jwt.PyJWTError, msgspec.ValidationError):
        raise Unauthorized("this token is not valid") from None


def bearer(header: str | None) -> str:
    """The token in an `Authorization: Bearer` header. Raises Unauthorized where there is none."""
    scheme, _, token = (header or "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthorized("an Authorization: Bearer token is needed")
    return token.strip()
