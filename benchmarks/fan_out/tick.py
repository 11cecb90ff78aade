"""The message that every server of fan-out sends, and when."""

from __future__ import annotations

import time
from collections.abc import Iterator

EVENT = "tick"
BARE = len('42["tick",{"at":1700000000000000,"pad":""}]')


def content(size: int) -> dict[str, object]:
    """A tick of `size` bytes as Socket.IO's packet. `at`: microseconds since 1970."""
    return {"at": time.time_ns() // 1000, "pad": "x" * (size - BARE)}


def waits(rate: int) -> Iterator[float]:
    """Seconds to wait before each tick, `rate` of them a second; a server that is late goes on at once."""
    due = time.perf_counter()
    while True:
        now = time.perf_counter()
        due = max(due + 1 / rate, now)
        yield due - now
