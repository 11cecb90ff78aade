"""The live page's process: its socket and what becomes of it. The routes are in `routes.py`."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from functools import partial
from typing import Any

import gevent
from flask import Flask, request
from flask_socketio import SocketIO
from gevent.event import Event
from gevent.pywsgi import WSGIServer
from socketio import Manager
from werkzeug.http import parse_cookie

from tidemark import emf
from tidemark.errors import TidemarkError
from tidemark.keyring import FRESH_S
from tidemark.settings import LivePageSettings
from ws_server.access import COOKIE, Access, Limits, status
from ws_server.broadcast import Broadcast
from ws_server.client import CLIENT, GRANT, MESSAGE, Client, Handler, event
from ws_server.memory import Memory
from ws_server.metrics import Metrics
from ws_server.operations import Operations
from ws_server.reader import Reader
from ws_server.snapshots import Snapshots
from ws_server.ticks import Ticker
from ws_server.truth import Truth

log = logging.getLogger(__name__)

BACKLOG = 4096
SOCKETS = "/socket.io/"
LONGEST_COOKIE = 16_384
SWEEP_S = 2.0
MEASURED_S = 15.0
PING_S = 10


class NoRooms(Manager):  # type: ignore[misc]  # it has no types
    """The clients of a Socket.IO server, without a room for each: nobody here is spoken to alone, and at each goodbye
    all rooms would be searched."""

    def basic_enter_room(self, sid: str, namespace: str, room: str | None, eio_sid: str | None = None) -> None:
        """Only the room of all, which has no name, is entered."""
        if room is None:
            super().basic_enter_room(sid, namespace, room, eio_sid)


class LivePage:
    """Wires the parts of one process together."""

    def __init__(self, settings: LivePageSettings, access: Access) -> None:
        self.settings = settings
        self.signs_in = settings.offers_sign_in()
        self.access = access
        self.metrics = Metrics()
        self.memory = Memory()
        self.limits = Limits(settings)
        self.truth = Truth()
        self.snapshots = Snapshots(self.truth)
        self.broadcast = Broadcast(self.metrics)
        self.ticker = Ticker(self.truth, self.broadcast.groups)
        self.reader: Reader | None = None
        self.operations = Operations(access.redis, self.ticker.stages, self.truth.newest, self._process)
        self.flask = Flask("ws_server", static_folder=None)
        # Behind a proxy the Host header and the scheme may be another's.
        origins: Any = [settings.public_origin] if settings.public_url else None
        self.sockets = SocketIO(
            self.flask,
            async_mode="gevent",
            client_manager=NoRooms(),  # type: ignore[call-arg]  # socketio takes it; the stub does not know
            transports=["websocket"],
            ping_interval=PING_S,
            ping_timeout=PING_S,
            max_http_buffer_size=MESSAGE,
            http_compression=False,
            cors_allowed_origins=origins,
        )
        sockets: Any = self.sockets  # the stub does not know its `server`
        # engineio has no setting for its transport's class
        sockets.server.eio._async["websocket"] = lambda serve, _: Client(serve)  # noqa: SLF001
        self._served = self.flask.wsgi_app
        self.flask.wsgi_app = self._gate  # type: ignore[method-assign]
        self.sockets.on_event("connect", self._connect)
        self.sockets.on_event("disconnect", self._disconnect)
        self.sockets.on_event("clock", self._clock)
        self._measure()
        self._drained = Event()
        self._server = WSGIServer(
            (settings.host, settings.port), self.flask, backlog=BACKLOG, handler_class=Handler, log=None
        )

    @property
    def ready(self) -> bool:
        """Whether a browser that comes now can be served."""
        return self.reader is not None and self.reader.loaded and not self.limits.closed_for

    def serve(self) -> None:
        """Serve until told to end."""
        gevent.spawn(self.ticker.run)
        gevent.spawn(self._sweep)
        gevent.spawn(self._keep_up)
        gevent.spawn(self._tell_of_itself)
        gevent.spawn(self.operations.run)
        self._server.start()
        self._drained.wait()

    def drain(self) -> None:
        """Let the browsers move to another server, then end: none is dropped before it has found its place."""
        self.limits.closed_for = "this server is about to end"
        self._server.close()  # whoever comes now is refused at once, and goes to another
        seconds = self.settings.drain_seconds
        if seconds:
            log.info("asking %d browsers to move within %d s", len(self.broadcast), seconds)
            self.broadcast.send("move", f'{{"within_ms":{seconds * 500}}}'.encode())
        deadline = time.monotonic() + seconds
        while len(self.broadcast) and time.monotonic() < deadline:
            gevent.sleep(0.1)
        self._drained.set()

    # -- the socket

    def _gate(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Sockets are refused before anything is made for them; one that is let in holds its place while it is open."""
        environ.pop("HTTP_X_FORWARDED_HOST", None)  # engineio would hold a socket's Origin against it
        if not environ["PATH_INFO"].startswith(SOCKETS):
            return self._served(environ, start_response)
        with ExitStack() as while_open:
            try:
                cookie = (
                    parse_cookie(environ).get(COOKIE) if len(environ.get("HTTP_COOKIE", "")) <= LONGEST_COOKIE else None
                )
                grant = self.access.session(cookie, environ.get("HTTP_AUTHORIZATION"))
                environ[GRANT] = grant
                while_open.enter_context(self.limits.one_more(grant.id))
            except TidemarkError as error:
                self.metrics.refused.labels(type(error).__name__).inc()
                refusal = status(error)
                start_response(f"{refusal.value} {refusal.phrase}", [("Content-Type", "text/plain; charset=utf-8")])
                return [str(error).encode()]
            while_open.callback(self.memory.one_gone)
            return self._served(environ, start_response)

    def _connect(self, auth: object = None) -> None:
        client: Client = request.environ[CLIENT]
        client.send(event("names", self.truth.names()))
        self.broadcast.join(client)

    def _disconnect(self, reason: object = None) -> None:
        self.broadcast.leave(request.environ[CLIENT])

    @staticmethod
    def _clock(sent: object = None) -> float:
        """The server's clock, for a page that wants to know how far its own is off. Milliseconds since 1970."""
        return time.time() * 1000

    def _sweep(self) -> None:
        while True:
            gevent.sleep(SWEEP_S)
            if self.signs_in:
                self.access.ended.refresh()
            is_over = self.access.is_over()
            for client in self.broadcast.clients:
                if client.grant and is_over(client.grant):
                    client.close(reason="the session has ended")
            self.memory.tidy()

    def _keep_up(self) -> None:
        """Learn of new keys and of revoked tokens; beside the sweep, which so waits for nobody."""
        while True:
            gevent.sleep(FRESH_S)
            self.access.keyring.refresh()

    def _tell_of_itself(self) -> None:
        """A line of metrics now and then, for a dashboard."""
        ticks = 0
        while True:
            metrics: dict[str, tuple[emf.Value, emf.Unit]] = {
                "clients": (len(self.broadcast), "Count"),
                "cells": (len(self.truth), "Count"),
                "ticks": (self.ticker.ticks - ticks, "Count"),
                "stream_up": (float(bool(self.reader and self.reader.connected)), "Count"),
            }
            if self.ticker.told_ms:
                metrics["told_ms"] = (list(self.ticker.told_ms), "Milliseconds")
            ticks = self.ticker.ticks
            self.ticker.told_ms.clear()
            emf.tell("live", metrics)
            gevent.sleep(MEASURED_S)

    def _process(self) -> dict[str, float]:
        """What there is to say of this process, for the page *Operations*."""
        reader = self.reader
        return {
            "clients": len(self.broadcast),
            "cells": len(self.truth),
            "ticks": self.ticker.ticks,
            "loads": reader.loads if reader else 0,
            "stream": float(bool(reader and reader.connected)),
        }

    def _measure(self) -> None:
        watch = self.metrics.watch
        watch("clients", "Browsers connected", partial(len, self.broadcast))
        watch("cells", "Cells held, a minute and branch each", partial(len, self.truth))
        watch("ticks", "Ticks since the start", lambda: self.ticker.ticks)
        watch("loads", "Times that all cells were loaded", lambda: self.reader.loads if self.reader else 0)
        watch("stream", "1 while the live stream answers", lambda: float(bool(self.reader and self.reader.connected)))
