"""One message to every browser: encoded and framed once, then one send each that never waits."""

from __future__ import annotations

import time

from ws_server.client import Client, Push, framed
from ws_server.metrics import Metrics


class Broadcast:
    """The clients that are told: those that are ready, and those that have yet to read what they were told before."""

    def __init__(self, metrics: Metrics) -> None:
        self._ready: dict[Client, Push] = {}
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
        self._is_ready(client)

    def leave(self, client: Client) -> None:
        """This one is told no more."""
        client.stands_back = client.is_ready = None
        self._ready.pop(client, None)
        self._late.discard(client)

    def send(self, event: str, content: bytes) -> None:
        """Tell everybody a Socket.IO event whose content is JSON."""
        frame = framed(f'42["{event}",{content.decode()}]')  # 4: Engine.IO's message, 2: Socket.IO's event
        began = time.perf_counter()
        size = len(frame)
        stuck: list[tuple[Client, int]] = []
        gone: list[Client] = []
        for client, push in self._ready.items():  # nothing in here waits, so nobody comes or goes meanwhile
            try:
                sent = push(frame)
                if sent != size:
                    stuck.append((client, sent))
            except BlockingIOError:
                stuck.append((client, 0))
            except OSError:
                gone.append(client)
        for client in self._late:
            client.missed += 1
        missed = len(self._late) + len(gone)
        for client, sent in stuck:
            missed += not sent
            client.keep(frame, sent)
        for client in gone:
            client.abort()
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
        self._ready[client] = client.push
