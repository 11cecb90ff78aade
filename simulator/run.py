"""A run of the simulator: paced rows with their faults go to posters; what came back is summed up."""

from __future__ import annotations

import json
import queue
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from itertools import islice
from pathlib import Path

import msgspec

from simulator.faults import Labelled
from simulator.poster import Answered, Poster
from tidemark.sale import MAX_SALES

TICK_S = 0.1


class Pace(msgspec.Struct, frozen=True):
    """How fast: `rate` sales a second, or `speed_up` times as fast as they were sold, or as fast as is taken."""

    rate: float | None = None
    speed_up: float | None = None


class Summary(msgspec.Struct):
    """What a run did. `statuses`: how often each status was answered; times in seconds."""

    sent: int = 0
    posts: int = 0
    retries: int = 0
    statuses: Counter[str] = msgspec.field(default_factory=Counter)
    faults: Counter[str] = msgspec.field(default_factory=Counter)
    seconds: float = 0.0
    slowest_post: float = 0.0
    median_post: float = 0.0


def batches(rows: Iterable[Labelled], pace: Pace) -> Iterator[list[Labelled]]:
    """Batches of at most 500, each given when it is due. Waiting is the point of pacing, so this sleeps."""
    rows = iter(rows)
    if pace.speed_up:
        yield from _as_sold(rows, pace.speed_up)
        return
    if not pace.rate:
        while batch := list(islice(rows, MAX_SALES)):
            yield batch
        return
    began = time.monotonic()
    given = 0
    while True:
        due = int((time.monotonic() - began) * pace.rate) + 1 - given
        batch = list(islice(rows, min(due, MAX_SALES))) if due > 0 else []
        if due > 0 and not batch:
            return
        if batch:
            given += len(batch)
            yield batch
        ahead = given / pace.rate - (time.monotonic() - began)
        time.sleep(max(0.0, min(ahead, 1.0) if pace.rate < 1 / TICK_S else max(ahead, TICK_S)))


def _as_sold(rows: Iterator[Labelled], speed_up: float) -> Iterator[list[Labelled]]:
    began = time.monotonic()
    first: float | None = None
    batch: list[Labelled] = []
    for labelled in rows:
        try:
            sold = datetime.fromisoformat(labelled.row["sold_at"]).timestamp()
        except TypeError:
            sold = first or 0.0
        first = sold if first is None else first
        due = began + (sold - first) / speed_up
        if batch and (len(batch) == MAX_SALES or due > time.monotonic() + TICK_S):
            yield batch
            batch = []
        time.sleep(max(0.0, due - time.monotonic() - TICK_S))
        batch.append(labelled)
    if batch:
        yield batch


def run(
    labelled: Iterable[Labelled],
    *,
    api: str,
    token: str,
    pace: Pace,
    posters: int = 1,
    truth: Path | None = None,
    progress: Callable[[Summary], None] = lambda summary: None,
) -> Summary:
    """Post everything; returns what happened. An error of any poster ends the run and is raised."""
    summary = Summary()
    times: list[float] = []
    work: queue.Queue[list[Labelled] | None] = queue.Queue(maxsize=posters)
    lock = threading.Lock()
    failures: list[BaseException] = []
    began = time.monotonic()
    labels = truth.open("w") if truth else None

    def count(batch: list[Labelled], answered: Answered) -> None:
        with lock:
            summary.sent += len(batch)
            summary.posts += 1
            summary.retries += answered.retries
            summary.statuses.update(result["status"] for result in answered.results)
            summary.faults.update(item.fault for item in batch if item.fault)
            summary.seconds = time.monotonic() - began
            if len(times) < 100_000:
                times.append(answered.seconds)
            if labels:
                for item, result in zip(batch, answered.results, strict=True):
                    label = {
                        "invoice_id": item.row["invoice_id"],
                        "fault": item.fault,
                        "drifted": item.drifted,
                        "status": result["status"],
                    }
                    labels.write(json.dumps(label) + "\n")
            progress(summary)

    def post() -> None:
        poster = Poster(api, token)
        try:
            while (batch := work.get()) is not None:
                if not failures:
                    count(batch, poster.post([item.row for item in batch]))
        except BaseException as error:  # noqa: BLE001  # raised again by the caller's thread
            failures.append(error)
            while work.get() is not None:
                pass
        finally:
            poster.close()

    threads = [threading.Thread(target=post, daemon=True) for _ in range(posters)]
    for thread in threads:
        thread.start()
    try:
        for batch in batches(labelled, pace):
            if failures:
                break
            work.put(batch)
    finally:
        for _ in threads:
            work.put(None)
        for thread in threads:
            thread.join()
        if labels:
            labels.close()
    if failures:
        raise failures[0]
    summary.seconds = time.monotonic() - began
    if times:
        ordered = sorted(times)
        summary.median_post, summary.slowest_post = ordered[len(ordered) // 2], ordered[-1]
    return summary
