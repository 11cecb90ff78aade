"""One connection to Valkey or Redis, for what is asked on the way of a POST.

hiredis alone speaks the protocol: importing a whole client costs a Lambda 0.13 s of its start.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote, urlsplit

import hiredis

from tidemark.errors import SettingsError, Unavailable

TIMEOUT_S = 0.05  # a POST waits no longer than this for each step


class RedisConnection:
    """Connects when it is first asked, and anew where that is lost. Not thread-safe.

    Raises SettingsError where `url` is none of Redis.
    """

    def __init__(self, url: str) -> None:
        self._url = urlsplit(url)
        if self._url.scheme not in ("redis", "rediss") or not self._url.hostname:
            raise SettingsError(f"redis_url: expected redis://host:port or rediss://host:port, got {url!r}")
        self._connection: socket.socket | None = None

    def call(self, *command: Any) -> object:
        """The answer to a command, which may be sent twice. Raises Unavailable where there is none in time."""
        if self._connection is not None:
            try:
                return self._call(self._connection, command)
            except (OSError, hiredis.HiredisError):
                self._drop()  # perhaps only this connection is dead
        try:
            self._connection = self._connect()
            return self._call(self._connection, command)
        except (OSError, hiredis.HiredisError) as error:
            self._drop()
            raise Unavailable("the live stream does not answer") from error

    def tell(self, commands: Sequence[tuple[Any, ...]]) -> None:
        """Send commands at once whose answers are nobody's, where there is a connection: what is lost is lost."""
        if self._connection is None or not commands:
            return
        try:
            self._exchange(self._connection, commands)
        except (OSError, hiredis.HiredisError):
            self._drop()

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connect(self) -> socket.socket:
        host = self._url.hostname or ""
        connection = socket.create_connection((host, self._url.port or 6379), timeout=TIMEOUT_S)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._url.scheme == "rediss":
            connection = ssl.create_default_context().wrap_socket(connection, server_hostname=host)
        if self._url.password:
            user = (unquote(self._url.username),) if self._url.username else ()
            self._call(connection, ("AUTH", *user, unquote(self._url.password)))
        return connection

    @classmethod
    def _call(cls, connection: socket.socket, command: tuple[Any, ...]) -> object:
        (answer,) = cls._exchange(connection, [command])
        return answer

    @staticmethod
    def _exchange(connection: socket.socket, commands: Sequence[tuple[Any, ...]]) -> list[object]:
        connection.sendall(b"".join(map(hiredis.pack_command, commands)))
        reader, answers = hiredis.Reader(), list[object]()
        while len(answers) < len(commands):
            while (answer := reader.gets()) is False:
                received = connection.recv(65_536)
                if not received:
                    raise ConnectionError("closed by the other side")
                reader.feed(received)
            if isinstance(answer, hiredis.ReplyError):
                raise answer
            answers.append(answer)
        return answers
