"""The batches in the bucket: each taken once, whatever comes twice and wherever the process dies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.unit.housing.samples import csv, drawn
from tidemark.adapters.memory_runs import MemoryObjects, MemoryRuns
from tidemark.housing.store import HousingStore
from tidemark.ports import Found
from tidemark.runs import INCOMING, Batch

pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")
FIRST, SECOND = drawn(60, seed=1), drawn(80, seed=2)


class Killed(BaseException):
    """The process ends here."""


class Dying:
    """A port that works until a number of calls have been made, to it and those beside it."""

    def __init__(self, port: Any, left: list[int]) -> None:
        self._port, self._left = port, left

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)

        def call(*given: Any, **named: Any) -> Any:
            self._left[0] -= 1
            if self._left[0] < 0:
                raise Killed
            return found(*given, **named)

        return call


class Bucket:
    """A bucket and an index that outlive every process."""

    def __init__(self, folder: Path) -> None:
        self.objects, self.runs, self._folder, self._starts = MemoryObjects(), MemoryRuns(), folder, 0

    def send(self, name: str, content: bytes) -> None:
        self.objects.put(INCOMING + name, content)

    def process(self, calls: int = 10**9) -> tuple[HousingStore, list[int]]:
        """A new process, which dies after some calls."""
        self._starts += 1
        left = [calls]
        ports = Dying(self.objects, left), Dying(self.runs, left)
        return HousingStore(*ports, self._folder / str(self._starts)), left  # type: ignore[arg-type]

    def take(self) -> list[Batch]:
        return take_all(self.process()[0])

    def state(self) -> tuple[dict[str, bytes], list[Batch]]:
        return self.objects.contents, self.runs.batches(limit=99)


def take_all(store: HousingStore) -> list[Batch]:
    intake = store.take_waiting("run", most=9)
    assert not intake.stuck
    return intake.taken


@pytest.fixture
def bucket(tmp_path: Path) -> Bucket:
    return Bucket(tmp_path)


def test_the_same_file_again_is_refused_whatever_its_name(bucket: Bucket) -> None:
    for name in ("a.csv", "a.csv", "b.csv"):
        bucket.send(name, csv(FIRST))
        (batch,) = bucket.take()
        again = "The file is the same as a.csv, byte for byte, which came before."
        assert batch.refused == (again if batch.arrived_at > 1 else None)
    assert [batch.accepted for batch in bucket.runs.batches(limit=9)] == [0, 0, 60]
    assert len(bucket.process()[0].frame()) == 60


def test_rows_that_an_earlier_batch_brought_are_known(bucket: Bucket) -> None:
    bucket.send("a.csv", csv(FIRST))
    bucket.take()
    bucket.send("b.csv", csv(FIRST.iloc[:10]) + csv(SECOND).split(b"\n", 1)[1])
    (batch,) = bucket.take()
    assert (batch.accepted, batch.known) == (80, 10)
    frame = bucket.process()[0].frame()
    assert (len(frame), frame["block_id"].nunique()) == (140, 140)


def test_wherever_the_process_dies_the_next_one_ends_with_the_same(tmp_path: Path) -> None:
    def sent(name: str) -> Bucket:
        one = Bucket(tmp_path / name)
        one.send("a.csv", csv(FIRST))
        one.send("b.csv", csv(FIRST.iloc[:10]) + csv(SECOND).split(b"\n", 1)[1].replace(b"INLAND", b"SEA", 2))
        one.send("c.csv", b"nothing")
        return one

    undisturbed, most = sent("undisturbed"), 10**9
    store, left = undisturbed.process(most)
    assert len(take_all(store)) == 3
    for calls in range(most - left[0]):
        bucket = sent(f"dies-{calls}")
        store, left = bucket.process(calls)
        with pytest.raises(Killed):
            take_all(store)
        bucket.take()
        assert bucket.state() == undisturbed.state(), f"it died at call {calls}"


def test_a_file_sent_anew_after_a_death_is_taken_though_its_first_copy_was_begun(bucket: Bucket) -> None:
    bucket.send("a.csv", csv(FIRST))
    store, _ = bucket.process(4)  # it dies between the claim and the end
    with pytest.raises(Killed):
        store.take(store.waiting()[0], "run")
    bucket.send("a.csv", csv(FIRST))
    (batch,) = bucket.take()
    assert (batch.refused, batch.accepted) == (None, 60)


def test_a_file_replaced_while_it_was_looked_at_is_taken_too(bucket: Bucket) -> None:
    bucket.send("a.csv", csv(FIRST)[:-30])
    store, _ = bucket.process()
    (found,) = store.waiting()
    fetch = bucket.objects.fetch

    def then_replaced(key: str) -> Any:
        seen = fetch(key)
        bucket.send("a.csv", csv(FIRST))
        return seen

    bucket.objects.fetch = then_replaced  # type: ignore[method-assign]
    refused = store.take(found, "run")
    bucket.objects.fetch = fetch  # type: ignore[method-assign]
    assert refused is not None
    assert refused.refused is not None
    (batch,) = bucket.take()
    assert (batch.refused, batch.accepted) == (None, 60)


def test_a_copy_that_was_cut_off_is_fetched_anew(bucket: Bucket) -> None:
    bucket.send("a.csv", csv(FIRST))
    bucket.send("b.csv", csv(SECOND))
    store, _ = bucket.process()
    for found in store.waiting():
        store.take(found, "run")
    for copy in store.mirror():
        copy.write_bytes(copy.read_bytes()[:500])
    assert len(store.frame()) == 140


@pytest.mark.parametrize("name", ["n" * 1_000, "a/" * 500 + "b.csv", "é" * 490])
def test_a_name_as_long_as_a_key_may_be_is_taken(bucket: Bucket, name: str) -> None:
    bucket.send(name, csv(FIRST))
    (batch,) = bucket.take()
    assert (batch.name, batch.accepted) == (name, 60)
    assert all(len(found.key.encode()) <= 1_024 for found in bucket.objects.find("housing/taken/"))


@pytest.mark.parametrize("stated", ["9" * 5_000, "9" * 19, "-7", "abc"])
def test_a_number_of_rows_that_is_none_is_passed_over(bucket: Bucket, stated: str) -> None:
    bucket.send("a.csv", csv(FIRST))
    bucket.objects.stated[INCOMING + "a.csv"] = {"rows": stated}
    (batch,) = bucket.take()
    assert batch.accepted == 60


def test_a_batch_that_cannot_be_taken_keeps_no_other(bucket: Bucket) -> None:
    for name, rows in (("a.csv", FIRST), ("b.csv", SECOND)):
        bucket.send(name, csv(rows))
    fetch = bucket.objects.fetch

    def broken(key: str) -> Any:
        if key.endswith("a.csv"):
            raise OSError("the disk is full")
        return fetch(key)

    bucket.objects.fetch = broken  # type: ignore[method-assign]
    intake = bucket.process()[0].take_waiting("run", most=9)
    assert [batch.name for batch in intake.taken] == ["b.csv"]
    assert intake.stuck == {INCOMING + "a.csv": "OSError: the disk is full"}
    bucket.objects.fetch = fetch  # type: ignore[method-assign]
    assert [batch.name for batch in bucket.take()] == ["a.csv"]


def test_a_run_takes_no_more_than_it_may(bucket: Bucket) -> None:
    for name, rows in (("a.csv", FIRST), ("b.csv", SECOND)):
        bucket.send(name, csv(rows))
    assert [batch.name for batch in bucket.process()[0].take_waiting("run", most=1).taken] == ["a.csv"]
    assert [batch.name for batch in bucket.take()] == ["b.csv"]


def test_what_went_meanwhile_is_passed_over(bucket: Bucket) -> None:
    store, _ = bucket.process()
    assert store.take(Found(INCOMING + "gone.csv", 1, 1), "run") is None


def test_a_batch_is_told_apart_from_all_others(bucket: Bucket) -> None:
    bucket.send("a.csv", csv(FIRST))
    bucket.send("b.csv", csv(SECOND))
    first, second = bucket.take()
    assert first.id < second.id
    assert msgspec.json.decode(msgspec.json.encode(first), type=Batch) == bucket.runs.batch(first.id)
