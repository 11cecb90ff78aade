"""Retention by the policy: who bought what was received too long ago, and nobody else; whoever is killed meanwhile."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.backups import Deployment
from tests.samples import body, sale
from tidemark.adapters.memory_runs import MemoryRuns
from tidemark.adapters.s3_lake import NOBODY, PREFIX, UNKNOWN, LakeObject, listed_as, packed
from tidemark.backup.erasing import in_force
from tidemark.errors import Unavailable
from tidemark.ledger import Entry
from tidemark.privacy.receipt import Held, Receipt, kept
from tidemark.privacy.retention import (
    AGAIN_MS,
    AT_ONCE,
    AT_ONCE_BYTES,
    MS_A_DAY,
    Outcome,
    Parts,
    allowed_since,
    groups,
    is_due,
    retain,
)
from tidemark.privacy.selection import Erased, Selection
from tidemark.privacy.subjects import find
from tidemark.privacy.turn import turn
from tidemark.store import MINUTES_PER_DAY, day_name
from tidemark.writer import Clock

NOW = 1_924_000_000_000  # 2030-12-20
OLD, NEW = NOW - 10 * MS_A_DAY, NOW - MS_A_DAY
BEFORE = allowed_since(5, NOW)
HELD = Held("somewhere", None)
DAYS = ("2030-12-01", "2030-12-02", "2030-12-03")


class Shop(Deployment):
    """A deployment with a policy."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "shop")
        self.runs = MemoryRuns()
        self.reads: list[str] = []
        read = self.lake.read

        def noted(key: str) -> list[str]:
            self.reads.append(key)
            return read(key)

        self.lake.read = noted  # type: ignore[method-assign]

    def sells(self, at: int, *rows: dict[str, object]) -> list[str]:
        """Sales that are received at one time, each day's in one object."""
        held = set(self.ledger.sold)
        results = self.ingest.post(body(*rows), Clock(lambda: at, lambda _: None, lambda: 1.0)).answer.results
        by_day: dict[int, list[str]] = {}
        for name in self.ledger.sold.keys() - held:
            entry = self.ledger.sold[name][0].entry
            by_day.setdefault(entry.minute // MINUTES_PER_DAY, []).append(msgspec.json.encode(entry).decode())
        for day, documents in by_day.items():
            self.lake.put(day * MINUTES_PER_DAY, documents)
        return [result.status for result in results]

    def retains(self, remaining: Callable[[], float] = lambda: 1.0, *, now: int = NOW) -> Outcome:
        parts = Parts(self.ledger, self.lake, self.objects, self.runs, lambda _: [HELD])
        return retain(parts, BEFORE, remaining, now=lambda: now / 1000)

    @property
    def named(self) -> set[str]:
        """The sales that name somebody, in the ledger."""
        return {found.entry.invoice_id for found in find(self.ledger, Selection(1 << 60)).sales}

    @property
    def archived(self) -> list[Entry]:
        """All that stands in the lake, repeats too."""
        return [
            msgspec.json.decode(line, type=Entry)
            for key in sorted(self.lake.keys())
            for line in gzip.decompress(self.objects.get(key)).splitlines()
        ]

    def agrees(self) -> None:
        """Lake and ledger say the same, and all counters are the ledger's."""
        assert self.differences() == []
        assert {entry.invoice_id for entry in self.archived} == set(self.ledger.sold)
        for entry in self.archived:
            assert entry == self.ledger.sold[entry.invoice_id][0].entry


def bought(name: str, day: str = DAYS[0], **change: Any) -> dict[str, object]:
    sold = {"sold_at": f"{day}T12:00:00Z", "customer_id": f"who bought {name}", "tax": None, "total": None}
    return sale(name, **sold, **change)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """Old sales of three days, two of them of nobody; new ones of the first of these days; a conflict, an old one."""
    found = Shop(tmp_path)
    assert found.sells(OLD, *(bought(f"old-{n}", DAYS[n % 3]) for n in range(6)), sale("nobody's")) == ["accepted"] * 7
    assert found.sells(NEW, *(bought(f"new-{n}") for n in range(2))) == ["accepted"] * 2
    assert found.sells(OLD, bought("old-0", quantity=3)) == ["conflict"]
    assert found.sells(NEW, bought("old-1", quantity=3)) == ["conflict"]
    return found


def test_what_is_older_than_the_policy_names_nobody_and_all_else_is_as_it_was(shop: Shop) -> None:
    before = shop.kpis()
    assert shop.retains() == Outcome(Erased(6, 1, 3), True, f"erasures/{kept(shop.objects)[0].id}.json")
    assert shop.named == {"new-0", "new-1"}
    assert [found.sale.customer_id is None for found in shop.ledger.quarantined()].count(False) == 1
    shop.agrees()
    assert shop.kpis() == before
    assert shop.sells(NOW, bought("old-0"), bought("old-1", quantity=2)) == ["duplicate", "conflict"]
    (receipt,) = kept(shop.objects)
    assert (receipt.customer, receipt.before, receipt.still_held) == (None, BEFORE, [HELD])
    assert receipt.erased == Erased(6, 1, 3)


def test_nothing_is_read_but_what_is_due(shop: Shop) -> None:
    shop.retains()
    read = len(shop.reads)
    new = {found.key for found in shop.lake.objects(DAYS[0]) if found.oldest == NEW}
    assert (read, len(new)) == (3, 1)
    assert not new & set(shop.reads)
    assert shop.retains() == Outcome(Erased(0, 0, 0), True, None)
    assert len(shop.reads) == read
    assert len(kept(shop.objects)) == 1, "of nothing there is no receipt"


def test_a_late_sale_and_what_comes_back_are_due_in_the_next_round(shop: Shop) -> None:
    before = {key: shop.objects.get(key) for key in shop.lake.keys(DAYS[1])}
    shop.retains()
    for key, content in before.items():
        shop.objects.put(key, content)  # the stream gave it again
    shop.sells(OLD, bought("late", DAYS[2]))
    done = shop.retains()
    assert (done.erased.sales, done.erased.days) == (1 + len(before) * 2, 2)
    assert shop.named == {"new-0", "new-1"}
    shop.agrees()


def test_objects_of_former_versions_are_read_once_and_then_say_it_by_their_names(shop: Shop) -> None:
    former = {key: shop.objects.get(key) for key in shop.lake.keys(None)}
    for key, content in former.items():
        shop.objects.remove(key)
        shop.objects.put(f"{key.rpartition('-')[0]}.json.gz", content)
    assert shop.retains().erased == Erased(6, 1, 3)
    assert {found.oldest for day in shop.lake.days() for found in shop.lake.objects(day)} == {NOBODY, NEW}
    shop.agrees()
    read = len(shop.reads)
    shop.retains()
    assert len(shop.reads) == read


class Killed(Exception):
    pass


@pytest.mark.parametrize("where", ["blank", "put", "purge", "keep"])
@pytest.mark.parametrize("after", range(3))
def test_killed_anywhere_the_next_run_goes_on(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, where: str, after: int
) -> None:
    owner, name = {
        "blank": (shop.ledger, "blank"),
        "put": (shop.lake, "put"),
        "purge": (shop.lake, "purge"),
        "keep": (shop.runs, "keep_progress"),
    }[where]
    done, calls = getattr(owner, name), count()

    def until_killed(*given: Any) -> Any:
        if next(calls) >= after:
            raise Killed
        return done(*given)

    monkeypatch.setattr(owner, name, until_killed)
    with pytest.raises(Killed):
        shop.retains()
    monkeypatch.undo()
    assert is_due(shop.runs, NOW)
    assert shop.retains().done
    assert shop.named == {"new-0", "new-1"}
    shop.agrees()


def test_at_the_end_of_its_time_it_says_how_far_it_came_and_the_next_begins_there(shop: Shop) -> None:
    left = iter([1.0] * 6 + [0.0])  # two conflicts, two days
    first = shop.retains(lambda: next(left))
    assert (first.erased, first.done) == (Erased(4, 1, 2), False)
    read = len(shop.reads)
    assert is_due(shop.runs, NOW)
    last = shop.retains()
    assert (last.erased, last.done) == (Erased(2, 0, 1), True)
    assert len(shop.reads) == read + 1
    assert [one.erased.sales for one in sorted(kept(shop.objects), key=lambda one: -one.erased.sales)] == [4, 2]
    shop.agrees()


def test_a_round_is_due_once_a_day_and_one_by_itself_keeps_nothing(shop: Shop) -> None:
    assert is_due(shop.runs, NOW)
    parts = Parts(shop.ledger, shop.lake, shop.objects, None, lambda _: [])
    assert retain(parts, BEFORE, lambda: 1.0, now=lambda: NOW / 1000).erased.sales == 6
    assert is_due(shop.runs, NOW)
    shop.retains()
    assert [is_due(shop.runs, NOW + later) for later in (0, AGAIN_MS - 1, AGAIN_MS)] == [False, False, True]


def test_who_is_killed_holds_its_turn_no_longer_than_it_would_have_worked() -> None:
    runs = MemoryRuns()
    with (
        turn(runs, "one", now=NOW, until=NOW + 900),
        pytest.raises(Unavailable, match="one erases just now"),
        turn(runs, "another", now=NOW + 1, until=NOW + 2),
    ):
        raise AssertionError
    with pytest.raises(Killed), turn(runs, "failing", now=NOW, until=NOW + 900):
        raise Killed
    assert runs.begin("erasure", "killed", now=NOW, until=NOW + 900) is None
    with turn(runs, "the next", now=NOW + 901, until=NOW + 1_000):
        pass


def test_a_restore_erases_once_for_all_receipts_of_the_policy() -> None:
    def one(number: int, customer: str | None) -> Receipt:
        return Receipt(str(number), f"2030-12-{number:02}", customer, number, Erased(1, 0, 1), (), (), (), [])

    receipts = [one(n, None) for n in (3, 9, 5)] + [one(n, f"p-{n}") for n in (12, 1)]
    assert [found.id for found in in_force(receipts)] == ["1", "9", "12"]
    assert in_force([]) == []


TIMES = st.integers(0, 9_999_999_999_999)


@given(st.lists(st.tuples(TIMES, st.none() | st.just("p-x"))), st.integers(0, 30_000))
def test_a_name_says_when_the_oldest_sale_that_names_somebody_was_received(
    sales: list[tuple[int, str | None]], day: int
) -> None:
    documents = [msgspec.json.encode({"received_at": at, "customer_id": who}).decode() for at, who in sales]
    key, content = packed(day * MINUTES_PER_DAY, documents)
    assert packed(day * MINUTES_PER_DAY, iter(documents)) == (key, content), "again is the same object"
    assert key.startswith(f"{PREFIX}day={day_name(day)}/")
    named = [at for at, who in sales if who]
    assert listed_as(key, 7) == LakeObject(key, min(named, default=NOBODY), 7)
    assert [line.decode() for line in gzip.decompress(content).splitlines()] == documents


@given(st.text(max_size=60))
def test_of_any_other_name_it_is_not_known(name: str) -> None:
    assert listed_as(f"{PREFIX}day=2030-12-01/{name}", 1).oldest == UNKNOWN


@given(st.lists(st.integers(1, 3 * AT_ONCE_BYTES)))
def test_groups_hold_all_in_order_and_no_more_than_there_is_room_for(sizes: list[int]) -> None:
    objects = [LakeObject(str(number), 0, size) for number, size in enumerate(sizes)]
    made = list(groups(objects))
    assert [found for group in made for found in group] == objects
    assert all(sum(found.size for found in group) <= AT_ONCE_BYTES or len(group) == 1 for group in made)
    assert max(map(len, groups([LakeObject("", 0, 1)] * (AT_ONCE + 1)))) == AT_ONCE
