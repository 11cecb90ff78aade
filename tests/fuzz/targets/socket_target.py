"""What a browser may send on the socket of the live page, byte by byte as it comes from the network.

An input is a length of the pieces in which it comes (a byte), then frames. Nothing may be raised but what `wait` takes
for the end; what is let through is what the page says, and engineio and socketio understand all of it.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterable, Iterator
from typing import Any

from engineio import packet as engine
from socketio import packet as event
from wsproto.frame_protocol import Opcode

from tests.fuzz.targets import Target
from ws_server.app import LivePage
from ws_server.client import MESSAGE, MESSAGES, OUTBOX, SEND_BUFFER, UNDERSTOOD, Client

SAID = ("3", "40", "41", "1", '421["clock"]', '4212["clock",1700000000000.25]')


class Network:
    """A connection whose other side has sent some pieces, and then no more."""

    def __init__(self, pieces: Iterator[bytes], raw: socket.socket) -> None:
        self._pieces, self._raw = pieces, raw

    def recv(self, most: int) -> bytes:
        return next(self._pieces, b"")

    def fileno(self) -> int:
        return self._raw.fileno()

    def shutdown(self, how: int) -> None:
        self._pieces = iter(())


def check(data: bytes) -> None:
    """Let a client take what its browser sent, to the end."""
    step, sent = max(1, int.from_bytes(data[:1], "big")), data[1:]
    ours, theirs = socket.socketpair()
    with contextlib.closing(ours), contextlib.closing(theirs):
        ours.setblocking(False)
        pieces = (sent[place : place + step] for place in range(0, len(sent), step))
        client = Client(lambda _: None)
        client.raw, client._socket = ours, Network(pieces, ours)
        heard = 0
        while (said := client.wait()) is not None:
            heard += 1
            assert len(said) <= MESSAGE
            assert UNDERSTOOD.fullmatch(said)
            _understand(said)
        assert heard <= MESSAGES  # no longer than a window has passed
        assert len(client._part) <= MESSAGE + 4_096
        assert sum(map(len, client._outbox)) <= OUTBOX + SEND_BUFFER
        client.abort()


def _understand(said: str) -> None:
    heard: Any = engine.Packet(encoded_packet=said)
    if heard.packet_type != engine.MESSAGE:
        assert heard.packet_type in (engine.CLOSE, engine.PONG)
        return
    told: Any = event.Packet(encoded_packet=heard.data)
    assert told.packet_type in (event.CONNECT, event.DISCONNECT, event.EVENT)
    if told.packet_type == event.EVENT:
        name, *rest = told.data
        assert name == "clock"
        LivePage._clock(*rest)


def framed(content: bytes, opcode: Opcode = Opcode.TEXT, *, last: bool = True, mask: bytes = bytes(4)) -> bytes:
    """A frame as a browser sends it."""
    head = bytes([opcode | 0x80 * last])
    size = bytes([0x80 | len(content)]) if len(content) < 126 else bytes([0xFE]) + len(content).to_bytes(2, "big")
    return head + size + mask + bytes(byte ^ mask[place % 4] for place, byte in enumerate(content))


def _seeds() -> Iterable[bytes]:
    for said in SAID:
        yield b"\xff" + framed(said.encode())
    yield b"\xff" + b"".join(framed(said.encode(), mask=b"abcd") for said in SAID)
    yield b"\x01" + framed(b"4", last=False) + framed(b"ping", Opcode.PING) + framed(b"0", Opcode.CONTINUATION)
    yield b"\x40" + framed(b"x" * 200) + framed(b"\x03\xe8bye", Opcode.CLOSE)
    yield b"\xff" + framed(b"\xff\xfe", Opcode.BINARY)
    yield b"\xff" + framed(b"3") * 45
    yield b"\xff" + framed(b"x" * 300, last=False) + framed(b"y" * 900, Opcode.CONTINUATION, last=False)


TARGET = Target("socket", check, _seeds, 4_096)
