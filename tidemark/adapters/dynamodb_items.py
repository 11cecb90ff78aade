"""A DynamoDB table as it lies, for backups."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from random import random
from typing import TYPE_CHECKING, Any

from tidemark.adapters.dynamodb_calls import FAILED, Refused, get_many, scan, transact
from tidemark.backup.items import line_of
from tidemark.errors import Unavailable
from tidemark.ledger import Cancelled, InDoubt
from tidemark.ports import Item, Items

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

AT_ONCE = 100  # AWS, TransactWriteItems
MAX_BYTES = 3_500_000  # of 4 MB, AWS, TransactWriteItems
CHUNKS_AT_ONCE = 4
TRIES = 10


class DynamoItems(Items):
    """`client` may retry by itself: an item is put where there is none, and what is there is told."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table
        self._keys: tuple[str, ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        if not self._keys:
            schema = self._client.describe_table(TableName=self._table)["Table"]["KeySchema"]
            self._keys = tuple(key["AttributeName"] for key in schema)
        return self._keys

    def scan(self) -> Iterator[Item]:
        return scan(self._client, self._table)

    def get(self, keys: Sequence[Item]) -> list[Item]:
        wanted = [{name: item[name] for name in self.keys} for item in keys]
        return list(get_many(self._client, self._table, wanted))

    def put_absent(self, items: Sequence[Item]) -> list[Item]:
        with ThreadPoolExecutor(CHUNKS_AT_ONCE) as pool:
            return [held for some in pool.map(self._put, _chunks(items)) for held in some]

    def _put(self, items: list[Item]) -> list[Item]:
        held: list[Item] = []
        for failures in range(TRIES):
            puts: list[Any] = [
                {
                    "Put": {
                        "TableName": self._table,
                        "Item": item,
                        "ConditionExpression": "attribute_not_exists(#key)",
                        "ExpressionAttributeNames": {"#key": self.keys[0]},
                        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
                    }
                }
                for item in items
            ]
            try:
                transact(self._client, puts, secrets.token_hex(16))
            except Refused as refusal:
                reasons = zip(items, refusal.reasons, strict=True)
                left = []
                for item, reason in reasons:
                    if reason.get("Code") == FAILED:
                        held.append(reason["Item"])
                    else:
                        left.append(item)
                if not left:
                    return held
                if len(left) < len(items):
                    items = left
                    continue
            except (Cancelled, InDoubt):  # what has landed all the same is found held, and is what was to be put
                pass
            else:
                return held
            time.sleep(random() * 0.05 * 2 ** min(failures, 6))
        raise Unavailable("a table does not answer; the same again goes on where this ended")


def _chunks(items: Sequence[Item]) -> Iterator[list[Item]]:
    chunk: list[Item] = []
    size = 0
    for item in items:
        length = len(line_of(item))
        if chunk and (len(chunk) == AT_ONCE or size + length > MAX_BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append(item)
        size += length
    if chunk:
        yield chunk
