"""What ws_server measures of itself, for `/metrics` in Prometheus' text format."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

SENDING_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25)


class Metrics:
    """One process's. Counters rise from its start; durations are in seconds."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        registry = self._registry
        self.sent = Counter("tidemark_live_sent", "Messages sent to browsers", registry=registry)
        self.sent_bytes = Counter("tidemark_live_sent_bytes", "Bytes sent to browsers", registry=registry)
        self.passed_over = Counter(
            "tidemark_live_passed_over", "Messages that a browser which does not read was not sent", registry=registry
        )
        self.refused = Counter("tidemark_live_refused", "Connections refused, by reason", ["reason"], registry=registry)
        self.sending = Histogram(
            "tidemark_live_sending_seconds", "Time to send one tick to all", buckets=SENDING_S, registry=registry
        )

    def watch(self, name: str, about: str, read: Callable[[], float]) -> None:
        """A gauge that is read when somebody asks."""
        Gauge(f"tidemark_live_{name}", about, registry=self._registry).set_function(read)

    def text(self) -> bytes:
        """All of it, in Prometheus' text format."""
        return generate_latest(self._registry)
