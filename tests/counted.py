"""What was counted, over a ledger in memory without history."""

from __future__ import annotations

from tidemark.adapters.memory import MemoryLedger
from tidemark.adapters.memory_history import MemoryHistory
from tidemark.history.counters import Counters


def counters(ledger: MemoryLedger, zone: str = "UTC") -> Counters:
    """Its counters."""
    return Counters(ledger, MemoryHistory(ledger), zone)
