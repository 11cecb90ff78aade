"""How long each post takes from its receipt to the commit, and on to the page; and by which request it was told."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from typing import NamedTuple

from tidemark.objectives import SHOWN_WITHIN_MS

KEPT = 5_000  # posts
LOGGED = 100  # requests in one line of the log


class Timed(NamedTuple):
    """One post: when it was told (milliseconds since 1970), how long its commit took, how long it then waited, and
    both; milliseconds. `commit` is None where the commit's time is not known."""

    at: float
    commit: float | None
    tell: float
    whole: float


class Stages:
    """Of one process: the newest posts, and what is not yet in the day's tally."""

    def __init__(self) -> None:
        self._waiting: list[tuple[str, int, int]] = []
        self._untold = 0
        self._known: dict[tuple[str, int], None] = {}
        self.timed: deque[Timed] = deque(maxlen=KEPT)
        self.requests: list[str] = []
        self.more = 0
        self.counts: Counter[str] = Counter()

    def heard(self, request: str, sent_at: int, committed_at: int) -> None:
        """A post with news came in; what is beyond `KEPT` before the next tick is counted and not timed.

        Where the table's stream was quicker than ingest, a post is told cell by cell: it is counted once all the same.
        """
        if request:
            if (request, sent_at) in self._known:
                return
            self._known[request, sent_at] = None
            if len(self._known) > KEPT:
                del self._known[next(iter(self._known))]
        if len(self._waiting) < KEPT:
            self._waiting.append((request, sent_at, committed_at))
        else:
            self._untold += 1

    def told(self, now_ms: float) -> None:
        """All that came in has been sent, as of now."""
        for request, sent_at, committed_at in self._waiting:
            whole = max(now_ms - sent_at, 0.0)
            commit = max(committed_at - sent_at, 0.0) if committed_at else None
            self.timed.append(Timed(now_ms, commit, max(whole - (commit or 0.0), 0.0), whole))
            self.counts["told"] += 1
            self.counts["late"] += whole > SHOWN_WITHIN_MS
            if request and len(self.requests) < LOGGED:
                self.requests.append(request)
            else:
                self.more += 1
        self.more += self._untold
        self._waiting, self._untold = [], 0

    def take_requests(self) -> tuple[list[str], int]:
        """The requests told since this was last asked, and how many more there were."""
        found = self.requests, self.more
        self.requests, self.more = [], 0
        return found

    def since(self, ms: float) -> list[Timed]:
        """The posts told since a moment, of those that are kept."""
        return [timed for timed in self.timed if timed.at >= ms]


def quantile(values: Sequence[float], share: float) -> float | None:
    """The value below which this share of them lies; None of none."""
    ordered = sorted(values)
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 1) if ordered else None
