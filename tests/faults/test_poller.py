"""The poller gives a consumer what AWS would give it."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Any

import pytest

from tests.faults.parts import CONSUMERS
from tests.faults.poller import Record, Shard
from tests.templates import Templates


def records(count: int) -> list[Record]:
    return [{"dynamodb": {"SequenceNumber": str(n)}} for n in range(count)]


def numbers(given: Iterable[Record]) -> list[int]:
    return [int(record["dynamodb"]["SequenceNumber"]) for record in given]


class All(random.Random):
    """Draws the largest batch."""

    def randint(self, a: int, b: int) -> int:
        return b


def give(shard: Shard, poison: set[int], *, partial: bool = False) -> list[list[int]]:
    """Every batch that the consumer was given; it fails on the poison."""
    given: list[list[int]] = []

    def consume(batch: list[Record]) -> Any:
        given.append(numbers(batch))
        bad = [n for n in given[-1] if n in poison]
        if bad and not partial:
            raise RuntimeError
        return {"batchItemFailures": [{"itemIdentifier": str(n)} for n in bad]}

    while shard.waits:
        shard.give(consume, All())
    return given


def test_what_fails_is_halved_until_it_stands_alone_and_ends_in_the_queue_after_its_retries() -> None:
    shard = Shard(batch_size=4, retries=2, bisect=True, partial=False)
    shard.put(records(6))
    assert give(shard, {1}) == [[0, 1, 2, 3], [0, 1], [0], [1], [1], [1], [2, 3], [4, 5]]
    assert [numbers(batch) for batch in shard.given_up] == [[1]]


def test_without_halving_the_whole_batch_is_given_again_and_the_shard_waits() -> None:
    shard = Shard(batch_size=2, retries=1, bisect=False, partial=False)
    shard.put(records(4))
    assert give(shard, {0}) == [[0, 1], [0, 1], [2, 3]]
    assert [numbers(batch) for batch in shard.given_up] == [[0, 1]]


def test_a_consumer_that_names_what_failed_is_asked_again_from_there() -> None:
    shard = Shard(batch_size=4, retries=1, bisect=False, partial=True)
    shard.put(records(4))
    assert give(shard, {2}, partial=True) == [[0, 1, 2, 3], [2, 3]]
    assert [numbers(batch) for batch in shard.given_up] == [[2, 3]]


def test_what_was_done_may_come_again_in_its_order() -> None:
    shard = Shard(batch_size=10, retries=1, bisect=True, partial=False)
    shard.put(records(4))
    give(shard, set())
    shard.go_back(2)
    assert give(shard, set()) == [[2, 3]]


def test_what_is_too_old_ends_in_the_queue_and_is_given_to_nobody() -> None:
    now = [0.0]
    shard = Shard(batch_size=10, retries=1, bisect=True, partial=False, oldest_s=60, now_s=lambda: now[0])
    shard.put(records(2))
    now[0] = 61
    shard.put(records(4)[2:])
    assert give(shard, set()) == [[2, 3]]
    assert [numbers(batch) for batch in shard.given_up] == [[0, 1]]


def test_a_consumer_that_dies_has_failed() -> None:
    shard = Shard(batch_size=2, retries=1, bisect=False, partial=False)
    shard.put(records(2))

    def die(batch: list[Record]) -> Any:
        raise SystemExit

    with pytest.raises(SystemExit):
        shard.give(die, All())
    assert give(shard, set()) == [[0, 1]]


def test_the_schedules_give_the_streams_as_the_template_does(dev: Templates) -> None:
    found = {}
    for name, mapping in dev.properties("AWS::Lambda::EventSourceMapping").items():
        assert mapping["DestinationConfig"]["OnFailure"]["Destination"], name
        (consumer,) = (known for known in CONSUMERS if f"/{known.title()}Function" in name)
        found[consumer] = {
            "batch_size": mapping["BatchSize"],
            "retries": mapping["MaximumRetryAttempts"],
            "bisect": mapping["BisectBatchOnFunctionError"],
            "oldest_s": mapping["MaximumRecordAgeInSeconds"],
            "partial": "ReportBatchItemFailures" in mapping.get("FunctionResponseTypes", []),
        }
    assert found == CONSUMERS
