"""What AWS does with a table's stream and the Lambda that follows it, which the emulator does otherwise.

After AWS's documentation (Lambda, "Process DynamoDB records", "Retain discarded batches", "Batch item failures"): a
shard's records come in order, and the next batch waits until one is done or given up. A batch that failed is halved
where bisecting is on, which costs none of its retries; a Lambda that names what failed is asked again from the first of
these on. What has used up its retries, or is too old, goes to a queue, and the shard goes on. Any batch may come again
although it was done, and then is as old as it was.
"""

from __future__ import annotations

import random
import time
from collections import deque
from collections.abc import Callable, Sequence
from math import inf
from typing import Any, NamedTuple

Record = dict[str, Any]
Invoke = Callable[[list[Record]], Any]
Came = tuple[float, Record]
"""A record, and the second at which it came into the stream."""


class Given(NamedTuple):
    """Records that are given to the Lambda, and how often they already were. Each with the second that it came at."""

    records: list[Came]
    tries: int = 0


class Shard:
    """One shard of a stream, and how far its consumer is. `given_up`: what waits in the queue. `oldest_s`: what is
    older is not given to the Lambda; `now_s`: the seconds of a clock."""

    def __init__(
        self,
        *,
        batch_size: int,
        retries: int,
        bisect: bool,
        partial: bool,
        oldest_s: float = inf,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._batch_size = batch_size
        self._retries = retries
        self._bisect = bisect
        self._partial = partial
        self._oldest_s = oldest_s
        self._now_s = now_s
        self._ahead: deque[Came] = deque()
        self._again: deque[Given] = deque()
        self._done: list[Came] = []
        self.given_up: list[list[Record]] = []
        self.busy = False
        self.too_old = 0

    def put(self, records: Sequence[Record]) -> None:
        """Records that came, in their order."""
        self._ahead.extend((self._now_s(), record) for record in records)

    @property
    def waits(self) -> bool:
        """Whether something is still to be given."""
        return bool(self._ahead or self._again)

    def go_back(self, count: int) -> None:
        """The newest of what was done comes again."""
        if not self._again and count:
            self._ahead.extendleft(reversed(self._done[-count:]))
            del self._done[-count:]

    def give(self, invoke: Invoke, drawn: random.Random) -> None:
        """Give one batch, of a size that is drawn, and do with it what becomes of it.

        The consumer that dies in the middle has failed.
        """
        if self._again:
            given = self._again.popleft()
        else:
            size = min(drawn.randint(1, self._batch_size), len(self._ahead))
            given = Given([self._ahead.popleft() for _ in range(size)])
        first = self._now_s() - self._oldest_s
        if old := [record for came, record in given.records if came < first]:
            self.given_up.append(old)
            self.too_old += len(old)
            given = Given([one for one in given.records if one[0] >= first], given.tries)
            if not given.records:
                return
        self.busy = True
        ended = False
        try:
            answer = invoke([record for _, record in given.records])
            ended = True
        except Exception:  # noqa: BLE001  # whatever the handler raises
            answer = None
        finally:
            self.busy = False
            self._take(given, answer if ended else None, ended=ended)

    def _take(self, given: Given, answer: Any, *, ended: bool) -> None:
        failed = given.records
        if ended:
            names = (
                {item["itemIdentifier"] for item in (answer or {}).get("batchItemFailures", [])}
                if self._partial
                else ()
            )
            first = next((n for n, (_, record) in enumerate(failed) if _sequence(record) in names), len(failed))
            self._done += failed[:first]
            failed = failed[first:]
        if not failed:
            return
        if self._bisect and len(failed) > 1:
            half = (len(failed) + 1) // 2
            self._again.extendleft([Given(failed[half:], given.tries), Given(failed[:half], given.tries)])
        elif given.tries + 1 > self._retries:
            self.given_up.append([record for _, record in failed])
        else:
            self._again.appendleft(Given(failed, given.tries + 1))


def _sequence(record: Record) -> str:
    return str(record["dynamodb"]["SequenceNumber"])
