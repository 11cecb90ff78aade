"""What the page *Operations* shows of the way from a till to a browser, kept by the process that does the telling.

Latencies are this process's own, of the posts it told. The counts behind rates and error budgets are a day's tally in
Redis, to which ingest and every ws_server add: the same figures on a laptop and on AWS, without CloudWatch.
"""

from __future__ import annotations

import logging
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from typing import Any

import gevent
import msgspec
from redis import Redis, RedisError

from tidemark import emf
from tidemark.adapters.redis_stream import tally_commands, tally_key
from tidemark.objectives import DAYS, OBJECTIVES, Budget, budget
from tidemark.watermark import ALLOWED_LATENESS, watermarks
from ws_server.stages import Stages, quantile

log = logging.getLogger(__name__)

SAMPLE_S = 15
SAMPLES = 240  # an hour
RECENT_S = 300
LOG_S = 1.0


class Sample(msgspec.Struct, frozen=True):
    """What happened in `SAMPLE_S` seconds up to `at` (milliseconds since 1970): per minute posts, sales and failures,
    None where the tally could not be read; and milliseconds from receipt to the page."""

    at: int
    posts: float | None
    sales: float | None
    failed: float | None
    p50: float | None
    p99: float | None


class Latency(msgspec.Struct, frozen=True):
    """Milliseconds of `count` posts; null of none."""

    count: int
    p50: float | None
    p99: float | None


class Watermark(msgspec.Struct, frozen=True):
    """Up to when a branch's sales are expected to be in, milliseconds since 1970."""

    branch: str
    at: int


class Figures(msgspec.Struct, frozen=True):
    """`latencies` are of the last five minutes, by stage; `process`: what this ws_server holds and does; `tallied`:
    whether the counts behind `samples` and `budgets` could be read."""

    at: int
    sample_s: int
    samples: list[Sample]
    latencies: dict[str, Latency]
    budgets: list[Budget]
    watermarks: list[Watermark]
    allowed_lateness_minutes: int
    process: dict[str, float]
    tallied: bool


class Operations:
    """Samples, adds to the tally and logs, for ever."""

    def __init__(
        self,
        redis: Redis,
        stages: Stages,
        newest: Callable[[], Mapping[str, int]],
        process: Callable[[], dict[str, float]],
    ) -> None:
        self._redis = redis
        self._stages = stages
        self._newest = newest
        self._process = process
        self._samples: deque[Sample] = deque(maxlen=SAMPLES)
        self._counts: Counter[str] = Counter()
        self._before: Counter[str] | None = None
        self._tallied = False

    def run(self) -> None:
        """Sample every `SAMPLE_S` seconds, and log each second which requests were told."""
        due = time.monotonic()
        while True:
            requests, more = self._stages.take_requests()
            if requests or more:
                emf.write({"level": "INFO", "service": "live", "message": "told", "requests": requests, "more": more})
            if time.monotonic() >= due:
                self.sample(time.time())
                due = max(due + SAMPLE_S, time.monotonic())
            gevent.sleep(LOG_S)

    def sample(self, now: float) -> None:
        """Add to the tally, read it, and note what is new in it."""
        adding, self._stages.counts = self._stages.counts, Counter()
        try:
            together: Any = self._redis.pipeline()
            with together:
                for command in tally_commands(now, adding):
                    together.execute_command(*command)
                together.execute()
        except RedisError:
            self._stages.counts += adding
        counts = self._tally(now)
        self._tallied = counts is not None
        rates: dict[str, float | None] = dict.fromkeys(("posts", "sales", "failed"))
        if counts is not None:
            if self._before is not None:
                rates = {name: max(counts[name] - self._before[name], 0) * 60 / SAMPLE_S for name in rates}
            self._counts = counts
        self._before = counts
        whole = [timed.whole for timed in self._stages.since((now - SAMPLE_S) * 1000)]
        ranks = quantile(whole, 0.5), quantile(whole, 0.99)
        self._samples.append(Sample(int(now * 1000), rates["posts"], rates["sales"], rates["failed"], *ranks))

    def _tally(self, now: float) -> Counter[str] | None:
        """The counts of the last `DAYS` days; None where they cannot be read."""
        try:
            with self._redis.pipeline() as together:
                for day in range(DAYS):
                    together.hgetall(tally_key(now - day * 86_400))
                days: list[Any] = together.execute()
        except RedisError:
            return None
        found: Counter[str] = Counter()
        for day in days:
            found.update({name.decode(): int(count) for name, count in day.items()})
        return found

    def figures(self, now: float) -> Figures:
        """What there is to show."""
        recent = self._stages.since((now - RECENT_S) * 1000)
        marks = watermarks(self._newest(), int(now) // 60)
        return Figures(
            at=int(now * 1000),
            sample_s=SAMPLE_S,
            samples=list(self._samples),
            latencies={
                "commit": _latency([timed.commit for timed in recent if timed.commit is not None]),
                "tell": _latency([timed.tell for timed in recent]),
                "whole": _latency([timed.whole for timed in recent]),
            },
            budgets=[budget(found, self._counts[found.total], self._counts[found.bad]) for found in OBJECTIVES],
            watermarks=[Watermark(branch, minute * 60_000) for branch, minute in sorted(marks.items())],
            allowed_lateness_minutes=ALLOWED_LATENESS,
            process=self._process(),
            tallied=self._tallied,
        )


def _latency(values: list[float]) -> Latency:
    return Latency(len(values), quantile(values, 0.5), quantile(values, 0.99))
