"""How much one client may send, so that it does not starve the others."""

from __future__ import annotations

from abc import ABC, abstractmethod

from tidemark.errors import TidemarkError

SMALLEST = 25_000
"""What a request counts for at least, in bytes: that many small ones cost as much as a large one."""
BURST_S = 10.0
LONGEST_S = 30.0
"""Seconds that a request may take; then it counts no more, whatever became of it."""


class TooMany(TidemarkError):
    """A client sends more than it may, or too much at once; nothing of this request was taken. `retry_after`: seconds
    until it may be sent again."""

    def __init__(self, retry_after: float) -> None:
        super().__init__("this token sends more than one may; send the same again after the time in Retry-After")
        self.retry_after = retry_after


class Limits(ABC):
    """What each client sent lately."""

    @abstractmethod
    def take(self, client: str, size: int, request: str) -> None:
        """Let a request of `size` bytes in, known by a name that nobody else gives. Raises TooMany where that is more
        than its client may send now, or more than are worked on at once."""

    @abstractmethod
    def done(self, client: str, request: str) -> None:
        """It is worked on no more."""


class NoLimits(Limits):
    """Where nobody counts."""

    def take(self, client: str, size: int, request: str) -> None:
        """Nothing to do."""

    def done(self, client: str, request: str) -> None:
        """Nothing to do."""
