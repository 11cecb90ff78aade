"""What an OpenID Connect provider says of itself, and how a person leaves it. Nothing here is asked or fetched."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

SCOPES = "openid email profile"
CALLBACK = "/signin/callback"
"""Where people come back to the live page; Streamlit's is its own, `/oauth2callback`."""


def discovery_url(issuer: str) -> str:
    """Where a provider describes itself (OpenID Connect Discovery 1.0, section 4)."""
    return f"{issuer.rstrip('/')}/.well-known/openid-configuration"


def is_cognito(issuer: str) -> bool:
    """Whether this is an Amazon Cognito user pool."""
    host = urlsplit(issuer).hostname or ""
    return host.startswith("cognito-idp.") and host.endswith((".amazonaws.com", ".amazonaws.com.cn"))


def sign_out_url(description: Mapping[str, Any], client: str, back: str) -> str | None:
    """Where a browser is sent so that the provider forgets the person too, and that sends it on to `back`; None where
    the provider has no such place.

    `description`: what the provider says of itself. Cognito's place and its parameters are its own (Amazon Cognito,
    "The managed login sign-out endpoint").
    """
    if is_cognito(str(description.get("issuer", ""))):
        place = urlsplit(str(description["authorization_endpoint"]))
        path = place.path.removesuffix("/oauth2/authorize") + "/logout"
        return urlunsplit(place._replace(path=path, query=urlencode({"client_id": client, "logout_uri": back})))
    endpoint = description.get("end_session_endpoint")
    if not endpoint:
        return None
    place = urlsplit(str(endpoint))
    query = [*parse_qsl(place.query), ("client_id", client), ("post_logout_redirect_uri", back)]
    return urlunsplit(place._replace(query=urlencode(query)))
