"""Dead letters: what a stream's consumer gave up on, and how that is healed.

A letter holds no record, but when the first and the last of those that were given up came into the stream. All that a
consumer makes of the stream is absolute, so healing is to give it once more what ledger or cells hold of that time: the
lake's view removes what is there twice, and a cell's state that was told is passed over. Again changes nothing.
Source: AWS Lambda, "Destinations for stream event sources" (`DDBStreamBatchInfo`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from itertools import islice
from typing import Any

import msgspec

from tidemark.errors import TidemarkError, Unavailable

SLACK_MS = 300_000
"""How much earlier than it came into the stream a sale may say it was received: its writer's clock, and its retries."""
BATCH = 200  # items that a consumer is given at once
LOOK_EVERY = 500  # items read between two looks at the time

Image = dict[str, Any]
"""An item as it stands in the stream, in DynamoDB's JSON."""


class Depth(msgspec.Struct, frozen=True):
    """How many letters lie in a consumer's queue, and how many somebody is at work on."""

    consumer: str
    waiting: int
    in_work: int


class Message(msgspec.Struct, frozen=True):
    """A message as it lies in a queue."""

    receipt: str
    body: str


class Letter(msgspec.Struct, frozen=True):
    """A batch that was given up: its records came into the stream from `first_ms` to `last_ms` (since 1970)."""

    first_ms: int
    last_ms: int
    records: int
    reason: str


class Healed(msgspec.Struct, frozen=True):
    """`letters` were healed by giving the consumer `items` again; `problem` is null where that was done."""

    consumer: str
    letters: int
    items: int
    problem: str | None = None


class Redriven(msgspec.Struct, frozen=True):
    """What was done, by consumer, and what lies there now."""

    healed: list[Healed]
    queues: list[Depth]


class DeadLetters(ABC):
    """The queue of one consumer."""

    consumer: str

    @abstractmethod
    def depth(self) -> Depth:
        """How much lies there; about, as the queue itself counts."""

    @abstractmethod
    def take(self) -> list[Message]:
        """Some messages, which others do not see for some minutes."""

    @abstractmethod
    def remove(self, message: Message) -> None:
        """Forget a message."""

    @abstractmethod
    def put_back(self, message: Message) -> None:
        """Let others see it at once."""


class Consumer(ABC):
    """What follows a stream."""

    @abstractmethod
    def give(self, images: list[Image]) -> None:
        """Have it take these as if they came by the stream. Raises Unavailable where it did not."""


Source = Callable[[list[tuple[int, int]]], Iterable[Image]]
"""Reads what was written in one of some spans, each from and to milliseconds since 1970."""


class Redrive:
    """Heals what lies in the queues. `remaining`: seconds until the caller's deadline."""

    def __init__(self, ways: Mapping[str, tuple[DeadLetters, Source, Consumer]]) -> None:
        self._ways = ways

    def depths(self) -> list[Depth]:
        """How much lies in each queue."""
        return [letters.depth() for letters, _, _ in self._ways.values()]

    def run(self, remaining: Callable[[], float]) -> Redriven:
        """Heal all that can be taken; a letter goes only after what it stands for was taken by its consumer."""
        healed = [self._heal(name, *way, remaining) for name, way in self._ways.items()]
        return Redriven([found for found in healed if found.letters or found.problem], self.depths())

    def _heal(
        self, name: str, queue: DeadLetters, source: Source, consumer: Consumer, remaining: Callable[[], float]
    ) -> Healed:
        letters: dict[Message, Letter] = {}
        strange: list[Message] = []
        try:
            while found := queue.take():
                for message in found:
                    letter = read_letter(message.body)
                    if letter is None:
                        strange.append(message)
                    else:
                        letters[message] = letter
            spans = merged([(letter.first_ms - SLACK_MS, letter.last_ms + SLACK_MS) for letter in letters.values()])
            items = 0
            found_items = _in_time(source(spans), remaining)
            while images := list(islice(found_items, BATCH)):
                consumer.give(images)
                items += len(images)
        except TidemarkError as error:
            for message in (*letters, *strange):
                queue.put_back(message)
            return Healed(name, 0, 0, str(error))
        for message in letters:
            queue.remove(message)
        for message in strange:
            queue.put_back(message)
        problem = f"{len(strange)} messages are none that Lambda writes there: they stay" if strange else None
        return Healed(name, len(letters), items, problem)


def merged(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The same spans without overlap, in order."""
    found: list[tuple[int, int]] = []
    for since, until in sorted(spans):
        if found and since <= found[-1][1]:
            found[-1] = found[-1][0], max(until, found[-1][1])
        else:
            found.append((since, until))
    return found


def within(at_ms: int, spans: list[tuple[int, int]]) -> bool:
    """Whether a moment is in one of some spans."""
    return any(since <= at_ms <= until for since, until in spans)


def read_letter(body: str) -> Letter | None:
    """The letter in a queue's message; None where it is none of a stream's."""
    try:
        told = msgspec.json.decode(body)
        batch, asked = told["DDBStreamBatchInfo"], told.get("requestContext") or {}
        first, last = (_ms(batch[f"approximateArrivalOf{which}Record"]) for which in ("First", "Last"))
        return Letter(first, last, int(batch["batchSize"]), str(asked.get("condition", "unknown")))
    except (msgspec.DecodeError, KeyError, TypeError, ValueError, AttributeError):
        return None


def _ms(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


def _in_time(images: Iterable[Image], remaining: Callable[[], float]) -> Iterator[Image]:
    for number, image in enumerate(images):
        if number % LOOK_EVERY == 0 and remaining() <= 0:
            raise Unavailable("there is more to read again than one request has time for: run `tidemark redrive`")
        yield image
