"""Feedback on DynamoDB: one item a remark, key (`inbox`, `id`); the remark itself is the JSON in `doc`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from tidemark.errors import Unavailable
from tidemark.feedback import Remark, read_cursor
from tidemark.ports import Feedback, FeedbackPage

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

# One partition: 1,000 short remarks a second. One a month would take no more (all go to the newest) and end each page.
INBOX = "all"

_remark = msgspec.json.Decoder(Remark).decode


class DynamoFeedback(Feedback):
    """`client` may retry by itself: a remark is put whole, under a key of its own."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def add(self, remark: Remark) -> None:
        doc = msgspec.json.encode(remark).decode()
        item: dict[str, Any] = {"inbox": {"S": INBOX}, "id": {"S": remark.id}, "doc": {"S": doc}}
        try:
            self._client.put_item(TableName=self._table, Item=item)
        except (ClientError, BotoCoreError) as error:
            raise Unavailable("feedback cannot be kept just now; send it again") from error

    def page(self, *, limit: int, cursor: str | None = None) -> FeedbackPage:
        request: dict[str, Any] = {
            "TableName": self._table,
            "KeyConditionExpression": "inbox = :inbox",
            "ExpressionAttributeValues": {":inbox": {"S": INBOX}},
            "ScanIndexForward": False,
            "ConsistentRead": True,
            "Limit": limit + 1,  # one more tells whether there is a next page
        }
        if cursor:
            request["KeyConditionExpression"] += " AND id < :before"
            request["ExpressionAttributeValues"][":before"] = {"S": read_cursor(cursor)}
        answer = self._client.query(**request)
        found = [_remark(item["doc"]["S"]) for item in answer["Items"]]
        more = len(found) > limit or "LastEvaluatedKey" in answer
        return FeedbackPage(found[:limit], found[:limit][-1].id if more else None)
