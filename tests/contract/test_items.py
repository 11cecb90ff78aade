"""One contract, two tables as they lie: in memory, and DynamoDB on the emulator."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cloud import Cloud
from tests.contract.tables import clone_table
from tidemark.adapters.dynamodb_items import DynamoItems
from tidemark.adapters.memory_items import MemoryItems
from tidemark.backup.items import item_of, line_of
from tidemark.local import stores
from tidemark.ports import Item, Items


@pytest.fixture(params=["memory", "ministack"])
def items(request: pytest.FixtureRequest) -> Iterator[Items]:
    if request.param == "memory":
        yield MemoryItems("list", "id")
        return
    cloud: Cloud = request.getfixturevalue("cloud")
    dynamodb = stores.client(cloud.home, "dynamodb")
    name = f"Items{abs(hash(request.node.name))}"
    yield DynamoItems(dynamodb, clone_table(dynamodb, stores.running(cloud.home)["RunsTable"], name))
    dynamodb.delete_table(TableName=name)


def item(number: int, **more: Item) -> Item:
    return {"list": {"S": f"é/{number % 3}"}, "id": {"S": f"{number:05d}"}, **more}


EVERY_KIND: Item = {
    "text": {"S": 'é\n"\u2028'},
    "number": {"N": "-12.5"},
    "bytes": {"B": b"\x00\xff"},
    "flag": {"BOOL": False},
    "nothing": {"NULL": True},
    "list": {"L": [{"S": "x"}, {"B": b"\x01"}, {"M": {"deep": {"B": b""}}}]},
}


def test_an_item_comes_back_as_it_was_put_and_as_its_line_tells(items: Items) -> None:
    assert items.keys == ("list", "id")
    whole = item(1, value={"M": EVERY_KIND}, plain={"B": b"\x00" * 300})
    assert items.put_absent([whole]) == []
    (found,) = items.scan()
    assert found == whole
    assert item_of(line_of(found)) == whole
    assert items.get([item(1), item(2)]) == [whole]


def test_every_item_is_put_and_found_however_many_there_are(items: Items) -> None:
    many = [item(number, fill={"S": "x" * 20_000}) for number in range(450)]
    assert items.put_absent(many) == []
    assert sorted(line_of(one) for one in items.scan()) == sorted(line_of(one) for one in many)
    assert len(items.get(many)) == 450


def test_what_is_there_stays_and_is_told(items: Items) -> None:
    before = [item(number, value={"S": "first"}) for number in range(0, 250, 2)]
    items.put_absent(before)
    after = [item(number, value={"S": "second"}) for number in range(250)]
    held = items.put_absent(after)
    assert sorted(line_of(one) for one in held) == sorted(line_of(one) for one in before)
    values = {one["id"]["S"]: one["value"]["S"] for one in items.scan()}
    assert [values[f"{number:05d}"] for number in range(4)] == ["first", "second", "first", "second"]
    assert len(items.put_absent(after)) == 250
