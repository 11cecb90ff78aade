"""Sending to sockets that take all, some or nothing, without ever sending past what is kept."""

from __future__ import annotations

import pytest

from ws_server.broadcast import GONE, Group
from ws_server.client import Client, framed
from ws_server.metrics import Metrics


class Kernel:
    """What a socket's operating system takes: `room` bytes, or GONE."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.taken = b""

    def send(self, data: bytes | memoryview) -> int:
        if self.room == GONE:
            raise BrokenPipeError
        if not self.room:
            raise BlockingIOError
        part = bytes(data[: self.room])
        self.room -= len(part)
        self.taken += part
        return len(part)


@pytest.fixture(autouse=True)
def _kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ws_server.client.SEND", Kernel.send)
    monkeypatch.setattr("ws_server.broadcast.SEND", Kernel.send)


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
    made = Client(lambda _: None)
    made.raw = kernel
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


def test_one_that_is_full_and_one_that_is_gone_cost_the_others_nothing() -> None:
    metrics = Metrics()
    group = Group(metrics)
    crowd = [client(room) for room in (1000, 0, 1000, GONE, 7, 1000)]
    for one, _ in crowd:
        group.join(one)
    group.send("tick", b"{}")
    assert [kernel.taken for _, kernel in crowd] == [TICK, b"", TICK, b"", TICK[:7], TICK]
    assert [one.waits for one, _ in crowd] == [False, False, False, False, True, False]
    assert [one.missed for one, _ in crowd] == [0, 1, 0, 0, 0, 0]
    assert b"tidemark_live_sent_total 4.0" in metrics.text()
    assert b"tidemark_live_passed_over_total 2.0" in metrics.text()
