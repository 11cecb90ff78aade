"""One message to every browser: encoded and framed once, then one send each that never waits."""

from __future__ import annotations

import time

from ws_server.client import Client, framed
from ws_server.metrics import Metrics


class Broadcast:
    """The clients that are told."""

    def __init__(self, metrics: Metrics) -> None:
        self.clients: set[Client] = set()
        self._metrics = metrics

    def send(self, event: str, content: bytes) -> None:
        """Tell everybody a Socket.IO event whose content is JSON."""
        frame = framed(f'42["{event}",{content.decode()}]')  # 4: Engine.IO's message, 2: Socket.IO's event
        began = time.perf_counter()
        told = sum([client.offer(frame) for client in tuple(self.clients)])
        metrics = self._metrics
        metrics.sending.observe(time.perf_counter() - began)
        metrics.sent.inc(told)
        metrics.sent_bytes.inc(told * len(frame))
        metrics.passed_over.inc(len(self.clients) - told)
