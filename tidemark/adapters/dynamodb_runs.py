"""The pipelines' index on DynamoDB: lists of JSON documents, key (`list`, `id`), ids in the order of time.

A list is kept in parts of some 28 hours each, `<list>#<the first digits of an id>`, and the list `parts#<list>` names
those that there are: no part grows without end, and the newest entries cost the same however many there are. A run is
in two lists, its flow's and that of its flow's runs with its status: the few that failed are found as fast as the many.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from botocore.exceptions import ClientError

from tidemark.errors import NotFound
from tidemark.models.champion import Champion, Decision
from tidemark.ports import Runs
from tidemark.runs import STATUSES, Batch, FlowState, Run, RunPage, Status, read_cursor

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

PART = 5  # digits of an id's milliseconds since 1970
PARTS_AT_ONCE = 10
TRUTH = "truth"  # a list that others than the flows may write
AT_WORK, PROGRESS = "at-work", "progress"  # and these, who runs by itself
KEPT_S = 400 * 86_400  # a year, and a month to compare with
T = TypeVar("T")


class DynamoRuns(Runs):
    """`client` may retry by itself: what is put has a key of its own, or a condition that holds only once."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def add(self, run: Run) -> None:
        # Other runs may name the same parts at the same time: those stay out of the transaction.
        for part in parts_of(run):
            self._client.put_item(TableName=self._table, Item=part)
        puts: list[Any] = [{"Put": {"TableName": self._table, "Item": item}} for item in entries_of(run)]
        for status in STATUSES:
            if status != run.status:
                place = _place(f"runs#{run.flow}#{status}", run.id)
                puts.append({"Delete": {"TableName": self._table, "Key": place}})
        self._client.transact_write_items(TransactItems=puts)

    def get(self, flow: str, run: str) -> Run:
        item = self._get(_part_of(f"runs#{flow}", run), run)
        if item is None:
            raise NotFound(f"there is no run {run!r} of {flow}")
        return msgspec.json.decode(item["doc"]["S"], type=Run)

    def page(self, flow: str, *, limit: int, cursor: str | None = None, status: Status | None = None) -> RunPage:
        name = f"runs#{flow}#{status}" if status else f"runs#{flow}"
        found = self._newest(name, Run, limit + 1, before=read_cursor(cursor) if cursor else None)
        return RunPage(found[:limit], found[limit - 1].id if len(found) > limit else None)

    def claim(self, sha256: str, batch: str) -> str:
        claimed = {"list": {"S": "contents"}, "id": {"S": sha256}, "batch": {"S": batch}}
        if self._put_if(claimed, {"ConditionExpression": "attribute_not_exists(id)"}):
            return batch
        item = self._get("contents", sha256)
        assert item is not None
        return str(item["batch"]["S"])

    def batch(self, identity: str) -> Batch | None:
        item = self._get(_part_of("batches", identity), identity)
        return None if item is None else msgspec.json.decode(item["doc"]["S"], type=Batch)

    def add_batch(self, batch: Batch) -> None:
        self._put("batches", batch.id, batch)

    def batches(self, *, limit: int) -> list[Batch]:
        return self._newest("batches", Batch, limit)

    def add_decision(self, decision: Decision) -> None:
        self._put(*_listed(decision), decision)

    def decisions(self, model: str, *, limit: int) -> list[Decision]:
        return self._newest(f"decisions#{model}", Decision, limit)

    def champion(self, model: str) -> Champion | None:
        item = self._get("champions", model)
        return None if item is None else msgspec.json.decode(item["doc"]["S"], type=Champion)

    def crown(self, champion: Champion, *, replacing: Champion | None, decision: Decision | None = None) -> bool:
        item: dict[str, Any] = {
            "list": {"S": "champions"},
            "id": {"S": champion.model},
            "fingerprint": {"S": champion.fingerprint},
            "doc": {"S": msgspec.json.encode(champion).decode()},
        }
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(id)"}
        if replacing is not None:
            condition = {
                "ConditionExpression": "fingerprint = :replaced",
                "ExpressionAttributeValues": {":replaced": {"S": replacing.fingerprint}},
            }
        done = self._replace({"Put": {"TableName": self._table, "Item": item, **condition}}, decision)
        # The answer may have been lost, and the client's second try found what the first had written.
        return done or self.champion(champion.model) == champion

    def dismiss(self, champion: Champion, *, decision: Decision | None = None) -> bool:
        delete = {
            "TableName": self._table,
            "Key": {"list": {"S": "champions"}, "id": {"S": champion.model}},
            "ConditionExpression": "fingerprint = :serves",
            "ExpressionAttributeValues": {":serves": {"S": champion.fingerprint}},
        }
        return self._replace({"Delete": delete}, decision)

    def _replace(self, write: Any, decision: Decision | None) -> bool:
        """A write of who serves and the decision, both or neither. False where the write's condition does not hold."""
        writes: list[Any] = [write]
        if decision is not None:
            kept = (_part(*_listed(decision)), _entry(*_listed(decision), decision))
            writes += [{"Put": {"TableName": self._table, "Item": item}} for item in kept]
        try:
            self._client.transact_write_items(TransactItems=writes)
        except self._client.exceptions.TransactionCanceledException as error:
            if not any(one.get("Code") == "ConditionalCheckFailed" for one in error.response["CancellationReasons"]):
                raise
            return False
        return True

    def keep_model(self, fingerprint: str, content: bytes) -> None:
        item: dict[str, Any] = {"list": {"S": "models"}, "id": {"S": fingerprint}, "content": {"B": content}}
        self._client.put_item(TableName=self._table, Item=item)

    def model(self, fingerprint: str) -> bytes:
        item = self._get("models", fingerprint)
        if item is None:
            raise NotFound(f"there is no file of model {fingerprint}")
        return bytes(item["content"]["B"])

    def tell(self, truth: Mapping[str, bool]) -> None:
        for name, anomaly in truth.items():
            item: dict[str, Any] = {"list": {"S": TRUTH}, "id": {"S": name}, "anomaly": {"BOOL": anomaly}}
            self._client.put_item(TableName=self._table, Item=item | _expires())

    def told(self, invoice_ids: Iterable[str]) -> dict[str, bool]:
        found = {name: self._get(TRUTH, name) for name in invoice_ids}
        return {name: bool(item["anomaly"]["BOOL"]) for name, item in found.items() if item is not None}

    def begin(self, flow: str, holder: str, *, now: int, until: int) -> str | None:
        item: dict[str, Any] = {
            "list": {"S": AT_WORK},
            "id": {"S": flow},
            "holder": {"S": holder},
            "until": {"N": str(until)},
        }
        free = {
            "ConditionExpression": "attribute_not_exists(id) OR holder = :holder OR #until < :now",
            "ExpressionAttributeNames": {"#until": "until"},
            "ExpressionAttributeValues": {":holder": {"S": holder}, ":now": {"N": str(now)}},
        }
        if self._put_if(item, free):
            return None
        found = self._get(AT_WORK, flow)
        return str(found["holder"]["S"]) if found else self.begin(flow, holder, now=now, until=until)

    def end(self, flow: str, holder: str) -> None:
        try:
            self._client.delete_item(
                TableName=self._table,
                Key={"list": {"S": AT_WORK}, "id": {"S": flow}},
                ConditionExpression="holder = :holder",
                ExpressionAttributeValues={":holder": {"S": holder}},
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return  # another has taken over: it ran out

    def keep_progress(self, flow: str, text: str) -> None:
        item = {"list": {"S": PROGRESS}, "id": {"S": flow}, "doc": {"S": text}}
        self._client.put_item(TableName=self._table, Item=item)

    def progress(self, flow: str) -> str | None:
        item = self._get(PROGRESS, flow)
        return None if item is None else str(item["doc"]["S"])

    def schedule(self, flow: str, seconds: int) -> None:
        item = {"list": {"S": "schedules"}, "id": {"S": flow}, "seconds": {"N": str(seconds)}}
        self._client.put_item(TableName=self._table, Item=item)

    def state(self, flow: str, *, now: int) -> FlowState:
        scheduled, work = self._get("schedules", flow), self._get(AT_WORK, flow)
        return FlowState(
            int(scheduled["seconds"]["N"]) if scheduled else None,
            str(work["holder"]["S"]) if work and int(work["until"]["N"]) >= now else None,
        )

    def _put(self, name: str, key: str, document: object) -> None:
        for item in (_part(name, key), _entry(name, key, document)):
            self._client.put_item(TableName=self._table, Item=item)

    def _put_if(self, item: dict[str, Any], condition: dict[str, Any]) -> bool:
        try:
            self._client.put_item(TableName=self._table, Item=item, **condition)
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                return False
            raise
        return True

    def _get(self, name: str, key: str) -> dict[str, Any] | None:
        answer: dict[str, Any] = self._client.get_item(
            TableName=self._table, Key={"list": {"S": name}, "id": {"S": key}}, ConsistentRead=True
        )  # type: ignore[assignment]
        return answer.get("Item")

    def _newest(self, name: str, kind: type[T], limit: int, before: str | None = None) -> list[T]:
        found: list[T] = []
        for part in self._query(f"parts#{name}", PARTS_AT_ONCE, "<=", before and before[:PART]):
            items = self._query(_part_of(name, part["id"]["S"]), limit - len(found), "<", before)
            found += [msgspec.json.decode(item["doc"]["S"], type=kind) for item in islice(items, limit - len(found))]
            if len(found) == limit:
                break
        return found

    def _query(self, name: str, at_once: int, compare: str, end: str | None) -> Iterator[dict[str, Any]]:
        """The items of a list, newest first; with `end` those whose ids compare so with it."""
        request: dict[str, Any] = {
            "TableName": self._table,
            "KeyConditionExpression": "#list = :list" + (f" AND id {compare} :end" if end else ""),
            "ExpressionAttributeNames": {"#list": "list"},
            "ExpressionAttributeValues": {":list": {"S": name}, **({":end": {"S": end}} if end else {})},
            "ScanIndexForward": False,
            "ConsistentRead": True,
            "Limit": at_once,
        }
        while True:
            answer: dict[str, Any] = self._client.query(**request)  # type: ignore[assignment]
            yield from answer["Items"]
            if "LastEvaluatedKey" not in answer:
                return
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


def parts_of(run: Run) -> list[dict[str, Any]]:
    """What names the parts of the lists that a run is in, in the table's form."""
    return [_part(name, run.id) | _expires() for name in _lists_of(run)]


def entries_of(run: Run) -> list[dict[str, Any]]:
    """What is written of a run into the lists that it is in, in the table's form."""
    return [_entry(name, run.id, run) | _expires() for name in _lists_of(run)]


def _lists_of(run: Run) -> tuple[str, str]:
    return f"runs#{run.flow}", f"runs#{run.flow}#{run.status}"


def _expires() -> dict[str, Any]:
    return {"expires_at": {"N": str(int(time.time()) + KEPT_S)}}


def _entry(name: str, key: str, document: object) -> dict[str, Any]:
    return _place(name, key) | {"doc": {"S": msgspec.json.encode(document).decode()}}


def _part(name: str, key: str) -> dict[str, Any]:
    """What names a part; it is written before its first entry: a part that is named and empty does no harm."""
    return {"list": {"S": f"parts#{name}"}, "id": {"S": key[:PART]}}


def _place(name: str, key: str) -> dict[str, Any]:
    return {"list": {"S": _part_of(name, key)}, "id": {"S": key}}


def _listed(decision: Decision) -> tuple[str, str]:
    """The list and the id of a decision."""
    return f"decisions#{decision.model}", f"{decision.at:013d}-{decision.challenger}"


def _part_of(name: str, key: str) -> str:
    """Where in a list the entry with an id is."""
    return f"{name}#{key[:PART]}"
