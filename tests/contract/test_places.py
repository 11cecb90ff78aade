"""One contract, three places: in memory, a folder, and a part of a bucket on the emulator."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cloud import Cloud
from tidemark.adapters.folder_place import FolderPlace
from tidemark.adapters.memory_runs import MemoryObjects
from tidemark.adapters.s3_objects import S3Place
from tidemark.errors import Misuse, NotFound
from tidemark.local import stores
from tidemark.ports import Place

KEYS = ["a/1", "a/1.gz", "a/10", "a/b/2", "a b+c/é.json", "b/3"]


@pytest.fixture(params=["memory", "folder", "ministack"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    if request.param == "memory":
        yield MemoryObjects()
    elif request.param == "folder":
        yield FolderPlace(tmp_path / "deep" / "folder")
    else:
        cloud: Cloud = request.getfixturevalue("cloud")
        s3, name = stores.client(cloud.home, "s3"), f"places-{abs(hash(request.node.name))}"
        s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": s3.meta.region_name})
        s3.put_object(Bucket=name, Key="other/a/1", Body=b"another's")
        yield S3Place(s3, name, "one/")
        assert s3.get_object(Bucket=name, Key="other/a/1")["Body"].read() == b"another's"


@pytest.mark.parametrize("content", [b"", b"\0\r\n\xff", b"x" * 9_000_000], ids=["empty", "bytes", "9-MB"])
def test_a_file_comes_back_as_it_was_put_last(place: Place, content: bytes) -> None:
    assert place.find("") == []
    place.put("a/b.bin", b"a first content")
    place.put("a/b.bin", content)
    assert place.get("a/b.bin") == content
    (found,) = place.find("a/")
    assert (found.key, found.size) == ("a/b.bin", len(content))


def test_what_is_not_there_is_said_to_be_absent(place: Place) -> None:
    place.put("a/b", b"x")
    for key in ("a", "a/b/c", "a/c", "A/b"):
        with pytest.raises(NotFound, match="there is no"):
            place.get(key)


def test_files_are_found_by_their_prefix_in_order_and_removed(place: Place) -> None:
    for key in reversed(KEYS):
        place.put(key, key.encode())
    assert [found.key for found in place.find("")] == sorted(KEYS)
    assert [found.key for found in place.find("a/1")] == ["a/1", "a/1.gz", "a/10"]
    assert [found.key for found in place.find("a/b/")] == ["a/b/2"]
    assert place.find("none/") == []
    for key in KEYS:
        place.remove(key)
        place.remove(key)
    assert place.find("") == []


def test_a_folder_is_its_owners_alone_and_nothing_leads_out_of_it(tmp_path: Path) -> None:
    place = FolderPlace(tmp_path / "kept")
    place.put("one/two", b"x")
    assert (tmp_path / "kept").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "kept" / "one" / "two").stat().st_mode & 0o777 == 0o600
    for key in ("../a", "a/../../b", "/etc/passwd", ""):
        with pytest.raises(Misuse, match="is not the name"):
            place.put(key, b"x")
