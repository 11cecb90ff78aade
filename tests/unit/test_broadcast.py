"""Sending to sockets that take all, some or nothing, without ever sending past what is kept."""

from __future__ import annotations

from contextlib import nullcontext

import pytest

from ws_server.broadcast import Group
from ws_server.client import Client, framed
from ws_server.metrics import Metrics


class Kernel:
    """What a socket's operating system takes: `room` bytes."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.taken = b""

    def push(self, data: bytes | memoryview) -> int:
        if not self.room:
            raise BlockingIOError
        part = bytes(data[: self.room])
        self.room -= len(part)
        self.taken += part
        return len(part)


@pytest.fixture(autouse=True)
def _no_watcher(monkeypatch: pytest.MonkeyPatch) -> None:
    class Idle:
        active = True

        def stop(self) -> None: ...

    original = Client._stand_back

    def stand_back(self: Client) -> None:
        self._watcher = Idle()
        original(self)

    monkeypatch.setattr(Client, "_stand_back", stand_back)


def client(room: int) -> tuple[Client, Kernel]:
    kernel = Kernel(room)
    made = Client(lambda _: nullcontext(0.0), lambda _: None)
    made.push = kernel.push
    return made, kernel


TICK = framed('42["tick",{}]')


def test_a_tick_taken_in_part_is_finished_before_another() -> None:
    group = Group(Metrics())
    slow, kernel = client(5)
    quick, other = client(1000)
    group.join(slow)
    group.join(quick)
    group.send("tick", b"{}")
    group.send("tick", b"{}")
    assert kernel.taken == TICK[:5]
    assert other.taken == TICK * 2
    kernel.room = 1000
    slow._flush()
    assert kernel.taken == TICK + framed('42["behind"]')
    group.send("tick", b"{}")
    assert kernel.taken == TICK + framed('42["behind"]') + TICK


def test_who_joins_with_something_kept_is_told_nothing_past_it() -> None:
    group = Group(Metrics())
    joining, kernel = client(3)
    joining.send("40{}")  # a hand-shake that the socket took in part
    group.join(joining)
    group.send("tick", b"{}")
    assert kernel.taken == framed("40{}")[:3]
    kernel.room = 1000
    joining._flush()
    assert kernel.taken == framed("40{}") + framed('42["behind"]')


def test_who_took_nothing_is_told_that_something_was_missed() -> None:
    group = Group(Metrics())
    full, kernel = client(0)
    group.join(full)
    group.send("tick", b"{}")
    assert full.missed == 1
    kernel.room = 1000
    full._flush()
    assert kernel.taken == framed('42["behind"]')
    assert group.leave(full)
    assert not group.leave(full)
    assert len(group) == 0
