"""Backups of a deployment in memory: made while sales go on, cut off anywhere, brought back, compared."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.backups import Deployment
from tests.samples import of_own_line, sale
from tidemark.adapters.dynamodb import sale_item
from tidemark.adapters.memory_runs import MemoryObjects
from tidemark.backup import catalogue, creating, erasing, manifest, notes, restoring, verifying
from tidemark.backup.reading import Backup
from tidemark.backup.store import FEEDBACK, LEDGER, QUARANTINE, RUNS, Store
from tidemark.errors import Difference, Misuse, NotFound
from tidemark.ports import Item, Place
from tidemark.privacy import receipt as receipts
from tidemark.privacy.receipt import Held
from tidemark.privacy.selection import Erased

NOW = datetime.now(UTC)
DAYS = 35


def quiet(text: str) -> None:
    """Nobody listens."""


class Killed(BaseException):
    """The process was ended here."""


class Fuse:
    """Ends the process at its n-th write; never where `left` is None."""

    def __init__(self, left: int | None = None) -> None:
        self.left = left
        self.writes = 0

    def burn(self) -> None:
        self.writes += 1
        if self.left is not None and self.writes > self.left:
            raise Killed


class Shelf(MemoryObjects):
    """A place whose writer may be killed."""

    def __init__(self, fuse: Fuse | None = None) -> None:
        super().__init__()
        self.fuse = fuse or Fuse()

    def put(self, key: str, content: bytes, **told: Any) -> None:
        self.fuse.burn()
        super().put(key, content, **told)


@pytest.fixture
def shop(tmp_path: Path) -> Deployment:
    """A deployment with sales of several days and branches, returns, a conflict, feedback, runs, files."""
    made = Deployment(tmp_path, "shop")
    made.post(*(of_own_line(number, at=number * 97) for number in range(60)))
    made.post(*(sale(f"same-{number}") for number in range(8)))
    tables = made.store.tables
    tables[QUARANTINE].put_absent([{"invoice_id": {"S": "same-1"}, "digest": {"S": "d"}, "doc": {"S": "{}"}}])
    tables[FEEDBACK].put_absent([{"inbox": {"S": "all"}, "id": {"S": "1"}, "doc": {"S": '"é"'}}])
    tables[RUNS].put_absent(
        [
            {"list": {"S": "at-work"}, "id": {"S": "housing"}, "holder": {"S": "one"}},
            {"list": {"S": "parts#runs"}, "id": {"S": "17000"}},
            {"list": {"S": "runs#17000"}, "id": {"S": "1"}, "doc": {"S": "{}"}, "expires_at": {"N": "9999999999"}},
            {"list": {"S": "models"}, "id": {"S": "abc"}, "content": {"B": b"\x00\xff"}, "n": {"L": [{"B": b"x"}]}},
            {"list": {"S": "champions"}, "id": {"S": "sales"}, "fingerprint": {"S": "abc"}},
        ]
    )
    made.objects.put("flows/a/report.json", b"{}", content_type="application/json")
    made.objects.put("models/a.bin", b"\x00model", stated={"rows": "3"})
    made.objects.put("models/b.bin", b"\x00model")
    made.objects.put("athena/answer.csv", b"gone tomorrow")
    return made


def backed_up(shop: Deployment, place: Place, name: str = "one") -> Backup:
    creating.create(shop.store, place, name, days=DAYS, say=quiet)
    return Backup(place, manifest.read(place, name))


def restored(shop: Deployment, backup: Backup, place: Place, **how: Any) -> restoring.Restored:
    restoring.plan(shop.store, backup)
    return restoring.restore(shop.store, backup, place, say=quiet, stalled_s=0, **how)


def ids(shop: Deployment) -> set[str]:
    return set(shop.ledger.sold)


def test_what_is_restored_equals_what_was_backed_up_and_goes_on(shop: Deployment, tmp_path: Path) -> None:
    place, other = Shelf(), Deployment(tmp_path, "other")
    backup = backed_up(shop, place)
    told = backup.manifest
    assert (told.sales, told.items) == (68, {QUARANTINE: 1, FEEDBACK: 1, RUNS: 4, LEDGER: 68})
    assert told.kept_until - told.created_at == timedelta(days=DAYS)
    done = restored(other, backup, place)
    assert (done.sales, done.again, done.conflicting) == (68, 0, [])
    found = verifying.verify(other.store, backup, say=quiet)
    assert found.differences == 0
    assert {one.what: (one.held, one.equal, one.since) for one in found.compared} == {
        LEDGER: (68, 68, 0),
        QUARANTINE: (1, 1, 0),
        FEEDBACK: (1, 1, 0),
        RUNS: (4, 4, 0),
        "files": (3, 3, 0),
    }
    assert other.kpis() == shop.kpis()
    assert other.ledger.sold == shop.ledger.sold
    assert other.history.kept_heads, "what was counted is history again"
    assert "athena/answer.csv" not in other.objects.contents
    assert other.post(of_own_line(3, at=3 * 97), sale("new"), sale("same-1", quantity=1)) == [
        *("duplicate", "accepted", "conflict")
    ]
    assert other.differences() == []
    again = verifying.verify(other.store, backup, say=quiet)
    assert again.differences == 0
    assert {one.what: one.since for one in again.compared if one.since} == {LEDGER: 1}


def test_a_backup_that_is_made_while_sales_come_is_exact(shop: Deployment, tmp_path: Path) -> None:
    place, other = Shelf(), Deployment(tmp_path, "other")
    before = ids(shop)
    came = iter(range(30))

    def sell() -> None:
        number = next(came, None)
        if number is not None:
            shop.post(
                sale(f"while-{number}", sold_at="2019-01-05T13:08:00+00:00"), of_own_line(500 + number, at=number)
            )

    shop.sales.between = sell
    backup = backed_up(shop, place)
    shop.sales.between = lambda: None
    restored(other, backup, place)
    assert before <= ids(other) <= ids(shop)
    assert len(ids(other)) > len(before)
    assert other.differences() == []
    assert verifying.verify(other.store, backup, say=quiet).differences == 0
    assert verifying.verify(shop.store, backup, say=quiet).differences == 0, "the source has more, and nothing else"


def test_a_cell_is_never_restored_at_a_version_that_it_had(shop: Deployment, tmp_path: Path) -> None:
    """Whoever saw more of it before the loss must not take the two for the same."""
    counted = [one for one, _ in shop.ledger.sold.values()]
    highest = {(one.entry.minute, one.entry.branch, one.writer): one.version for one in counted}
    assert all(cell.version > highest[cell.key] + 1_000 for cell in restoring.count(counted, 0))


def test_what_is_cut_off_anywhere_is_no_backup(shop: Deployment) -> None:
    whole = Shelf()
    backed_up(shop, whole)
    for writes in range(whole.fuse.writes):
        place = Shelf(Fuse(writes))
        name = f"cut-{writes}"
        with pytest.raises(Killed):
            creating.create(shop.store, place, name, days=DAYS, say=quiet)
        with pytest.raises(NotFound, match="there is no backup"):
            manifest.read(place, name)
        assert name in [one.name for one in notes.noted(shop.objects)], "what may hold a person's data is known"
        assert [one.problem for one in catalogue.listed(place)] == (["never finished"] if writes else [])
        if writes:
            with pytest.raises(Misuse, match="take another name"):
                creating.create(shop.store, place, name, days=DAYS, say=quiet)


def test_a_restore_that_is_cut_off_anywhere_goes_on(shop: Deployment, tmp_path: Path) -> None:
    place = Shelf()
    backup = backed_up(shop, place)
    fuse = Fuse()
    restored(_fused(Deployment(tmp_path, "counted"), fuse), backup, place)
    assert fuse.writes > 100
    for writes in (*range(0, fuse.writes, 17), *range(fuse.writes - 4, fuse.writes)):
        other = _fused(Deployment(tmp_path, f"cut-{writes}"), Fuse(writes))
        with pytest.raises(Killed):
            restored(other, backup, place)
        healed = _fused(other, Fuse())
        restored(healed, backup, place)
        assert verifying.verify(healed.store, backup, say=quiet).differences == 0, writes
        assert healed.kpis() == shop.kpis()
        with pytest.raises(Misuse, match="was restored already"):
            restoring.plan(healed.store, backup)


def _fused(shop: Deployment, fuse: Fuse) -> Deployment:
    """Writes one item at a time, until its process is killed."""
    for items in shop.store.tables.values():
        plain = type(items).put_absent

        def put(some: Sequence[Item], items: Any = items, plain: Any = plain) -> list[Item]:
            held = []
            for item in some:
                fuse.burn()
                held += plain(items, [item])
            return held

        items.put_absent = put  # type: ignore[method-assign, assignment]
    for name in ("claim", "settle", "sweep"):
        _burning(shop.history, name, fuse)
    _burning(shop.objects, "put", fuse)
    return shop


def _burning(what: object, name: str, fuse: Fuse) -> None:
    plain: Callable[..., Any] = getattr(type(what), name)

    def burning(*words: Any, **how: Any) -> Any:
        fuse.burn()
        return plain(what, *words, **how)

    setattr(what, name, burning)


def test_damaged_and_missing_parts_are_named_and_nothing_is_touched(shop: Deployment, tmp_path: Path) -> None:
    whole = Shelf()
    backed_up(shop, whole)
    other = Deployment(tmp_path, "other")
    for key, content in list(whole.contents.items()):
        name = key.removeprefix("one/")
        for word, changed in (("damaged", content[:-1] + bytes([content[-1] ^ 1])), ("missing", None)):
            place = Shelf()
            place.contents, place._modified, place._types = dict(whole.contents), whole._modified, whole._types
            if changed is None:
                place.remove(key)
            else:
                place.contents[key] = changed
            expected = "there is no backup" if name == manifest.FILE and changed is None else f"{word}: {name}"
            with pytest.raises((Difference, NotFound), match=expected):
                restoring.plan(other.store, Backup(place, manifest.read(place, "one")))
    assert other.store.held() == []


def test_only_an_empty_deployment_is_restored_into(shop: Deployment, tmp_path: Path) -> None:
    place = Shelf()
    backup = backed_up(shop, place)
    with pytest.raises(Misuse, match=r"shop is not empty: the table of the quarantine has items; .* the bucket has"):
        restoring.plan(shop.store, backup)
    begun = _fused(Deployment(tmp_path, "begun"), Fuse(9))
    with pytest.raises(Killed):
        restored(begun, backup, place)
    with pytest.raises(Misuse, match="a restore of another backup, 'one', was begun"):
        restoring.plan(begun.store, backed_up(shop, place, "two"))
    assert restoring.plan(begun.store, backup).resumes == "filling"


def test_a_sale_that_a_till_sends_before_it_is_restored_is_counted_once(shop: Deployment, tmp_path: Path) -> None:
    place, other = Shelf(), Deployment(tmp_path, "other")
    backup = backed_up(shop, place)
    restoring.plan(other.store, backup)
    other.post(of_own_line(4, at=4 * 97), sale("same-2"), sale("same-3", quantity=1))
    done = restoring.restore(other.store, backup, place, say=quiet, stalled_s=0)
    assert (done.again, done.conflicting) == (3, ["same-3"])
    assert len(ids(other)) == 68
    assert other.differences() == []
    (ledger,) = (one for one in verifying.verify(other.store, backup, say=quiet).compared if one.what == LEDGER)
    assert (ledger.equal, ledger.different) == (67, ["same-3"])


def test_what_is_to_be_done_after_a_restore_is_done_before_it_is_complete(shop: Deployment, tmp_path: Path) -> None:
    place, other = Shelf(), Deployment(tmp_path, "other")
    backup = backed_up(shop, place)
    phases = []

    def erase(store: Store, at: Place) -> Iterable[str]:
        phases.append(msgspec.json.decode(store.objects.get("restored.json"))["phase"])
        assert (len(list(store.ledger.scan())), at) == (68, place)
        yield "2 persons erased again"

    assert restored(other, backup, place, after=[erase]).after == ["2 persons erased again"]
    assert phases == ["counted"]


def test_who_was_erased_since_does_not_come_back(shop: Deployment, tmp_path: Path) -> None:
    shop.post(*(sale(f"hers-{number}", customer_id="p-hers") for number in range(3)), sale("his", customer_id="p-his"))
    place, other = Shelf(), Deployment(tmp_path, "other")
    creating.create(shop.store, place, "one", days=DAYS, say=quiet, where="the shelf")
    backup = Backup(place, manifest.read(place, "one"))
    hers = shop.ledger.sold["hers-1"][0].entry.customer_id
    assert hers is not None
    (held,) = notes.held_by_backups(shop.objects)
    assert held == Held("the backup one in the shelf", backup.manifest.kept_until.isoformat(timespec="seconds"))
    receipt = receipts.write(Erased(3, 0, 1), customer=hers, before=2**62, at=datetime.now(UTC), still_held=[held])
    assert erasing.tell_backups(shop.objects, receipt, lambda where: place) == []
    assert [one.name for one in catalogue.listed(place)] == ["one"]
    (said,) = restored(other, backup, place).after
    assert "3 sales, 0 conflicts" in said
    named = {one.entry.invoice_id: one.entry.customer_id for one, _ in other.ledger.sold.values()}
    assert (named["hers-1"], named["his"]) == (None, shop.ledger.sold["his"][0].entry.customer_id)
    assert other.differences() == []
    found = verifying.verify(other.store, backup, say=quiet)
    assert (found.differences, found.lake) == (0, 0)
    (ledger,) = (one for one in found.compared if one.what == LEDGER)
    assert (ledger.equal, ledger.erased) == (69, 3)


def test_differences_of_content_are_found_by_name(shop: Deployment, tmp_path: Path) -> None:
    place = Shelf()
    backup = backed_up(shop, place)
    counted, token = shop.ledger.sold["same-1"]
    entry = msgspec.structs.replace(counted.entry, city="Elsewhere")
    shop.ledger.sold["same-1"] = (msgspec.structs.replace(counted, entry=entry), token)
    del shop.ledger.sold["same-2"]
    early = msgspec.structs.replace(
        counted, entry=msgspec.structs.replace(counted.entry, invoice_id="early", received_at=1)
    )
    shop.ledger.sold["early"] = (early, token)
    shop.objects.put("models/a.bin", b"\x00other")
    shop.objects.remove("models/b.bin")
    found = {one.what: one for one in verifying.verify(shop.store, backup, say=quiet).compared}
    ledger, files = found[LEDGER], found["files"]
    assert (ledger.missing, ledger.different, ledger.unknown) == (["same-2"], ["same-1"], ["early"])
    assert (files.missing, files.different) == (["models/b.bin"], ["models/a.bin"])


def test_backups_are_remembered_until_they_are_pruned(shop: Deployment) -> None:
    place = Shelf()
    for name in ("one", "two"):
        creating.create(shop.store, place, name, days=DAYS if name == "one" else 90, say=quiet)
    first, second = notes.noted(shop.objects)
    assert (first.name, (first.kept_until - first.created_at).days) == ("one", DAYS)
    assert (second.name, (second.kept_until - second.created_at).days) == ("two", 90)
    assert catalogue.prune(place, shop.objects, NOW) == []
    assert catalogue.prune(place, shop.objects, NOW + timedelta(days=DAYS + 1)) == ["one"]
    assert [one.name for one in notes.noted(shop.objects)] == ["two"]
    assert [one.name for one in catalogue.listed(place)] == ["two"]
    assert not [key for key in place.contents if key.startswith("one/")]


@pytest.mark.parametrize("name", ["", ".", "../a", "a/b", "a b", "é", "a" * 81])
def test_a_name_that_could_lead_elsewhere_is_refused(shop: Deployment, name: str) -> None:
    with pytest.raises(Misuse, match="cannot be a backup's name"):
        creating.create(shop.store, Shelf(), name, days=DAYS, say=quiet)


def test_a_sale_item_is_read_back_as_it_was(shop: Deployment) -> None:
    from tidemark.backup.items import item_of, line_of

    for counted, token in shop.ledger.sold.values():
        item = sale_item(counted, token)
        assert item_of(line_of(item)) == item
