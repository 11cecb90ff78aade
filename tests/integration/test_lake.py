"""The lake, read through its view, is exactly the ledger; where it is not, that is found and mended."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import duckdb
import msgspec
import pytest

from tests.cloud import Cloud
from tests.samples import sale
from tidemark.adapters.s3_lake import S3Lake
from tidemark.adapters.s3_newest import NewestSales
from tidemark.cubes.engine import Engine
from tidemark.cubes.views import Question, View
from tidemark.errors import NotFound, Unavailable
from tidemark.lake_audit import LakeAudit, audit_lake, repair_lake
from tidemark.lake_view import open_view, read_sales
from tidemark.local import stores
from tidemark.ports import Ledger
from tidemark.tables.lake import KEPT, LOOK_S, LakeSales
from tidemark.tables.sources import Source, opened


@pytest.fixture
def ledger(cloud: Cloud) -> Ledger:
    """A ledger with some sales of three days, all of them archived."""
    rows = [sale(f"lake-{n}", sold_at=f"2019-02-0{1 + n % 3}T12:00:00Z", tax=None, total=None) for n in range(30)]
    assert cloud.post({"sales": rows}).status_code == 200
    found, _ = stores.open_stores(cloud.home)
    assert audit_lake(found, stores.open_lake(cloud.home), cloud.home.lake_mirror).differences == 0
    return found


@pytest.fixture
def lake(cloud: Cloud) -> S3Lake:
    return stores.open_lake(cloud.home)


def look(cloud: Cloud, ledger: Ledger, lake: S3Lake) -> LakeAudit:
    return audit_lake(ledger, lake, cloud.home.lake_mirror, lag_s=0)


def test_a_sale_that_is_archived_twice_is_read_once(cloud: Cloud, ledger: Ledger, lake: S3Lake) -> None:
    before = look(cloud, ledger, lake)
    first = next(iter(lake.keys("2019-02-01")))
    line = open_view(cloud.home.lake_mirror)  # mirrored by the audit
    (again,) = line.execute("SELECT count(*) FROM sales WHERE invoice_id = 'lake-0'").fetchall()
    assert again == (1,)
    client = lake._client
    body = client.get_object(Bucket=lake._bucket, Key=first)["Body"].read()
    client.put_object(Bucket=lake._bucket, Key=first.replace(".json.gz", "x.json.gz"), Body=body)
    assert look(cloud, ledger, lake) == before


def test_what_the_archive_had_yet_to_read_outlasts_the_emulator(cloud: Cloud, ledger: Ledger, lake: S3Lake) -> None:
    """Else it would skip as many changes as it had read before: those of the ledger's sales, for one."""
    calls = stores.client(cloud.home, "lambda")
    (mapping,) = (
        found["UUID"]
        for found in calls.list_event_source_mappings()["EventSourceMappings"]
        if stores.running(cloud.home)["LedgerTable"] in found["EventSourceArn"]
    )
    calls.update_event_source_mapping(UUID=mapping, Enabled=False)
    try:
        assert cloud.post({"sales": [sale("unread")]}).status_code == 200
        cloud.restart_emulator()
    finally:
        calls.update_event_source_mapping(UUID=mapping, Enabled=True)
    assert cloud.post({"sales": [sale("after that")]}).status_code == 200
    assert audit_lake(ledger, lake, cloud.home.lake_mirror).differences == 0


def test_the_newest_sales_are_read_from_the_end_each_once(cloud: Cloud, ledger: Ledger, lake: S3Lake) -> None:
    """Whatever other tests have sold before 2040."""
    rows = [sale(f"new-{n}", sold_at=f"2040-02-0{1 + n % 3}T12:00:00Z", tax=None, total=None) for n in range(30)]
    assert cloud.post({"sales": rows}).status_code == 200
    assert audit_lake(ledger, lake, cloud.home.lake_mirror).differences == 0
    asked = Counter[str]()
    client = stores.client(cloud.home, "s3")
    client.meta.events.register("before-call.s3.GetObject", lambda **_: asked.update(["objects"]))
    newest = NewestSales(client, lake._bucket)
    last = newest.read(10)
    assert [entry.invoice_id for entry in last] == [f"new-{n}" for n in sorted(range(2, 30, 3), key=str)]
    assert asked["objects"] == len(lake.keys("2040-02-03")), "no older day was read"
    again = client.get_object(Bucket=lake._bucket, Key=min(lake.keys("2040-02-03")))["Body"].read()
    client.put_object(Bucket=lake._bucket, Key="sales/day=2040-02-03/again.json.gz", Body=again)
    everything = newest.read(1_000_000)
    assert len({entry.invoice_id for entry in everything}) == len(everything)
    assert {entry.invoice_id for entry in everything} == {counted.entry.invoice_id for counted in ledger.scan()}
    cloud.forget_sales()


