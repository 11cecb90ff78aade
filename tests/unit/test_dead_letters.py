"""Dead letters: a letter goes only after what it stands for was taken, and again is harmless."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pytest

from tidemark.dead_letters import (
    BATCH,
    SLACK_MS,
    Consumer,
    DeadLetters,
    Depth,
    Image,
    Message,
    Redrive,
    merged,
    read_letter,
)
from tidemark.errors import Unavailable


def letter(first: str = "2026-11-29T03:00:00Z", last: str = "2026-11-29T03:00:09.5Z") -> str:
    """A message as Lambda writes it (AWS, "Destinations for stream event sources")."""
    return json.dumps(
        {
            "requestContext": {"requestId": "c9b8fa9f", "condition": "RetryAttemptsExhausted"},
            "version": "1.0",
            "DDBStreamBatchInfo": {
                "shardId": "shardId-00000001573689847184-864758bb",
                "approximateArrivalOfFirstRecord": first,
                "approximateArrivalOfLastRecord": last,
                "batchSize": 3,
            },
        }
    )


class Queue(DeadLetters):
    def __init__(self, *bodies: str) -> None:
        self.consumer = "archive"
        self.there = [Message(str(number), body) for number, body in enumerate(bodies)]
        self.taken: list[Message] = []

    def depth(self) -> Depth:
        return Depth(self.consumer, len(self.there), len(self.taken))

    def take(self) -> list[Message]:
        found, self.there = self.there[:2], self.there[2:]
        self.taken += found
        return found

    def remove(self, message: Message) -> None:
        self.taken.remove(message)

    def put_back(self, message: Message) -> None:
        self.taken.remove(message)
        self.there.append(message)


class Taking(Consumer):
    def __init__(self, fails_at: int = -1) -> None:
        self.batches: list[list[Image]] = []
        self._fails_at = fails_at

    def give(self, images: list[Image]) -> None:
        if len(self.batches) == self._fails_at:
            raise Unavailable("the consumer fails still")
        self.batches.append(images)


def driven(queue: Queue, consumer: Taking, items: int = 3, remaining: float = 1.0) -> tuple[Any, list[Any]]:
    asked: list[Any] = []

    def source(spans: list[tuple[int, int]]) -> Iterable[Image]:
        asked.append(spans)
        return ({"invoice_id": {"S": str(number)}} for number in range(items if spans else 0))

    return Redrive({"archive": (queue, source, consumer)}).run(lambda: remaining), asked


def test_all_letters_are_healed_by_reading_their_time_once() -> None:
    queue, consumer = Queue(*[letter()] * 5), Taking()
    done, asked = driven(queue, consumer, items=BATCH + 1)
    assert [(found.letters, found.items, found.problem) for found in done.healed] == [(5, BATCH + 1, None)]
    assert [len(batch) for batch in consumer.batches] == [BATCH, 1]
    (span,) = asked[0]
    assert span[1] - span[0] == 9_500 + 2 * SLACK_MS
    assert queue.depth() == Depth("archive", 0, 0)


def test_again_there_is_nothing_to_do() -> None:
    queue, consumer = Queue(letter()), Taking()
    driven(queue, consumer)
    done, _ = driven(queue, consumer)
    assert done.healed == []


def test_a_letter_stays_while_its_consumer_fails() -> None:
    queue = Queue(*[letter()] * 3)
    done, _ = driven(queue, Taking(fails_at=1), items=BATCH + 1)
    assert [(found.letters, found.problem) for found in done.healed] == [(0, "the consumer fails still")]
    assert queue.depth() == Depth("archive", 3, 0)


def test_a_letter_stays_where_there_is_no_time_to_read_it_all() -> None:
    queue = Queue(letter())
    done, _ = driven(queue, Taking(), remaining=0.0)
    assert "tidemark redrive" in done.healed[0].problem
    assert queue.depth() == Depth("archive", 1, 0)


@pytest.mark.parametrize("body", ["", "{}", "[]", '{"DDBStreamBatchInfo": null}', letter(first="yesterday")])
def test_what_is_no_letter_stays_and_is_told(body: str) -> None:
    assert read_letter(body) is None
    queue = Queue(letter(), body)
    done, _ = driven(queue, Taking())
    assert done.healed[0].letters == 1
    assert "they stay" in done.healed[0].problem
    assert [message.body for message in queue.there] == [body]


def test_spans_that_overlap_are_one() -> None:
    assert merged([(5, 7), (1, 3), (2, 4)]) == [(1, 4), (5, 7)]
