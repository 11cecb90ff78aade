"""One browser's WebSocket, whose writes never wait: the transport that engineio is given in place of its own.

What a client is told goes to the operating system at once or not at all. Of a message that it took in part the rest
is kept, as a view on bytes that all clients share, and sent as soon as there is room; until then the client is
passed over. So a client that stops reading costs a few bytes and nobody's time.
"""

from __future__ import annotations

import _socket
import logging
import re
import socket
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

import gevent
from gevent.pywsgi import Input, WSGIHandler
from wsproto.connection import Connection, ConnectionType
from wsproto.events import CloseConnection, Message, Ping, TextMessage
from wsproto.frame_protocol import CloseReason, FrameProtocol
from wsproto.utilities import ProtocolError, generate_accept_token

from tidemark.grants import Grant

log = logging.getLogger(__name__)

SOCKET = "tidemark.socket"
CLIENT = "tidemark.client"
GRANT = "tidemark.grant"
OUTBOX = 65_536  # bytes of control messages kept for a client that does not read
SEND_BUFFER = 262_144  # bytes the operating system keeps for it: some seconds of ticks
RECEIVE = 4096
MESSAGE = 1_024  # bytes a browser may say at once
MESSAGES, WINDOW_S = 40, 10.0  # how many times a browser may speak, pings and all, in how many seconds
IDLE_S = 75.0  # a connection on which nobody asks for anything; what stands in front of it keeps one for 60 s
HEADERS_S = 10.0  # for the headers of a request, once its first line is there
SWITCHING = 101

UNDERSTOOD = re.compile(
    r'1|3|40(\{\})?|41|42[0-9]{1,9}\["clock"(,(0|[1-9][0-9]{0,15})(\.[0-9]{1,18})?)?\]',  # a number as JSON has it
)
"""All that the page says: it closes, answers a ping, connects, disconnects, asks for the time."""

NOT_UNDERSTOOD = "?"
WRITE_READY = 2  # libev's EV_WRITE

BEHIND = '42["behind"]'
"""Told to a client that was passed over, once it reads again: it has to fetch what it missed."""

SEND = _socket.socket.send
"""Hands bytes to the operating system by a raw socket, and returns how many it took. Raises BlockingIOError where it
took none, OSError where the client is gone. gevent's own would wait, or ask itself at each call whether to: a sixth of
a tick's time."""


def event(name: str, content: bytes) -> str:
    """A Socket.IO event whose content is JSON, as Engine.IO's message."""
    return f'42["{name}",{content.decode()}]'  # 4: a message, 2: an event


def framed(text: str) -> bytes:
    """A WebSocket text message as a server sends it."""
    return bytes(FrameProtocol(client=False, extensions=[]).send_data(text))


class Handler(WSGIHandler):
    """pywsgi's handler, which also tells the application its socket."""

    def get_environ(self) -> dict[str, Any]:
        """The request's environ."""
        environ: dict[str, Any] = super().get_environ()
        environ[SOCKET] = self.socket
        return environ

    def read_requestline(self) -> str:
        """The next request's first line. Raises TimeoutError, which ends the connection."""
        with gevent.Timeout(IDLE_S, TimeoutError("nobody asks")):
            return str(super().read_requestline())

    def read_request(self, raw_requestline: str) -> Any:
        """The request's headers. Raises ValueError, which is answered with 400."""
        with gevent.Timeout(HEADERS_S, ValueError("headers that do not come")):
            return super().read_request(raw_requestline)

    def handle_one_request(self) -> Any:
        """Others come first: who sends one request behind another would otherwise be served without end."""
        gevent.sleep(0)
        return super().handle_one_request()

    def finalize_headers(self) -> None:
        """Who sends what nobody reads is told that the connection ends: else the next request would meet its end."""
        super().finalize_headers()
        if self._is_unread() and self.code != SWITCHING:
            headers: Any = self.response_headers  # of bytes, which the stub does not know
            headers.append((b"Connection", b"close"))

    def run_application(self) -> None:
        """A connection that became a WebSocket, or that goes on sending what nobody reads, ends with its answer."""
        super().run_application()
        if self.code == SWITCHING or self._is_unread():
            self.close_connection = True
            body: Any = self.wsgi_input
            self.wsgi_input = Input(body.rfile, 0)

    def _is_unread(self) -> bool:
        body: Any = self.wsgi_input
        return bool(body.chunked_input or body.position < (body.content_length or 0))


