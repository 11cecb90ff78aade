"""One contract, two buckets: in memory, and S3 on the emulator."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import pytest

from tests.cloud import Cloud
from tidemark.adapters.memory_runs import MemoryObjects
from tidemark.adapters.s3_objects import S3Objects
from tidemark.errors import NotFound
from tidemark.local import stores
from tidemark.ports import Objects

KEYS = ["a/1.csv", "a/1.csv.gz", "a/10.csv", "a/b/2.csv", "a b+c/é–%20&?.json", "b/3.csv"]


class Bucket(NamedTuple):
    """A bucket, and how a sender states something of an object, which is none of the port's business."""

    objects: Objects
    send: Callable[[str, bytes, dict[str, str]], object]


@pytest.fixture(scope="module")
def s3(cloud: Cloud) -> Any:
    return stores.client(cloud.home, "s3")


@pytest.fixture(params=["memory", "ministack"])
def bucket(request: pytest.FixtureRequest) -> Iterator[Bucket]:
    if request.param == "memory":
        memory = MemoryObjects()

        def send(key: str, content: bytes, stated: dict[str, str]) -> None:
            memory.put(key, content)
            memory.stated[key] = stated

        yield Bucket(memory, send)
        return
    s3 = request.getfixturevalue("s3")
    name = f"objects-{abs(hash(request.node.name))}"
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": s3.meta.region_name})
    objects = S3Objects(s3, name)
    yield Bucket(
        objects, lambda key, content, stated: s3.put_object(Bucket=name, Key=key, Body=content, Metadata=stated)
    )
    for found in objects.find(""):
        s3.delete_object(Bucket=name, Key=found.key)
    s3.delete_bucket(Bucket=name)


@pytest.fixture
def objects(bucket: Bucket) -> Objects:
    return bucket.objects


@pytest.mark.parametrize("content", [b"", b"\0\r\n\xff", b"x" * 9_000_000], ids=["empty", "bytes", "9-MB"])
def test_an_object_comes_back_as_it_was_put(objects: Objects, content: bytes) -> None:
    objects.put("a/b.bin", content)
    assert objects.get("a/b.bin") == content
    (found,) = objects.find("a/")
    assert (found.key, found.size) == ("a/b.bin", len(content))


def test_an_object_is_replaced_whole(objects: Objects) -> None:
    objects.put("a", b"a long first content", content_type="text/plain")
    objects.put("a", b"second")
    assert objects.get("a") == b"second"
    assert len(objects.find("")) == 1


def test_what_is_not_there_is_said_to_be_absent(objects: Objects) -> None:
    objects.put("a/b", b"x")
    for key in ("a", "a/", "a/b/", "a/c", "A/b"):
        with pytest.raises(NotFound, match="there is no"):
            objects.get(key)
        with pytest.raises(NotFound, match="there is no"):
            objects.fetch(key)
    assert objects.find("c") == []


def test_objects_are_found_by_their_prefix_in_order(objects: Objects) -> None:
    for key in reversed(KEYS):
        objects.put(key, key.encode())
    assert [found.key for found in objects.find("")] == sorted(KEYS)
    assert [found.key for found in objects.find("a/1")] == ["a/1.csv", "a/1.csv.gz", "a/10.csv"]
    assert [found.key for found in objects.find("a/b/")] == ["a/b/2.csv"]
    assert all(objects.get(found.key) == found.key.encode() for found in objects.find(""))


def test_every_object_is_found_however_many_there_are(objects: Objects) -> None:
    keys = [f"many/{number:04d}" for number in range(1_003)]  # S3 lists 1,000 at once
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda key: objects.put(key, b""), keys))
    assert [found.key for found in objects.find("many/")] == keys


def test_a_later_object_is_not_older(objects: Objects) -> None:
    objects.put("b", b"")
    objects.put("a", b"")
    later, earlier = objects.find("")
    assert later.modified >= earlier.modified


def test_an_object_has_what_is_stated_of_it_and_its_type(objects: Objects) -> None:
    objects.put("a", b"x", content_type="text/html", stated={"rows": "3"})
    found = objects.fetch("a")
    assert (found.stated, found.content_type) == ({"rows": "3"}, "text/html")
    objects.put("a", b"x")
    found = objects.fetch("a")
    assert (found.stated, found.content_type) == ({}, "application/octet-stream")


def test_an_object_is_removed(objects: Objects) -> None:
    objects.put("a/b", b"x")
    objects.put("a/c", b"y")
    for _ in range(2):
        objects.remove("a/b")
        assert [found.key for found in objects.find("")] == ["a/c"]


@pytest.mark.parametrize("key", KEYS)
def test_an_object_moves_with_what_was_stated_of_it(bucket: Bucket, key: str) -> None:
    objects = bucket.objects
    stated = {"sha256": "8a37", "rows": "20640"}
    bucket.send(key, b"content", stated)
    assert objects.fetch(key).stated == stated
    version = objects.fetch(key).version
    objects.move(key, f"taken/{key}", version=version)
    assert [found.key for found in objects.find("")] == [f"taken/{key}"]
    assert objects.get(f"taken/{key}") == b"content"
    assert objects.fetch(f"taken/{key}").stated == stated
    objects.move(key, f"taken/{key}", version=version)  # again, after a crash
    assert objects.get(f"taken/{key}") == b"content"


def test_an_object_without_metadata_has_none(objects: Objects) -> None:
    objects.put("a", b"x")
    assert objects.fetch("a").stated == {}


def test_what_is_sent_anew_has_nothing_of_what_was_stated_before(bucket: Bucket) -> None:
    bucket.send("a", b"x", {"rows": "1"})
    bucket.objects.put("a", b"y")
    assert bucket.objects.fetch("a").stated == {}


def test_an_object_that_was_sent_anew_meanwhile_stays_where_it_is(bucket: Bucket) -> None:
    bucket.send("in/a", b"half", {})
    seen = bucket.objects.fetch("in/a")
    bucket.send("in/a", b"the whole", {"rows": "2"})
    bucket.objects.move("in/a", "taken/a", version=seen.version)
    assert bucket.objects.fetch("in/a").content == b"the whole"
    assert bucket.objects.find("taken/") == []
