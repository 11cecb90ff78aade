"""A plain TCP proxy in front of one or more servers: connections in turn, and a cable that can be pulled."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from itertools import count

HOST = "127.0.0.1"
CHUNK = 65_536


class Proxy:
    """Listens on a port of its own while it is entered; each connection goes to the next of `backends` (ports)."""

    def __init__(self, *backends: int) -> None:
        self.backends = list(backends)
        self._turns = count()
        self._open: set[socket.socket] = set()
        self._plugged = True
        self._listener = socket.create_server((HOST, 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"http://{HOST}:{self.port}"

    @contextlib.contextmanager
    def running(self) -> Iterator[Proxy]:
        """Pass connections on."""
        threading.Thread(target=self._accept, daemon=True).start()
        try:
            yield self
        finally:
            self._listener.close()
            self.pull()

    def pull(self) -> None:
        """Pull the cable: what is open ends, what comes is refused."""
        self._plugged = False
        for one in list(self._open):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def plug(self) -> None:
        """Put the cable back."""
        self._plugged = True

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            backends = list(self.backends)
            if not self._plugged:
                client.close()
                continue
            for _ in backends:
                try:
                    server = socket.create_connection((HOST, backends[next(self._turns) % len(backends)]), timeout=5)
                    break
                except OSError:  # this one does not listen: the next
                    continue
            else:
                client.close()
                continue
            server.settimeout(None)
            for one, other in ((client, server), (server, client)):
                self._open.add(one)
                threading.Thread(target=self._pass_on, args=(one, other), daemon=True).start()

    def _pass_on(self, one: socket.socket, other: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := one.recv(CHUNK):
                other.sendall(data)
        for end in (one, other):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        self._open.discard(one)
        one.close()
