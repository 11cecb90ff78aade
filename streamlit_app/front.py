"""What stands in front of Streamlit's own sign-in, where that lacks something.

Its cookies are for https only where people come by https; a sign-in that failed is a page that says so, where Streamlit
would lead back in silence; and from Cognito, whose way out is its own, people sign out.
"""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import parse_qs

import httpx
from starlette.datastructures import MutableHeaders
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tidemark.openid import discovery_url, is_cognito, sign_out_url
from tidemark.plain_page import button, plain_page
from tidemark.settings import ExplorerSettings

WAIT_S = 4.0
SIGNED_IN = "_streamlit_user="
MEASURES = "/_stcore/metrics"  # of the process: for nobody outside
DECLINED = "Not signed in: the sign-in service did not let you in. Ask whoever invites people to this page."
BROKEN = "Not signed in: this sign-in was not begun in this browser, or too long ago, or is finished. Sign in again."
NOT_NOW = "Not signed in: the sign-in service does not answer. Try again in a minute."


class Front:
    """ASGI middleware around the whole app."""

    def __init__(self, app: ASGIApp, settings: ExplorerSettings) -> None:
        self._app = app
        self._settings = settings
        self._secure = settings.public_url.startswith("https://")
        self._home = settings.public_path + "/"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers as the app does, but for what is said above."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"].removeprefix(self._settings.public_path)
        other: HTMLResponse | None = None
        way_out = await self._way_out() if path == "/auth/logout" else None

        async def answer(message: Message) -> None:
            nonlocal other
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                other = self._instead(path, scope["query_string"], message["status"], headers)
                if way_out:
                    headers["location"] = way_out
                if self._secure:
                    _keep_to_https(headers)
            if other is None:
                await send(message)

        await self._app(scope, receive, answer)
        if other is not None:
            await other(scope, receive, send)

    def _instead(self, path: str, query: bytes, status: int, headers: MutableHeaders) -> HTMLResponse | None:
        """The page that is shown instead of Streamlit's answer; None where that stands."""
        if path == MEASURES:
            return self._page("There is nothing here.", HTTPStatus.NOT_FOUND)
        if path == "/auth/login" and status >= HTTPStatus.BAD_REQUEST:
            return self._page(NOT_NOW, HTTPStatus.SERVICE_UNAVAILABLE)
        if path != "/oauth2callback":
            return None
        asked = parse_qs(query.decode("latin-1"))
        if not ("code" in asked or "error" in asked):  # back from the sign-out
            return None
        if any(cookie.startswith(SIGNED_IN) and "Max-Age=0" not in cookie for cookie in headers.getlist("set-cookie")):
            return None
        if asked.get("error") == ["access_denied"]:
            return self._page(DECLINED, HTTPStatus.FORBIDDEN)
        return self._page(BROKEN, HTTPStatus.BAD_REQUEST)

    def _page(self, reason: str, status: HTTPStatus) -> HTMLResponse:
        page = plain_page("Sign in", reason, button("Back to the sign-in", self._home))
        return HTMLResponse(page, status, {"Cache-Control": "no-store"})

    async def _way_out(self) -> str | None:
        """Where Cognito signs people out, which does not take what OpenID Connect would have it take."""
        issuer = self._settings.oidc_issuer
        if not is_cognito(issuer):
            return None
        try:
            async with httpx.AsyncClient(timeout=WAIT_S) as client:
                said = (await client.get(discovery_url(issuer))).raise_for_status().json()
            return sign_out_url(said, self._settings.oidc_client_id, self._settings.public_origin)
        except (httpx.HTTPError, ValueError, KeyError):
            return None  # the app forgets the person all the same


def _keep_to_https(headers: MutableHeaders) -> None:
    cookies = headers.getlist("set-cookie")
    if not cookies:
        return
    del headers["set-cookie"]
    for cookie in cookies:
        headers.append("set-cookie", cookie if "secure" in cookie.lower().split("; ") else f"{cookie}; Secure")
