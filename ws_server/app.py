"""The routes and socket events of the live page."""

from __future__ import annotations

import gzip
import time
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx
import msgspec
from flask import Flask, Response, make_response, redirect, request, send_from_directory
from flask_socketio import SocketIO
from werkzeug.wrappers import Response as AnyResponse

from tidemark import __version__
from tidemark.errors import Forbidden, TidemarkError, Unauthorized
from tidemark.settings import LivePageSettings
from ws_server.access import COOKIE, SESSION_LIFETIME, Access
from ws_server.reader import Reader
from ws_server.ticks import Ticker
from ws_server.truth import Truth

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self' ws: wss:; "
        "frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
GZIP_ABOVE = 1_400
PASSED_ON = ("branch", "from", "to", "limit", "cursor")

SIGN_IN_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Tidemark</title>
<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">
<style>body{{font:16px/1.5 system-ui;max-width:34rem;margin:18vh auto;padding:0 1.5rem}}code{{font-size:.95em}}</style>
<h1>Sign in</h1><p>{reason}</p><p>Open the link that <code>tidemark status</code> prints: each opens the page once, and
the browser stays signed in for 12 hours.</p></html>"""


class LivePage:
    """Wires the parts of one process together."""

    def __init__(self, settings: LivePageSettings, access: Access) -> None:
        self.settings = settings
        self.access = access
        self.truth = Truth()
        self.flask = Flask(__name__, static_folder=None)
        self.sockets = SocketIO(
            self.flask,
            async_mode="gevent",
            transports=["websocket"],  # type: ignore[call-arg]  # engineio takes it; the stub does not know
            ping_interval=10,
            ping_timeout=10,
            max_http_buffer_size=16_384,
            http_compression=False,
        )
        self.ticker = Ticker(self.truth, lambda message: self.sockets.emit("tick", message))
        self.reader: Reader | None = None
        self.clients = 0
        self._snapshot: tuple[str, bytes] = ("", b"")
        self._compressed: dict[str, bytes] = {}
        self._store = settings.store()
        self._api = httpx.Client(timeout=20)
        self._routes()
        self._events()

    def _routes(self) -> None:
        app = self.flask
        app.after_request(self._secure)
        app.register_error_handler(TidemarkError, self._refuse)
        app.add_url_rule("/", view_func=self.index)
        app.add_url_rule("/assets/<path:name>", view_func=self.asset)
        app.add_url_rule("/signin", view_func=self.sign_in)
        app.add_url_rule("/signin/codes", view_func=self.new_code, methods=["POST"])
        app.add_url_rule("/config", view_func=self.config)
        app.add_url_rule("/snapshot", view_func=self.snapshot)
        app.add_url_rule("/v1/<path:rest>", view_func=self.ask_api)
        app.add_url_rule("/healthz", view_func=self.health)

    def _events(self) -> None:
        self.sockets.on_event("connect", self._connect)
        self.sockets.on_event("disconnect", self._disconnect)
        self.sockets.on_event("clock", self._clock)

    # -- who

    def _session(self) -> None:
        self.access.session(request.cookies.get(COOKIE), request.headers.get("Authorization"))

    def _connect(self, auth: object = None) -> bool | None:
        try:
            self._session()
        except (Unauthorized, Forbidden):
            return False
        self.clients += 1
        return None

    def _disconnect(self, reason: object = None) -> None:
        self.clients -= 1

    @staticmethod
    def _clock(sent: object = None) -> float:
        """The server's clock, for a page that wants to know how far its own is off. Milliseconds since 1970."""
        return time.time() * 1000

    # -- pages

    def index(self) -> AnyResponse:
        """The page, for those who are signed in."""
        try:
            self._session()
        except (Unauthorized, Forbidden):
            return _page(SIGN_IN_PAGE.format(reason="You are not signed in."), HTTPStatus.UNAUTHORIZED)
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

    @property
    def _folder(self) -> Path:
        return Path(self.settings.page).resolve()

    def sign_in(self) -> AnyResponse:
        """Redeem a code for a session's cookie."""
        try:
            session = self.access.redeem(request.args.get("code", ""))
        except Unauthorized as error:
            try:
                self._session()  # a reload of the link, by somebody who is in already
            except (Unauthorized, Forbidden):
                return _page(SIGN_IN_PAGE.format(reason=f"Not signed in: {error}."), HTTPStatus.UNAUTHORIZED)
            return redirect("/")
        response = redirect("/")
        response.set_cookie(
            COOKIE,
            session,
            max_age=int(SESSION_LIFETIME.total_seconds()),
            httponly=True,
            samesite="Lax",
            secure=request.is_secure,
        )
        self._replace_link()
        return response

    def new_code(self) -> AnyResponse:
        """Another sign-in link, for whoever holds a token that may read."""
        self._session()
        return _json({"path": f"/signin?code={self.access.new_code()}"})

    def _replace_link(self) -> None:
        if not self.settings.state_file:
            return
        path = Path(self.settings.state_file)
        state = msgspec.json.decode(path.read_bytes())
        state["endpoints"]["live"] = f"{request.host_url}signin?code={self.access.new_code()}"
        partial = path.with_suffix(".live")
        partial.touch(mode=0o600)
        partial.write_bytes(msgspec.json.format(msgspec.json.encode(state)))
        partial.replace(path)

    # -- data

    def config(self) -> AnyResponse:
        """What the page must know of the store."""
        self._session()
        return _json({"version": __version__, "source": self.settings.source_label, "store": self._store})

    def snapshot(self) -> AnyResponse:
        """All cells, or with `?since=CURSOR` those that changed."""
        self._session()
        since = request.args.get("since")
        if since:
            return _json(self.truth.since(since))
        if self._snapshot[0] != self.truth.cursor:
            content = self.truth.since(None)
            self._snapshot = (content["cursor"], msgspec.json.encode(content))
        cursor, body = self._snapshot
        response = _body(body)
        response.set_etag(cursor)
        return response.make_conditional(request)

    def ask_api(self, rest: str) -> AnyResponse:
        """Ask the API for the signed-in browser; on AWS the proxy in front does this."""
        self._session()
        if not self.settings.api_url:
            return _json({"error": "no API behind this page"}, HTTPStatus.NOT_FOUND)
        query: list[tuple[str, str | int | float | bool | None]] = [
            (name, value) for name in PASSED_ON for value in request.args.getlist(name)
        ]
        try:
            answer = self._api.get(
                f"{self.settings.api_url}/v1/{rest}",
                params=query,
                headers={"Authorization": f"Bearer {self.access.api_token()}"},
            )
        except httpx.TransportError:
            return _json({"error": "the API does not answer"}, HTTPStatus.SERVICE_UNAVAILABLE)
        return Response(answer.content, answer.status_code, content_type="application/json")

    def health(self) -> AnyResponse:
        """Whether the page can be served, and how current it is."""
        reader = self.reader
        ready = reader is not None and reader.loaded
        return _json(
            {
                "status": "ok" if ready else "loading",
                "stream": bool(reader and reader.connected),
                "cells": len(self.truth),
                "clients": self.clients,
                "ticks": self.ticker.ticks,
            },
            HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE,
        )

    @staticmethod
    def _secure(response: Response) -> Response:
        response.headers.extend(SECURITY_HEADERS)
        return response

    @staticmethod
    def _refuse(error: TidemarkError) -> AnyResponse:
        status = HTTPStatus.FORBIDDEN if isinstance(error, Forbidden) else HTTPStatus.UNAUTHORIZED
        return _json({"error": str(error)}, status)


def _page(html: str, status: HTTPStatus) -> AnyResponse:
    return make_response(html, status)


def _json(content: Any, status: HTTPStatus = HTTPStatus.OK) -> Response:
    return _body(msgspec.json.encode(content), status)


def _body(body: bytes, status: HTTPStatus = HTTPStatus.OK) -> Response:
    headers = {"Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
    if len(body) > GZIP_ABOVE and "gzip" in request.headers.get("Accept-Encoding", ""):
        body = gzip.compress(body, 3)
        headers["Content-Encoding"] = "gzip"
    return Response(body, status, headers, content_type="application/json")
