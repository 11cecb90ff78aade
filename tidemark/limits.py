"""How much one client may send, so that it does not starve the others."""

from __future__ import annotations

from abc import ABC, abstractmethod

from tidemark.errors import TidemarkError

SMALLEST = 25_000
"""What a request counts for at least, in bytes: that many small ones cost as much as a large one."""
BURST_S = 10.0


class TooMany(TidemarkError):
    """A client sends more than it may; nothing of this request was taken. `retry_after`: seconds until it may be sent
    again."""

    def __init__(self, retry_after: float) -> None:
        super().__init__("this token sends more than one may; send the same again after the time in Retry-After")
        self.retry_after = retry_after


class Limits(ABC):
    """What each client sent lately."""

    @abstractmethod
    def take(self, client: str, size: int) -> None:
        """Let `size` bytes of a client in. Raises TooMany where that is more than it may send now."""


class NoLimits(Limits):
    """Where nobody counts."""

    def take(self, client: str, size: int) -> None:
        """Nothing to do."""
