"""The routes of the live page."""

from __future__ import annotations

import gzip
import time
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import quote

import gevent
import httpx
import msgspec
from flask import Response, redirect, request, send_from_directory
from werkzeug.wrappers import Response as AnyResponse

from tidemark import __version__
from tidemark.errors import BadRequest, Forbidden, TidemarkError, Unauthorized, Unavailable
from tidemark.grants import Grant
from ws_server.access import COOKIE, SESSION_LIFETIME, status
from ws_server.app import LivePage
from ws_server.sign_in import SIGN_OUT, SignIn
from ws_server.sign_in_page import SignInPage

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "connect-src 'self' ws: wss: data:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
GZIP_ABOVE = 1_400
PASSED_ON = ("branch", "from", "to", "limit", "cursor")
POSTED = 100_000  # bytes that a page may post: the API takes no more either
BODY_S = 10.0  # for all of it to come
SHARED = ("models/sales", "forecast", "operations", "flows")
SHARED_S = 15.0  # what the API said of these holds as long for whoever asks: many pages cost it no more than one


class Routes:
    """Every route: parse, one call, answer."""

    def __init__(self, page: LivePage) -> None:
        self._page = page
        self._settings = page.settings
        self._access = page.access
        self._folder = Path(page.settings.page).resolve()
        self._store = page.settings.store()
        self._compressed: dict[str, bytes] = {}
        self._api = httpx.Client(timeout=20)
        self._shared: dict[str, tuple[bytes, float]] = {}
        self._sign_in_page = SignInPage(offers_provider=page.signs_in)
        if page.signs_in:
            SignIn(page, self._sign_in_page)
        app = page.flask
        app.config["MAX_CONTENT_LENGTH"] = POSTED
        app.after_request(self._secure)
        app.register_error_handler(TidemarkError, lambda error: _json({"error": str(error)}, status(error)))
        app.add_url_rule("/", view_func=self.index)
        app.add_url_rule("/assets/<name>", view_func=self.asset)
        app.add_url_rule("/signin", view_func=self.sign_in)
        app.add_url_rule("/signin/codes", view_func=self.new_code, methods=["POST"])
        app.add_url_rule("/config", view_func=self.config)
        app.add_url_rule("/snapshot", view_func=self.snapshot)
        app.add_url_rule("/v1/<any(kpis, sales):what>", view_func=self.ask_api)
        app.add_url_rule("/v1/sales/<path:invoice>", view_func=self.one_sale)
        app.add_url_rule("/operations", view_func=self.index, endpoint="operations")
        app.add_url_rule("/operations/figures", view_func=self.figures)
        for what in SHARED:
            app.add_url_rule(f"/v1/{what}", view_func=self.shared, defaults={"what": what})
        app.add_url_rule("/v1/operations/redrive", view_func=self.redrive, methods=["POST"])
        app.add_url_rule("/v1/<any(feedback, verdicts):what>", view_func=self.post, methods=["POST"])
        app.add_url_rule("/healthz", view_func=self.health)
        app.add_url_rule("/metrics", view_func=self.metrics)

    def _session(self) -> Grant:
        return self._access.session(request.cookies.get(COOKIE), request.headers.get("Authorization"))

    @property
    def _address(self) -> str:
        """The page's own scheme and host: by the settings, or by the request where there are none."""
        return self._settings.public_origin or request.host_url.rstrip("/")

    # -- pages

    def index(self) -> AnyResponse:
        """The page, for those who are signed in."""
        try:
            self._session()
        except (Unauthorized, Forbidden):
            return self._sign_in_page("You are not signed in.", wanted=request.query_string.decode("latin-1"))
        response = send_from_directory(self._folder, "index.html")
        response.headers["Cache-Control"] = "no-cache"
        return response

    def asset(self, name: str) -> AnyResponse:
        """A built file; its name changes with its content."""
        response: AnyResponse = send_from_directory(self._folder / "assets", name)
        if "gzip" in request.headers.get("Accept-Encoding", "") and response.status_code == HTTPStatus.OK:
            if name not in self._compressed:
                self._compressed[name] = gzip.compress((self._folder / "assets" / name).read_bytes(), 6)
            response = Response(self._compressed[name], mimetype=response.mimetype)
            response.headers["Content-Encoding"] = "gzip"
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        response.headers["Vary"] = "Accept-Encoding"
        return response

    def sign_in(self) -> AnyResponse:
        """Redeem a code for a session's cookie."""
        try:
            session, grant = self._access.redeem(request.args.get("code", ""))
        except Unauthorized as error:
            try:
                self._session()  # a reload of the link, by somebody who is in already
            except (Unauthorized, Forbidden):
                return self._sign_in_page(f"Not signed in: {error}.")
            return redirect("/")
        except Unavailable as error:
            return self._sign_in_page(f"Not signed in: {error}.", status(error))
        response = redirect("/")
        response.set_cookie(
            COOKIE,
            session,
            max_age=int(SESSION_LIFETIME.total_seconds()),
            httponly=True,
            samesite="Lax",
            secure=self._address.startswith("https://"),
        )
        self._replace_link(grant)
        return response

    def new_code(self) -> AnyResponse:
        """Another sign-in link, for whoever holds a token that may read."""
        return _json({"path": f"/signin?code={self._access.new_code(self._session())}"})

    def _replace_link(self, by: Grant) -> None:
        if not self._settings.state_file:
            return
        path = Path(self._settings.state_file)
        state = msgspec.json.decode(path.read_bytes())
        state["endpoints"]["live"] = f"{self._address}/signin?code={self._access.new_code(by)}"
        partial = path.with_suffix(".live")
        partial.touch(mode=0o600)
        partial.write_bytes(msgspec.json.format(msgspec.json.encode(state)))
        partial.replace(path)

    # -- data

    def config(self) -> AnyResponse:
        """What the page must know of the store."""
        self._session()
        told = {"version": __version__, "source": self._settings.source_label, "store": self._store}
        return _json({**told, "sign_out": SIGN_OUT if self._page.signs_in else None})

    def snapshot(self) -> AnyResponse:
        """All cells, or with `?since=CURSOR` those that changed."""
        self._session()
        snapshot = self._page.snapshots.since(request.args.get("since"))
        packed = "gzip" in request.headers.get("Accept-Encoding", "")
        response = Response(snapshot.compressed if packed else snapshot.plain, content_type="application/json")
        if packed:
            response.headers["Content-Encoding"] = "gzip"
        response.headers["Cache-Control"] = "no-cache"
        response.headers["Vary"] = "Accept-Encoding"
        response.set_etag(f"{snapshot.cursor}{'-gzip' * packed}")
        return response.make_conditional(request)

    def ask_api(self, what: str) -> AnyResponse:
        """Ask the API for the signed-in browser; on AWS the proxy in front does this."""
        self._session()
        query: list[tuple[str, str | int | float | bool | None]] = [
            (name, value) for name in PASSED_ON for value in request.args.getlist(name)
        ]
        return self._pass_on("GET", what, params=query)

    def one_sale(self, invoice: str) -> AnyResponse:
        """Ask the API for one sale; its identifier, whatever is in it, is one segment of the path."""
        self._session()
        if invoice in (".", ".."):
            raise BadRequest(f"expected the id of a sale, got {invoice!r}")
        return self._pass_on("GET", f"sales/{quote(invoice, safe='')}")

    def shared(self, what: str) -> AnyResponse:
        """What the API says of models, forecasts, flows and dead letters: the same to all who look."""
        self._session()
        now = time.monotonic()
        said, until = self._shared.get(what, (b"", 0.0))
        if now >= until:
            answer = self._pass_on("GET", what)
            if answer.status_code != HTTPStatus.OK:
                return answer
            said = answer.get_data()
            self._shared[what] = said, now + SHARED_S
        return Response(said, content_type="application/json")

    def figures(self) -> AnyResponse:
        """What this process knows of the way from a till to a browser."""
        self._session()
        return _json(self._page.operations.figures(time.time()))

    def redrive(self) -> AnyResponse:
        """Have dead letters healed, for whoever holds a token that may: it is passed on as it is, and not kept. A
        browser's session does not do: it reads."""
        held = request.headers.get("Authorization", "")
        self._access.session(None, held).require("admin")
        answer = self._pass_on("POST", "operations/redrive", token=held)
        self._shared.pop("operations", None)
        return answer

    def post(self, what: str) -> AnyResponse:
        """Pass on what a visitor says of the page, or of a sale. Only this page may post, not another's in the same
        browser."""
        self._session()
        origin = request.headers.get("Origin")
        if origin is not None and origin != self._address:
            raise Forbidden("what is said is taken from this page alone")
        if not request.is_json:
            raise BadRequest("expected JSON")
        with gevent.Timeout(BODY_S, BadRequest("what is said came too slowly")):
            said = request.get_data()
        return self._pass_on("POST", what, content=said)

    def _pass_on(self, method: str, rest: str, *, token: str | None = None, **what: Any) -> AnyResponse:
        if not self._settings.api_url:
            return _json({"error": "no API behind this page"}, HTTPStatus.NOT_FOUND)
        headers = {
            "Authorization": token or f"Bearer {self._access.api_token()}",
            "Content-Type": "application/json",
        }
        try:
            answer = self._api.request(method, f"{self._settings.api_url}/v1/{rest}", headers=headers, **what)
        except httpx.TransportError:
            raise Unavailable("the API does not answer") from None
        return Response(answer.content, answer.status_code, content_type="application/json")

    def health(self) -> AnyResponse:
        """Whether a browser that comes now can be served, and how current it would be."""
        page = self._page
        ready = page.ready
        return _json(
            {
                "status": "ok" if ready else (page.limits.closed_for or "loading"),
                "stream": bool(page.reader and page.reader.connected),
                "cells": len(page.truth),
                "clients": len(page.broadcast),
                "ticks": page.ticker.ticks,
            },
            HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE,
        )

    def metrics(self) -> AnyResponse:
        """What the process measures of itself, for whoever holds a token that may read."""
        self._session()
        return Response(self._page.metrics.text(), content_type="text/plain; version=0.0.4; charset=utf-8")

    @staticmethod
    def _secure(response: Response) -> Response:
        response.headers.extend(SECURITY_HEADERS)
        return response


def _json(content: Any, code: HTTPStatus = HTTPStatus.OK) -> Response:
    body = msgspec.json.encode(content)
    headers = {"Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
    if len(body) > GZIP_ABOVE and "gzip" in request.headers.get("Accept-Encoding", ""):
        body = gzip.compress(body, 3)
        headers["Content-Encoding"] = "gzip"
    return Response(body, code, headers, content_type="application/json")