def test_what_is_lost_is_found_and_mended(cloud: Cloud, ledger: Ledger, lake: S3Lake) -> None:
    lake.remove(lake.keys("2019-02-02"))
    found = look(cloud, ledger, lake)
    assert {"lake-1", "lake-4"} <= set(found.missing)
    assert repair_lake(ledger, lake, cloud.home.lake_mirror, found) == 1
    assert look(cloud, ledger, lake).differences == 0
    assert len(lake.keys("2019-02-02")) == 1


def test_what_was_changed_or_made_up_is_found_and_mended(cloud: Cloud, ledger: Ledger, lake: S3Lake) -> None:
    day = cloud.get("/v1/sales/lake-2").json()["sale"]["minute"]
    (held,) = [c for c in ledger.scan() if c.entry.invoice_id == "lake-2"]
    changed = msgspec.json.encode(msgspec.structs.replace(held.entry, total="1")).decode()
    made_up = msgspec.json.encode(msgspec.structs.replace(held.entry, invoice_id="made up")).decode()
    lake.remove(lake.keys("2019-02-03"))
    lake.put(day, [changed, made_up])
    found = look(cloud, ledger, lake)
    assert found.different == ["lake-2"]
    assert found.unknown == ["made up"]
    assert repair_lake(ledger, lake, cloud.home.lake_mirror, found) >= 1
    assert look(cloud, ledger, lake).differences == 0


def test_the_command_says_and_mends_it(cloud: Cloud, ledger: Ledger, lake: S3Lake) -> None:
    lake.put(0, ['{"invoice_id": "made up", "minute": 0}'])
    wrong = cloud.run("audit", check=False)
    assert wrong.returncode == 1
    assert "lake: unknown made up" in wrong.stdout
    assert "1 between ledger and lake" in wrong.stderr
    assert cloud.run("audit", "--repair").returncode == 0
    assert "agree" in cloud.run("audit").stderr


def test_an_empty_lake_is_empty(tmp_path: Path) -> None:
    assert read_sales(open_view(tmp_path)) == {}


class Clock:
    """A clock that a test sets."""

    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def counts(source: Source, folder: Path, column: str) -> dict[str, int]:
    """How many sales the explorer counts by each value of a column."""
    engine = Engine(opened(source, folder))
    cube = engine.exact(Question(View("hour"), (View(column),)))
    engine.close()
    bins = cube.brush()[1:].tolist()
    return {label: count for label, count in zip(engine.table.columns[column].labels, bins, strict=False) if count}


def test_the_explorer_counts_the_ledgers_sales(cloud: Cloud, ledger: Ledger, lake: S3Lake, tmp_path: Path) -> None:
    clock = Clock()
    sales = LakeSales(lake, tmp_path, clock)
    first = sales.newest()
    for column in ("branch", "product_line", "payment", "model"):
        expected = Counter(str(getattr(counted.entry, column)) for counted in ledger.scan())
        assert counts(first, tmp_path, column) == expected
    with duckdb.connect() as connection:
        (money,) = connection.sql(f"SELECT sum(total), count(*) FROM {first.sql}").fetchall()
    entries = [counted.entry for counted in ledger.scan()]
    assert money == (pytest.approx(sum(float(entry.total) for entry in entries)), len(entries))
    for round_ in range(KEPT + 1):
        assert cloud.post({"sales": [sale(f"grown-{round_}", tax=None, total=None)]}).status_code == 200
        assert audit_lake(ledger, lake, cloud.home.lake_mirror).differences == 0
        before = sales.newest()
        clock.seconds += LOOK_S
        grown = sales.newest()
        assert (before.made_of != grown.made_of, grown) == (True, sales.newest())
        assert sum(counts(grown, tmp_path, "branch").values()) == len(entries) + round_ + 1
    assert len(list(tmp_path.glob("live-*"))) == KEPT, "older states do not fill the disk"
    assert (sales.is_kept(first), sales.is_kept(grown)) == (False, True)


def test_a_lake_that_is_empty_or_away_is_told(cloud: Cloud, lake: S3Lake, tmp_path: Path) -> None:
    clock = Clock()
    stores.client(cloud.home, "s3").create_bucket(
        Bucket="no-sales", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    with pytest.raises(NotFound, match="the lake holds nothing yet"):
        LakeSales(S3Lake(lake._client, "no-sales"), tmp_path, clock).newest()
    with pytest.raises(Unavailable, match="the lake does not answer"):
        LakeSales(S3Lake(lake._client, "nowhere"), tmp_path, clock).newest()
