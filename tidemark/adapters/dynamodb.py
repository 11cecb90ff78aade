"""Ledger and cells on DynamoDB.

`ledger`: one item a sale, key `invoice_id`; the sale itself is the JSON in `doc`. The index `by_branch_day`
(`branch_day`, `sold_at`) is for drill-down. `cells`: one item a cell, key (`hour_shard`, `cell`), the map in `state`.
`quarantine`: one item a conflict, key (`invoice_id`, `digest`).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from tidemark import cells, store
from tidemark.adapters.cell_items import cell_item, cell_key, read_cell
from tidemark.adapters.dynamodb_calls import FAILED, Refused, get_many, query, scan, transact
from tidemark.cells import Cell, CellKey
from tidemark.errors import BadRequest, NotFound, Unavailable
from tidemark.ledger import Attempt, Cancelled, Counted, Entry
from tidemark.ports import Cells, CellsPage, Conflict, Ledger, SalesPage
from tidemark.privacy.personal import blank_entry
from tidemark.settings import CellSettings, TableSettings

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

INDEX = "by_branch_day"
BAD_CURSOR = "cursor: not one that an earlier page gave"
BATCH_WRITE = 25  # AWS, BatchWriteItem
DAYS_A_PAGE = 92  # days that one page of sales looks into before it answers with what it has
QUERIED_HOURS = 6  # a longer range of cells is read by scanning, where that costs no more
HOUR_BYTES = cells.SHARDS * 4_096  # what asking for an hour costs where it is empty: a read unit a query (AWS)
SCAN_PAGE = 1_000_000  # AWS, Scan

_encode = msgspec.json.Encoder().encode
_entry = msgspec.json.Decoder(Entry).decode
_conflict = msgspec.json.Decoder(Conflict).decode


class DynamoLedger(Ledger):
    """The ledger on DynamoDB. `client` must not retry by itself."""

    def __init__(self, client: DynamoDBClient, settings: TableSettings) -> None:
        self._client = client
        self._ledger = settings.ledger_table
        self._cells = settings.cells_table
        self._quarantine = settings.quarantine_table

    def commit(self, attempt: Attempt) -> None:
        items: list[TransactWriteItemTypeDef] = [self._sale_put(counted, attempt) for counted in attempt.sales]
        items += [self._cell_put(cell, attempt) for cell in attempt.cells]
        try:
            transact(self._client, items, attempt.token)
        except Refused as refusal:
            raise _cancelled(refusal, attempt) from refusal

    def _sale_put(self, counted: Counted, attempt: Attempt) -> TransactWriteItemTypeDef:
        return {
            "Put": {
                "TableName": self._ledger,
                "Item": {**sale_item(counted, attempt.token), **_asked_by(attempt)},
                "ConditionExpression": "attribute_not_exists(invoice_id)",
                "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            }
        }

    def _cell_put(self, cell: Cell, attempt: Attempt) -> TransactWriteItemTypeDef:
        put: dict[str, Any] = {
            "TableName": self._cells,
            "Item": {**cell_item(cell), **_asked_by(attempt)},
            "ConditionExpression": "attribute_not_exists(hour_shard)",
        }
        if cell.version > 1:
            put["ConditionExpression"] = "version = :before"
            put["ExpressionAttributeValues"] = {":before": {"N": str(cell.version - 1)}}
        return {"Put": put}  # type: ignore[typeddict-item]  # the stub wants every optional key spelled out

    def blank(self, entry: Entry) -> None:
        try:
            self._client.update_item(
                TableName=self._ledger,
                Key={"invoice_id": {"S": entry.invoice_id}},
                UpdateExpression="SET doc = :doc",
                ConditionExpression="attribute_exists(invoice_id)",
                ExpressionAttributeValues={":doc": {"S": _encode(blank_entry(entry)).decode()}},
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                raise NotFound(f"there is no sale {entry.invoice_id!r}") from None
            raise

    def quarantine(self, conflicts: Sequence[Conflict]) -> None:
        unique = {(c.sale.invoice_id, c.digest): c for c in conflicts}
        puts: list[Any] = [
            {
                "PutRequest": {
                    "Item": {"invoice_id": {"S": key[0]}, "digest": {"S": key[1]}, "doc": {"S": _encode(c).decode()}}
                }
            }
            for key, c in unique.items()
        ]
        for start in range(0, len(puts), BATCH_WRITE):
            left = puts[start : start + BATCH_WRITE]
            for _ in range(5):
                try:
                    answer = self._client.batch_write_item(RequestItems={self._quarantine: left})
                except (ClientError, BotoCoreError) as error:
                    raise Unavailable("the quarantine does not answer; send the same request again") from error
                left = list(answer.get("UnprocessedItems", {}).get(self._quarantine, []))
                if not left:
                    break
            else:
                raise Unavailable("the quarantine is busy; send the same request again")

    def quarantined(self) -> Iterator[Conflict]:
        for item in scan(self._client, self._quarantine):
            yield _conflict(item["doc"]["S"])

    def conflicts(self, invoice_id: str, *, limit: int) -> list[Conflict]:
        found = query(self._client, self._quarantine, None, "invoice_id = :id", {":id": {"S": invoice_id}})
        return sorted((_conflict(item["doc"]["S"]) for item in islice(found, limit)), key=lambda c: c.received_at)

    def get(self, invoice_id: str) -> Counted | None:
        answer = self._client.get_item(
            TableName=self._ledger, Key={"invoice_id": {"S": invoice_id}}, ConsistentRead=True
        )
        return read_sale(answer["Item"]) if "Item" in answer else None

    def sales(self, branch: str, since: int, until: int, *, limit: int, cursor: str | None = None) -> SalesPage:
        after = _read_cursor(cursor) if cursor else None
        first_day = (int(after[:10]) if after else since) // store.MINUTES_PER_DAY
        last_day = (until - 1) // store.MINUTES_PER_DAY
        found: list[Entry] = []
        for day in range(first_day, min(last_day, first_day + DAYS_A_PAGE - 1) + 1):
            low = after if after and after > _sort_key(since, "") else _sort_key(since, "")
            # ':' is the character after '9' and '#': the first key past every one of the minute before
            values = {
                ":day": {"S": _branch_day(branch, day)},
                ":low": {"S": low},
                ":high": {"S": _sort_key(until, "")},
            }
            for item in query(
                self._client, self._ledger, INDEX, "branch_day = :day AND sold_at BETWEEN :low AND :high", values
            ):
                key = item["sold_at"]["S"]
                if key == after or int(key[:10]) >= until:
                    continue
                if len(found) == limit:
                    last = found[-1]
                    return SalesPage(found, _cursor(_sort_key(last.minute, last.invoice_id)))
                found.append(_entry(item["doc"]["S"]))
        if first_day + DAYS_A_PAGE - 1 < last_day:
            resume = (first_day + DAYS_A_PAGE) * store.MINUTES_PER_DAY
            return SalesPage(found, _cursor(_sort_key(resume, "")))
        return SalesPage(found, None)

    def scan(self) -> Iterator[Counted]:
        return map(read_sale, scan(self._client, self._ledger))


class DynamoCells(Cells):
    """Reading the cells on DynamoDB."""

    def __init__(self, client: DynamoDBClient, settings: CellSettings) -> None:
        self._client = client
        self._table = settings.cells_table

    def read(self, since: int | None = None, until: int | None = None) -> Iterator[Cell]:
        for item in self._items(since, until):
            cell = read_cell(item)
            if (since is None or cell.key.minute >= since) and (until is None or cell.key.minute < until):
                yield cell

    def page(self, *, limit: int, cursor: str | None = None) -> CellsPage:
        request: dict[str, Any] = {"TableName": self._table, "ConsistentRead": True, "Limit": limit}
        if cursor:
            hour_shard, _, cell = _decode_cursor(cursor).partition("|")
            if not cell:
                raise BadRequest(BAD_CURSOR)
            request["ExclusiveStartKey"] = {"hour_shard": {"S": hour_shard}, "cell": {"S": cell}}
        answer = self._client.scan(**request)
        last = answer.get("LastEvaluatedKey")
        after = _cursor(f"{last['hour_shard']['S']}|{last['cell']['S']}") if last else None
        return CellsPage([read_cell(item) for item in answer["Items"]], after)

    def get_cells(self, keys: Iterable[CellKey]) -> list[Cell]:
        return [read_cell(item) for item in get_many(self._client, self._table, [cell_key(key) for key in keys])]

    def _items(self, since: int | None, until: int | None) -> Iterator[dict[str, Any]]:
        if since is None or until is None:
            yield from scan(self._client, self._table)
            return
        hours = range(since // 60, (until - 1) // 60 + 1)
        if len(hours) > QUERIED_HOURS:
            # What a scan costs is known only afterwards: it is given up where asking hour by hour costs no more.
            found = self._scanned(len(hours) * HOUR_BYTES)
            if found is not None:
                yield from found
                return
        for hour in hours:
            for shard in range(cells.SHARDS):
                values = {":hour": {"S": f"{hour}#{shard}"}}
                yield from query(self._client, self._table, None, "hour_shard = :hour", values)

    def _scanned(self, most: int) -> list[dict[str, Any]] | None:
        """All items, where they can be read for what so many bytes cost."""
        request: dict[str, Any] = {"TableName": self._table, "ConsistentRead": True}
        found: list[dict[str, Any]] = []
        while most > 0:
            answer = self._client.scan(**request)
            found += answer["Items"]
            if "LastEvaluatedKey" not in answer:
                return found
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
            most -= SCAN_PAGE
        return None


def _asked_by(attempt: Attempt) -> dict[str, Any]:
    return {"request": {"S": attempt.request}} if attempt.request else {}


def sale_item(counted: Counted, token: str) -> dict[str, Any]:
    """The item of the ledger that holds a sale; `token` is of the attempt that put it there."""
    entry = counted.entry
    return {
        "invoice_id": {"S": entry.invoice_id},
        "branch_day": {"S": _branch_day(entry.branch, entry.minute // store.MINUTES_PER_DAY)},
        "sold_at": {"S": _sort_key(entry.minute, entry.invoice_id)},
        "doc": {"S": _encode(entry).decode()},
        "digest": {"S": counted.digest},
        "writer": {"S": counted.writer},
        "version": {"N": str(counted.version)},
        "commit": {"S": token},
    }


def read_sale(item: Mapping[str, Any]) -> Counted:
    """The sale in an item of the ledger."""
    return Counted(_entry(item["doc"]["S"]), item["digest"]["S"], item["writer"]["S"], int(item["version"]["N"]))


def _branch_day(branch: str, day: int) -> str:
    return f"{branch}#{store.day_name(day)}"


def _sort_key(minute: int, invoice_id: str) -> str:
    return f"{minute:010d}#{invoice_id}"


def _cursor(key: str) -> str:
    return base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")


def _decode_cursor(cursor: str) -> str:
    try:
        return base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except (binascii.Error, ValueError):
        raise BadRequest(BAD_CURSOR) from None


def _read_cursor(cursor: str) -> str:
    key = _decode_cursor(cursor)
    if not (key[:10].isdecimal() and key[10:11] == "#"):
        raise BadRequest(BAD_CURSOR)
    return key


def _cancelled(refusal: Refused, attempt: Attempt) -> Cancelled:
    present: dict[str, tuple[str, str]] = {}
    for counted, reason in zip(attempt.sales, refusal.reasons, strict=False):
        if reason.get("Code") == FAILED:
            old = reason["Item"]
            present[counted.entry.invoice_id] = (old["digest"]["S"], old["commit"]["S"])
    return Cancelled(present, moved=refusal.failed(len(attempt.sales)), busy=refusal.busy)
