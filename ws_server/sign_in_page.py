"""What is shown to whoever is not signed in."""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import quote

from flask import make_response
from werkzeug.wrappers import Response as AnyResponse

from tidemark.plain_page import button, plain_page

START = "/signin/start"
BY_LINK = """<p>Open the link that <code>tidemark status</code> prints: each opens the page
once, and the browser stays signed in for 12 hours.</p>"""
STAYS = "<p>The browser stays signed in for 12 hours.</p>"


class SignInPage:
    """The page: it offers the provider where there is one, and says how a link is had where there is none."""

    def __init__(self, *, offers_provider: bool) -> None:
        self._offers_provider = offers_provider

    def __call__(self, reason: str, code: HTTPStatus = HTTPStatus.UNAUTHORIZED, *, wanted: str = "") -> AnyResponse:
        """`wanted`: the query of the page that was asked for, which is opened after signing in."""
        way = BY_LINK
        if self._offers_provider:
            way = button("Sign in", f"{START}?wanted={quote(wanted, safe='')}" if wanted else START) + STAYS
        return self._answer("Sign in", reason, way, code)

    def not_out(self, reason: str, code: HTTPStatus) -> AnyResponse:
        """What is shown to whoever is not signed out, or not everywhere."""
        return self._answer("Sign out", reason, button("Open the page", "/"), code)

    @staticmethod
    def _answer(title: str, reason: str, way: str, code: HTTPStatus) -> AnyResponse:
        response = make_response(plain_page(title, reason, way), code)
        response.headers["Cache-Control"] = "no-store"
        if code == HTTPStatus.SERVICE_UNAVAILABLE:
            response.headers["Retry-After"] = "60"
        return response
