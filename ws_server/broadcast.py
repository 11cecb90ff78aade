"""One message to many browsers: encoded and framed once, then one send each that never waits.

Browsers are told in groups, one after another through the tick's tenth of a second: so nobody waits until thousands
before him have been served, and requests find the process free in between.
"""

from __future__ import annotations

import time
from itertools import repeat
from typing import Any

from ws_server.client import SEND, Client, event, framed
from ws_server.metrics import Metrics

GROUPS = 4
GROUP = 1_250  # clients in a group before the next is begun: some milliseconds of sending
GONE = -1


class Group:
    """Clients that are told together: those that are ready, and those that have yet to read what they were told."""

    def __init__(self, metrics: Metrics) -> None:
        self._ready: dict[Client, Any] = {}  # and its raw socket
        self._late: set[Client] = set()
        self._metrics = metrics

    def __len__(self) -> int:
        return len(self._ready) + len(self._late)

    @property
    def clients(self) -> list[Client]:
        """All of them."""
        return [*self._ready, *self._late]

    def join(self, client: Client) -> None:
        """From now on this one is told."""
        client.stands_back = self._stands_back
        client.is_ready = self._is_ready
        if client.waits:
            self._stands_back(client)
        else:
            self._is_ready(client)

    def leave(self, client: Client) -> bool:
        """This one is told no more; returns whether it was."""
        if client not in self._ready and client not in self._late:
            return False
        client.stands_back = client.is_ready = None
        self._ready.pop(client, None)
        self._late.discard(client)
        return True

    def send(self, name: str, content: bytes) -> None:
        """Tell everybody a Socket.IO event whose content is JSON."""
        if not len(self):
            return
        frame = framed(event(name, content))
        began = time.perf_counter()
        size = len(frame)
        taken: list[int] = []  # bytes, by each
        sends = map(SEND, self._ready.values(), repeat(frame))  # nothing in here waits: nobody comes or goes meanwhile
        while True:
            try:
                taken.extend(sends)
                break
            except BlockingIOError:
                taken.append(0)
            except OSError:
                taken.append(GONE)
        for client in self._late:
            client.missed += 1
        missed = len(self._late)
        if taken.count(size) != len(taken):
            for client, sent in zip(list(self._ready), taken, strict=True):
                if sent == size:
                    continue
                missed += sent <= 0
                if sent == GONE:
                    client.abort()
                else:
                    client.keep(frame, sent)
        metrics = self._metrics
        told = len(self) - missed
        metrics.sending.observe(time.perf_counter() - began)
        metrics.sent.inc(told)
        metrics.sent_bytes.inc(told * size)
        metrics.passed_over.inc(missed)

    def _stands_back(self, client: Client) -> None:
        self._ready.pop(client, None)
        self._late.add(client)

    def _is_ready(self, client: Client) -> None:
        self._late.discard(client)
        self._ready[client] = client.raw


class Broadcast:
    """All clients, in their groups."""

    def __init__(self, metrics: Metrics) -> None:
        self.groups = [Group(metrics) for _ in range(GROUPS)]

    def __len__(self) -> int:
        return sum(map(len, self.groups))

    @property
    def clients(self) -> list[Client]:
        """All of them."""
        return [client for group in self.groups for client in group.clients]

    def join(self, client: Client) -> None:
        """From now on this one is told."""
        free = (group for group in self.groups if len(group) < GROUP)
        (next(free, None) or min(self.groups, key=len)).join(client)

    def leave(self, client: Client) -> None:
        """This one is told no more."""
        any(group.leave(client) for group in self.groups)

    def send(self, name: str, content: bytes) -> None:
        """Tell everybody at once."""
        for group in self.groups:
            group.send(name, content)
