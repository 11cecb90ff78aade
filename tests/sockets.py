"""A browser's socket in tests' hands: WebSocket, Engine.IO and Socket.IO one step at a time."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, CloseConnection, RejectConnection, Request, TextMessage


class Browser:
    """A Socket.IO client that does nothing by itself. `closed`: the code with which the server ended it."""

    def __init__(self, address: str, token: str | None, *, buffer: int | None = None, **headers: str) -> None:
        host, port = address.removeprefix("http://").split(":")
        self._socket = socket.socket()
        if buffer:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self._socket.settimeout(20)
        self._socket.connect((host, int(port)))
        self._wire = WSConnection(ConnectionType.CLIENT)
        given = [(b"Authorization", f"Bearer {token}".encode())] if token else []
        given += [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        target = "/socket.io/?EIO=4&transport=websocket"
        self._socket.sendall(self._wire.send(Request(f"{host}:{port}", target, extra_headers=given)))
        self.accepted: bool | None = None
        self.closed: int | None = None
        self.said: list[str] = []
        self._part = ""

    def read(self) -> bool:
        """Take what comes next; False at the end."""
        try:
            data = self._socket.recv(65_536)
        except (ConnectionError, TimeoutError):
            return False
        self._wire.receive_data(data or None)
        for event in self._wire.events():
            if isinstance(event, AcceptConnection | RejectConnection):
                self.accepted = isinstance(event, AcceptConnection)
            elif isinstance(event, CloseConnection):
                self.closed = self.closed or event.code
            elif isinstance(event, TextMessage):
                self._part += event.data
                if event.message_finished:
                    if self._part == "2":
                        self.say("3")
                    self.said.append(self._part)
                    self._part = ""
        return bool(data)

    def read_until(self, start: str) -> str:
        """The first message that starts so."""
        while not (found := [text for text in self.said if text.startswith(start)]):
            assert self.read(), f"ended before it said {start}"
        return found[0]

    def say(self, text: str) -> None:
        """Send one message."""
        self.send(self._wire.send(TextMessage(text)))

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self._socket.sendall(data)

    def join(self) -> Browser:
        """Go through the hand-shakes of Engine.IO and Socket.IO."""
        self.read_until("0")
        self.say("40")
        self.read_until("40")
        return self

    def read_to_the_end(self) -> None:
        """Until the server closes."""
        while self.read():
            continue

    def close(self) -> None:
        """Go without a word."""
        self._socket.close()


@contextmanager
def browser(address: str, token: str | None, *, buffer: int | None = None, **headers: str) -> Iterator[Browser]:
    """One that is gone at the end; `headers` with `_` for `-`."""
    opened = Browser(address, token, buffer=buffer, **headers)
    try:
        yield opened
    finally:
        opened.close()