class Client:
    """A WebSocket, in the form that engineio knows: called with a request, it upgrades it and runs `serve`.

    `grant`: by what it was let in, the request's `GRANT`.
    """

    __slots__ = (
        "_inbox",
        "_outbox",
        "_part",
        "_serve",
        "_socket",
        "_spoken",
        "_watcher",
        "_wire",
        "grant",
        "is_ready",
        "missed",
        "raw",
        "stands_back",
    )

    def __init__(self, serve: Callable[[Client], object]) -> None:
        self._serve = serve
        self._socket: Any = None
        self._wire = Connection(ConnectionType.SERVER)
        self._inbox: deque[str] = deque()
        self._part = ""
        self._outbox: deque[memoryview] = deque()
        self._watcher: Any = None
        self._spoken: deque[float] = deque(maxlen=MESSAGES)
        self.raw: Any = None
        self.stands_back: Callable[[Client], None] | None = None
        self.is_ready: Callable[[Client], None] | None = None
        self.grant: Grant | None = None
        self.missed = 0

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Upgrade the request and serve until either side ends it."""
        key = environ.get("HTTP_SEC_WEBSOCKET_KEY", "")
        if environ.get("HTTP_SEC_WEBSOCKET_VERSION") != "13" or not key:
            start_response("426 Upgrade Required", [("Sec-WebSocket-Version", "13")])
            return [b"a WebSocket of version 13 is needed"]
        self._socket = environ[SOCKET]
        self.grant = environ[GRANT]
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        self.raw = self._socket._sock  # noqa: SLF001  # gevent keeps it in no other place
        accepted = generate_accept_token(key.encode()).decode()
        upgrade = [("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Accept", accepted)]
        start_response("101 Switching Protocols", upgrade)(b"")
        environ[CLIENT] = self
        try:
            self._serve(self)
        finally:
            self.abort()
        return []

    # -- what engineio calls

    def wait(self) -> str | None:
        """The next message; None at the end."""
        while not self._inbox:
            try:
                received = self._socket.recv(RECEIVE)
                if not received:
                    return None
                self._wire.receive_data(received)
                self._take()
            except (OSError, ProtocolError):
                return None
            gevent.sleep(0)  # others come first: where there is something to read, reading does not wait
        return self._inbox.popleft()

    def send(self, message: str | bytes) -> None:
        """Send a message of engineio's. Raises OSError where the client is gone, or reads too little."""
        self._write(bytes(FrameProtocol(client=False, extensions=[]).send_data(message)))

    def close(self, code: int = CloseReason.NORMAL_CLOSURE, reason: str | None = None) -> None:
        """Say goodbye, and go."""
        try:
            self._write(self._wire.send(CloseConnection(code, reason)))
        except Exception:  # noqa: BLE001  # whatever the state it is in, it ends here
            log.debug("a client was gone before it was told goodbye")
        self.abort()

    # -- what the broadcast calls

    @property
    def waits(self) -> bool:
        """Whether something is kept that must go out before anything else."""
        return bool(self._outbox)

    def keep(self, frame: bytes, sent: int) -> None:
        """A frame went out in part, or not at all (`sent` is 0): the rest follows as soon as there is room."""
        if sent:
            self._outbox.append(memoryview(frame)[sent:])
        else:
            self.missed += 1
        self._stand_back()

    def abort(self) -> None:
        """End the connection now; whoever waits for a message is told that there is none."""
        if self._watcher is not None:
            self._watcher.stop()
            self._watcher.close()
            self._watcher = None
        self._outbox.clear()
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except (OSError, AttributeError):  # it is gone already, or never was
            return

    # -- inside

    def _take(self) -> None:
        for event in self._wire.events():
            if isinstance(event, CloseConnection):
                self.close(event.code)
                return
            if not isinstance(event, Message):
                if self._too_often():
                    return
                if isinstance(event, Ping):
                    self._write(self._wire.send(event.response()))
                continue
            self._part += event.data if isinstance(event, TextMessage) else NOT_UNDERSTOOD
            if len(self._part) > MESSAGE:
                self.close(CloseReason.MESSAGE_TOO_BIG, "a message is too big")
                return
            if not event.message_finished:
                continue
            if self._too_often():
                return
            if not UNDERSTOOD.fullmatch(self._part):
                self.close(CloseReason.POLICY_VIOLATION, "this is nothing that the page says")
                return
            self._inbox.append(self._part)
            self._part = ""

    def _too_often(self) -> bool:
        now = time.monotonic()
        full = len(self._spoken) == MESSAGES and now - self._spoken[0] < WINDOW_S
        self._spoken.append(now)
        if full:
            self.close(CloseReason.POLICY_VIOLATION, "too many messages")
        return full

    def _write(self, frame: bytes) -> None:
        if self._outbox:
            if sum(map(len, self._outbox)) + len(frame) > OUTBOX + SEND_BUFFER:
                self.abort()
                raise OSError("the client does not read")
            self._outbox.append(memoryview(frame))
            return
        try:
            sent = SEND(self.raw, frame)
        except BlockingIOError:
            sent = 0
        if sent != len(frame):
            self._outbox.append(memoryview(frame)[sent:])
            self._stand_back()

    def _stand_back(self) -> None:
        """Until there is room again nothing may be sent past what is kept."""
        if self.stands_back is not None:
            self.stands_back(self)
        if self._watcher is None:
            hub: Any = gevent.get_hub()
            self._watcher = hub.loop.io(self._socket.fileno(), WRITE_READY)
        if not self._watcher.active:
            self._watcher.start(self._flush)

    def _flush(self) -> None:
        """There is room again: send what was kept, and say so if something was missed."""
        try:
            while self._outbox:
                rest = self._outbox[0]
                sent = SEND(self.raw, rest)
                if sent != len(rest):
                    self._outbox[0] = rest[sent:]
                    return
                self._outbox.popleft()
            self._watcher.stop()
            if self.is_ready is not None:
                self.is_ready(self)
            if self.missed:
                self.missed = 0
                self._write(framed(BEHIND))
        except BlockingIOError:
            return
        except OSError:
            self.abort()
