"""Dead letters in SQS, what they stand for in DynamoDB, and the Lambdas that take it again."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from tidemark.adapters.cell_items import cell_item
from tidemark.dead_letters import (
    Consumer,
    DeadLetters,
    Depth,
    Image,
    Message,
    Redrive,
    within,
)
from tidemark.errors import Unavailable
from tidemark.ports import Cells, Ledger
from tidemark.settings import RedriveSettings

AT_ONCE = 10  # AWS, ReceiveMessage
HIDDEN_S = 300  # longer than any healing lasts

Spans = list[tuple[int, int]]


class SqsLetters(DeadLetters):
    """One queue."""

    def __init__(self, client: Any, consumer: str, queue: str) -> None:
        self.consumer = consumer
        self._client = client
        self._queue = queue

    def depth(self) -> Depth:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self._call("get_queue_attributes", AttributeNames=names)["Attributes"]
        return Depth(self.consumer, *(int(found[name]) for name in names))

    def take(self) -> list[Message]:
        answer = self._call("receive_message", MaxNumberOfMessages=AT_ONCE, VisibilityTimeout=HIDDEN_S)
        return [Message(found["ReceiptHandle"], found["Body"]) for found in answer.get("Messages", [])]

    def remove(self, message: Message) -> None:
        self._call("delete_message", ReceiptHandle=message.receipt)

    def put_back(self, message: Message) -> None:
        self._call("change_message_visibility", ReceiptHandle=message.receipt, VisibilityTimeout=0)

    def _call(self, operation: str, **asked: Any) -> Any:
        try:
            return getattr(self._client, operation)(QueueUrl=self._queue, **asked)
        except (ClientError, BotoCoreError) as error:
            raise Unavailable(f"the queue of {self.consumer} does not answer") from error


class LambdaConsumer(Consumer):
    """A Lambda that is given records as its stream gives them."""

    def __init__(self, client: Any, function: str) -> None:
        self._client = client
        self._function = function

    def give(self, images: list[Image]) -> None:
        records = [
            {
                "eventID": str(number),
                "eventName": "INSERT",
                "eventSource": "aws:dynamodb",
                "dynamodb": {"NewImage": image, "SequenceNumber": str(number)},
            }
            for number, image in enumerate(images)
        ]
        try:
            answer = self._client.invoke(FunctionName=self._function, Payload=msgspec.json.encode({"Records": records}))
            told = msgspec.json.decode(answer["Payload"].read() or b"null")
        except (ClientError, BotoCoreError, msgspec.DecodeError) as error:
            raise Unavailable("the consumer cannot be asked") from error
        if answer.get("FunctionError") or (isinstance(told, dict) and told.get("batchItemFailures")):
            raise Unavailable("the consumer fails still: mend it first, its log says what is wrong")


def redrive(settings: RedriveSettings, ledger: Ledger, cells: Cells, *, sqs: Any, lambdas: Any) -> Redrive:
    """Both consumers' way back."""

    def sales(spans: Spans) -> Iterator[Image]:
        if not spans:
            return
        for counted in ledger.scan():
            entry = counted.entry
            if within(entry.received_at, spans):
                yield {
                    "sold_at": {"S": f"{entry.minute:010d}#{entry.invoice_id}"},
                    "doc": {"S": msgspec.json.encode(entry).decode()},
                }

    def states(spans: Spans) -> Iterator[Image]:
        # What was written again later was told later, and it is absolute.
        for cell in cells.read() if spans else ():
            if within(cell.written_at, spans) and not cell.moved:
                item = cell_item(cell)
                yield {**item, "state": {"B": base64.b64encode(item["state"]["B"]).decode()}}

    return Redrive(
        {
            "archive": (
                SqsLetters(sqs, "archive", settings.archive_failed_queue),
                sales,
                LambdaConsumer(lambdas, settings.archive_function),
            ),
            "publish": (
                SqsLetters(sqs, "publish", settings.publish_failed_queue),
                states,
                LambdaConsumer(lambdas, settings.publish_function),
            ),
        }
    )
