"""History on DynamoDB: one table, key (`part`, `at`).

Periods: `part` is `TIER#BRANCH`, `at` their start; `move` the last move, `state` the packed content. Heads: `part` is
`heads`, `at` the branch; `move`, `step`, `zone`, and the cells of a pending move in `pending`. How often moved cells
were swept: the one item of part `sweeps`.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from tidemark.adapters.cell_items import cell_key
from tidemark.adapters.dynamodb_calls import Refused, get_many, query, transact
from tidemark.cells import Cell, CellKey
from tidemark.history.calendar import PeriodKey, Range, Tier
from tidemark.history.periods import Head, Period
from tidemark.ledger import Cancelled, InDoubt
from tidemark.ports import History
from tidemark.settings import HistorySettings

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

HEADS, SWEEPS = "heads", "sweeps"
SWEPT_AT_ONCE = 25  # AWS, BatchWriteItem
SWEEP_TRIES = 5
_EARLIEST = 2_000_000_000  # added to a start: keys are in the order of numbers from 0 on

_encode = msgspec.msgpack.Encoder().encode
_pending = msgspec.msgpack.Decoder(list[tuple[int, str]]).decode


class DynamoHistory(History):
    """History on DynamoDB. `writes`: a client that does not retry by itself, for whoever moves cells."""

    def __init__(self, client: DynamoDBClient, settings: HistorySettings, writes: DynamoDBClient | None = None) -> None:
        self._client = client
        self._writes = writes or client
        self._table = settings.history_table
        self._cells = settings.cells_table

    def heads(self) -> dict[str, Head]:
        found = query(self._client, self._table, None, "part = :part", {":part": {"S": HEADS}})
        return {head.branch: head for head in map(_read_head, found)}

    def head(self, branch: str) -> Head | None:
        item = self._get(_key(HEADS, branch))
        return _read_head(item) if item else None

    def periods(self, branch: str, found: Range) -> Iterator[Period]:
        values = {
            ":part": {"S": f"{found.tier}#{branch}"},
            ":first": {"S": _at(found.first)},
            ":last": {"S": _at(found.last - 1)},
        }
        condition = "part = :part AND #at BETWEEN :first AND :last"
        return map(_read_period, query(self._client, self._table, None, condition, values, names={"#at": "at"}))

    def get_periods(self, keys: Iterable[PeriodKey]) -> dict[PeriodKey, Period]:
        found = get_many(self._client, self._table, [_period_key(key) for key in keys])
        return {period.key: period for period in map(_read_period, found)}

    def claim(self, head: Head, before: Head | None, cells: Sequence[Cell]) -> None:
        items: list[Any] = [self._put(_head_item(head), "step", before.step if before else None)]
        items += [self._mark(cell, head.move) for cell in cells]
        self._transact(items)

    def settle(self, head: Head, periods: Sequence[Period], before: Mapping[PeriodKey, Period]) -> None:
        items: list[Any] = [self._put(_head_item(head.settled()), "step", head.step)]
        for period in periods:
            held = before.get(period.key)
            items.append(self._put(_period_item(period), "move", held.move if held else None))
        self._transact(items)

    def sweeps(self) -> int:
        item = self._get(_key(SWEEPS, SWEEPS))
        return int(item["move"]["N"]) if item else 0

    def add_sweep(self) -> None:
        try:
            self._writes.update_item(
                TableName=self._table,
                Key=_key(SWEEPS, SWEEPS),
                UpdateExpression="ADD #move :one",
                ExpressionAttributeNames={"#move": "move"},
                ExpressionAttributeValues={":one": {"N": "1"}},
            )
        except (ClientError, BotoCoreError) as error:
            raise InDoubt from error

    def sweep(self, keys: Sequence[CellKey]) -> None:
        for start in range(0, len(keys), SWEPT_AT_ONCE):
            left: Any = [{"DeleteRequest": {"Key": cell_key(key)}} for key in keys[start : start + SWEPT_AT_ONCE]]
            for _ in range(SWEEP_TRIES):
                try:
                    answer = self._writes.batch_write_item(RequestItems={self._cells: left})
                except (ClientError, BotoCoreError) as error:
                    raise InDoubt from error
                left = answer.get("UnprocessedItems", {}).get(self._cells, [])
                if not left:
                    break
            else:
                raise InDoubt

    # -- items

    def _get(self, key: dict[str, Any]) -> Mapping[str, Any] | None:
        answer = self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True)
        return answer.get("Item")

    def _transact(self, items: list[Any]) -> None:
        try:
            transact(self._writes, items, secrets.token_hex(16))
        except Refused as refusal:
            raise Cancelled({}, moved=refusal.failed(), busy=refusal.busy) from refusal

    def _put(self, item: dict[str, Any], counter: str, before: int | None) -> dict[str, Any]:
        put: dict[str, Any] = {
            "TableName": self._table,
            "Item": item,
            "ConditionExpression": "attribute_not_exists(part)",
        }
        if before is not None:
            put["ConditionExpression"] = "#counter = :before"
            put["ExpressionAttributeNames"] = {"#counter": counter}
            put["ExpressionAttributeValues"] = {":before": {"N": str(before)}}
        return {"Put": put}

    def _mark(self, cell: Cell, move: int) -> dict[str, Any]:
        return {
            "Update": {
                "TableName": self._cells,
                "Key": cell_key(cell.key),
                "UpdateExpression": "SET version = :next, moved = :move",
                "ConditionExpression": "version = :version",
                "ExpressionAttributeValues": {
                    ":version": {"N": str(cell.version)},
                    ":next": {"N": str(cell.version + 1)},
                    ":move": {"N": str(move)},
                },
            }
        }


def _at(start: int) -> str:
    return f"{start + _EARLIEST:010d}"


def _key(part: str, at: str) -> dict[str, Any]:
    return {"part": {"S": part}, "at": {"S": at}}


def _period_key(key: PeriodKey) -> dict[str, Any]:
    return _key(f"{key.tier}#{key.branch}", _at(key.start))


def _period_item(period: Period) -> dict[str, Any]:
    return {**_period_key(period.key), "move": {"N": str(period.move)}, "state": {"B": period.state}}


def _read_period(item: Mapping[str, Any]) -> Period:
    tier, _, branch = item["part"]["S"].partition("#")
    key = PeriodKey(cast("Tier", tier), int(item["at"]["S"]) - _EARLIEST, branch)
    return Period(key, int(item["move"]["N"]), item["state"]["B"])


def _head_item(head: Head) -> dict[str, Any]:
    return {
        **_key(HEADS, head.branch),
        "move": {"N": str(head.move)},
        "step": {"N": str(head.step)},
        "zone": {"S": head.zone},
        "pending": {"B": _encode([(key.minute, key.writer) for key in head.pending])},
    }


def _read_head(item: Mapping[str, Any]) -> Head:
    branch = item["at"]["S"]
    pending = tuple(CellKey(minute, branch, writer) for minute, writer in _pending(item["pending"]["B"]))
    return Head(branch, int(item["move"]["N"]), item["zone"]["S"], pending)
