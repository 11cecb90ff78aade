"""Reading DynamoDB page by page, and what its refusals mean: for all adapters on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError, ConnectTimeoutError, EndpointConnectionError

from tidemark.ledger import Cancelled, InDoubt

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

GET_AT_ONCE = 100  # AWS, BatchGetItem
_THROTTLED = {"ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded"}
_BUSY_REASONS = {"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"}
FAILED = "ConditionalCheckFailed"


def transact(client: DynamoDBClient, items: Sequence[Any], token: str) -> None:
    """All of the items, at once.

    Raises Refused where the store refused the transaction, Cancelled where it was busy, InDoubt where nobody can say.
    """
    try:
        client.transact_write_items(TransactItems=list(items), ClientRequestToken=token)
    except ClientError as error:
        raise _refusal(error) from error
    except (EndpointConnectionError, ConnectTimeoutError) as error:  # never sent
        raise Cancelled({}, busy=True) from error
    except BotoCoreError as error:
        raise InDoubt from error


class Refused(Exception):
    """A transaction was refused; the reasons are in the order of its items, with their old items where asked for."""

    def __init__(self, reasons: list[Any]) -> None:
        super().__init__(reasons)
        self.reasons = reasons

    @property
    def busy(self) -> bool:
        """Whether another transaction held an item."""
        return any(reason.get("Code") in _BUSY_REASONS for reason in self.reasons)

    def failed(self, first: int = 0) -> bool:
        """Whether the condition of an item, from a place on, did not hold."""
        return any(reason.get("Code") == FAILED for reason in self.reasons[first:])


def _refusal(error: ClientError) -> Exception:
    code = error.response["Error"]["Code"]
    if code in _THROTTLED or code == "TransactionInProgressException":
        return Cancelled({}, busy=True)
    if code != "TransactionCanceledException":
        return InDoubt() if error.response["ResponseMetadata"]["HTTPStatusCode"] >= 500 else error
    refused = Refused(list(error.response.get("CancellationReasons", [])))
    return refused if refused.failed() or refused.busy else error


def pages(call: Callable[..., Any], request: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The items of all pages."""
    while True:
        answer = call(**request)
        yield from answer["Items"]
        if "LastEvaluatedKey" not in answer:
            return
        request = {**request, "ExclusiveStartKey": answer["LastEvaluatedKey"]}


def scan(client: DynamoDBClient, table: str) -> Iterator[dict[str, Any]]:
    """Every item of a table, read consistently."""
    return pages(client.scan, {"TableName": table, "ConsistentRead": True})


def query(
    client: DynamoDBClient,
    table: str,
    index: str | None,
    condition: str,
    values: dict[str, Any],
    names: dict[str, str] | None = None,
) -> Iterator[dict[str, Any]]:
    """The items of a partition that meet a condition, in the order of their keys; consistently but for an index."""
    request: dict[str, Any] = {
        "TableName": table,
        "KeyConditionExpression": condition,
        "ExpressionAttributeValues": values,
    }
    if names:
        request["ExpressionAttributeNames"] = names
    # An index cannot be read consistently (AWS, global secondary indexes).
    request |= {"IndexName": index} if index else {"ConsistentRead": True}
    return pages(client.query, request)


def get_many(client: DynamoDBClient, table: str, keys: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Those of some items that are there, each read consistently, in any order."""
    for start in range(0, len(keys), GET_AT_ONCE):
        left: dict[str, Any] = {table: {"Keys": keys[start : start + GET_AT_ONCE], "ConsistentRead": True}}
        while left:
            answer: Any = client.batch_get_item(RequestItems=left)
            yield from answer["Responses"].get(table, [])
            left = answer.get("UnprocessedKeys", {})
