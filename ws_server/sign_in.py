"""The routes by which people sign in at an OpenID Connect provider, and out again.

What a sign-in needs to be finished (its state, nonce and PKCE verifier) waits, signed, in a cookie of the browser that
began it: nothing is stored for those who only begin, and nobody can finish it in another browser. Redis remembers which
were finished.
"""

from __future__ import annotations

import hmac
import secrets
from contextlib import suppress
from datetime import timedelta
from http import HTTPStatus
from string import punctuation
from typing import Any
from urllib.parse import quote

from flask import redirect, request
from werkzeug.wrappers import Response as AnyResponse

from tidemark.errors import BadRequest, Forbidden, TidemarkError, Unauthorized
from tidemark.openid import CALLBACK
from ws_server.access import COOKIE, SESSION_LIFETIME, status
from ws_server.app import LivePage
from ws_server.provider import Provider
from ws_server.sign_in_page import START, SignInPage

ATTEMPT = "tidemark_signin"
ATTEMPT_PATH = "/signin"
ATTEMPT_LIFETIME = timedelta(minutes=15)  # whoever signs in for the first time sets a password and a second factor
PURPOSE = "tidemark sign-in"
SIGN_OUT = "/signout"
LONGEST = 4_096  # characters of what a callback brings
LONGEST_WANTED = 1_000
FOREIGN = ("cross-site", "same-site")

NOT_BEGUN_HERE = "this sign-in was not begun in this browser, or too long ago, or is finished. Sign in again"


class SignIn:
    """Routes: parse, one call, answer. Every failure is a page that says what to do."""

    def __init__(self, page: LivePage, show: SignInPage) -> None:
        self._access = page.access
        self._show = show
        self._secure = page.settings.public_url.startswith("https://")
        self._provider = Provider(page.settings)
        page.flask.add_url_rule(START, view_func=self.start)
        page.flask.add_url_rule(CALLBACK, view_func=self.callback)
        page.flask.add_url_rule(SIGN_OUT, view_func=self.sign_out)

    def start(self) -> AnyResponse:
        """Send the browser to the provider."""
        wanted = request.args.get("wanted", "")
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        try:
            answer = redirect(self._provider.sign_in_url(state, nonce, verifier))
        except TidemarkError as error:
            return self._refused(error)
        claims = {"state": state, "nonce": nonce, "verifier": verifier}
        claims["wanted"] = wanted if len(wanted) <= LONGEST_WANTED else ""
        attempt = self._access.sign(claims, PURPOSE, ATTEMPT_LIFETIME)
        self._set(answer, ATTEMPT, attempt, ATTEMPT_LIFETIME, ATTEMPT_PATH)
        answer.headers["Cache-Control"] = "no-store"
        return answer

    def callback(self) -> AnyResponse:
        """The browser comes back: where the provider vouches for it, it is given a session."""
        try:
            attempt = self._finish()
        except BadRequest as error:
            try:
                self._access.session(request.cookies.get(COOKIE))  # a reload, by somebody who is in already
            except (Unauthorized, Forbidden):
                return self._refused(error)
            return redirect("/")
        except TidemarkError as error:
            return self._refused(error)
        wanted = attempt["wanted"]
        answer = redirect(f"/?{quote(wanted, safe=punctuation)}" if wanted else "/")
        self._set(answer, COOKIE, self._access.new_session(), SESSION_LIFETIME, "/")
        answer.delete_cookie(ATTEMPT, path=ATTEMPT_PATH)
        answer.headers["Cache-Control"] = "no-store"
        return answer

    def sign_out(self) -> AnyResponse:
        """End the session in all its pages, and go to the provider so that it forgets the person too."""
        if request.headers.get("Sec-Fetch-Site") in FOREIGN:  # another page would sign this browser out
            return self._show.not_out("You are still signed in: sign out on the page itself.", HTTPStatus.FORBIDDEN)
        try:
            grant = self._access.session(request.cookies.get(COOKIE))
        except (Unauthorized, Forbidden):
            return redirect("/")
        try:
            self._access.ended.add(grant)
        except TidemarkError as error:
            answer = self._show.not_out(f"Not signed out everywhere: {error}.", status(error))
        else:
            answer = redirect("/")
            with suppress(TidemarkError):  # it ends here all the same
                answer = redirect(self._provider.sign_out_url() or "/")
        answer.delete_cookie(COOKIE)
        return answer

    def _finish(self) -> dict[str, Any]:
        """What was begun in this browser and is finished with this request. Raises TidemarkError."""
        said = {name: request.args.get(name, "") for name in ("state", "code", "error", "iss")}
        if any(len(value) > LONGEST for value in said.values()):
            raise BadRequest(NOT_BEGUN_HERE)
        try:
            attempt = self._access.signed(request.cookies.get(ATTEMPT, ""), PURPOSE)
        except Unauthorized:
            raise BadRequest(NOT_BEGUN_HERE) from None
        if not hmac.compare_digest(attempt["state"].encode(), said["state"].encode()):
            raise BadRequest(NOT_BEGUN_HERE)
        if not self._access.first_use(f"sign-in {attempt['state']}", ATTEMPT_LIFETIME):
            raise BadRequest(NOT_BEGUN_HERE)
        if said["iss"] and not self._provider.issued(said["iss"]):
            raise BadRequest(NOT_BEGUN_HERE)
        if said["error"] == "access_denied":
            raise Forbidden("the sign-in service did not let you in. Ask whoever invites people to this page")
        if said["error"] or not said["code"]:
            raise Unauthorized("the sign-in service broke off. Sign in again")
        self._provider.redeem(said["code"], attempt["verifier"], attempt["nonce"])
        return attempt

    def _refused(self, error: TidemarkError) -> AnyResponse:
        return self._show(f"Not signed in: {error}.", status(error))

    def _set(self, answer: AnyResponse, name: str, value: str, lifetime: timedelta, path: str) -> None:
        seconds = int(lifetime.total_seconds())
        answer.set_cookie(name, value, seconds, path=path, secure=self._secure, httponly=True, samesite="Lax")
