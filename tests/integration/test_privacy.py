"""Nobody's name is found anywhere; a customer is given all that is kept of them, and erased without a trace."""

from __future__ import annotations

import gzip
import json
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from tests.cloud import Cloud
from tests.samples import sale
from tests.trust import tell
from tidemark.lake_audit import audit_lake, repair_lake, rewrite_days
from tidemark.ledger import Counted, Entry
from tidemark.local import stores
from tidemark.opened import local
from tidemark.privacy.personal import Pseudonyms
from tidemark.privacy.selection import Selection
from tidemark.privacy.subjects import Places, erase, find
from tidemark.store import MINUTES_PER_DAY

DAY = "2031-05-01"
EVER = Selection(1 << 60)


class Customer:
    """Somebody who buys, under a name that is nowhere else."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.name = f"Zoë Canary {secrets.token_hex(8)}"
        self.pseudonym = Pseudonyms(local(cloud.home).person_key()).of(self.name)
        self.mark = secrets.token_hex(4)

    def sale(self, number: int, **change: Any) -> dict[str, Any]:
        sold = {"sold_at": f"{DAY}T1{number % 9}:00:00Z", "tax": None, "total": None, **change}
        return sale(f"{self.mark}-{number}", customer_id=self.name, gender="Female", **sold)

    def buys(self, *rows: dict[str, Any]) -> list[str]:
        """Post some sales; what became of each. Those that were taken are in the lake."""
        answer = self.cloud.post({"sales": list(rows)})
        assert answer.status_code == 200, answer.text
        self.cloud.audit()
        return [result["status"] for result in answer.json()["results"]]

    @property
    def places(self) -> Places:
        ledger, _ = stores.open_stores(self.cloud.home)
        return Places(ledger, stores.open_lake(self.cloud.home), self.cloud.home.lake_mirror)


@pytest.fixture
def customer(cloud: Cloud) -> Customer:
    """A customer with nine sales on two days, and a conflict."""
    found = Customer(cloud)
    rows = [found.sale(n) for n in range(8)] + [found.sale(8, sold_at="2031-05-03T12:00:00Z", unit_price="99999")]
    assert found.buys(*rows) == ["accepted"] * 9
    assert found.buys(found.sale(0, quantity=3), found.sale(1)) == ["conflict", "duplicate"]
    return found


def everywhere(cloud: Cloud) -> Iterator[tuple[str, bytes]]:
    """Everything that is kept anywhere, by where."""
    outputs = stores.running(cloud.home)
    dynamodb = stores.client(cloud.home, "dynamodb")
    for output in sorted(name for name in outputs if name.endswith("Table")):
        for page in dynamodb.get_paginator("scan").paginate(TableName=outputs[output]):
            yield f"table {output}", repr(page["Items"]).encode()
    s3 = stores.client(cloud.home, "s3")
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=outputs["LakeBucket"]):
        for found in page.get("Contents", []):
            content = s3.get_object(Bucket=outputs["LakeBucket"], Key=found["Key"])["Body"].read()
            yield f"object {found['Key']}", gzip.decompress(content) if found["Key"].endswith(".gz") else content
    logs = stores.client(cloud.home, "logs")
    for group in logs.describe_log_groups()["logGroups"]:
        for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group["logGroupName"]):
            yield f"log {group['logGroupName']}", repr([line["message"] for line in page["events"]]).encode()
    live = redis.Redis(port=cloud.home.port("redis"))
    for key in live.scan_iter():
        kind = live.type(key)
        content = live.xrange(key) if kind == b"stream" else live.dump(key)
        yield f"redis {key!r}", repr(content).encode()
    yield "page", repr(cloud.snapshot()).encode()
    for path in cloud.home.path.rglob("*"):
        try:
            content = path.read_bytes()
        except (IsADirectoryError, FileNotFoundError):  # the emulator's Lambdas come and go
            continue
        unpacked = gzip.decompress(content) if path.name.endswith(".json.gz") else content
        yield f"file {path.relative_to(cloud.home.path)}", unpacked


def forms(name: str) -> list[bytes]:
    """A name as it may be written."""
    return [name.encode(), json.dumps(name)[1:-1].encode(), repr(name.encode())[2:-1].encode()]


def test_a_name_is_found_nowhere_and_its_pseudonym_only_where_sales_are_kept(cloud: Cloud, customer: Customer) -> None:
    wrong = [customer.sale(20, quantity=0), {**customer.sale(21), "name": customer.name}]
    refused = cloud.post({"sales": wrong})
    assert {result["status"] for result in refused.json()["results"]} == {"rejected"}
    assert customer.name not in refused.text
    assert cloud.post(json.dumps([customer.sale(23)]).encode()).status_code == 400
    searched, known = 0, set()
    for where, content in everywhere(cloud):
        searched += 1
        assert not any(form in content for form in forms(customer.name)), where
        if customer.pseudonym.encode() in content:
            known.add(where.partition(" ")[0] if "sales" in where else where)
    assert known == {"table LedgerTable", "table QuarantineTable", "object", "file"}
    tell("canary", places=searched)
    told = cloud.get(f"/v1/sales/{customer.mark}-0").json()["sale"]
    assert told["customer_id"] == customer.pseudonym


def test_a_customer_is_given_all_that_is_kept_and_is_erased_and_no_total_moves(
    cloud: Cloud, customer: Customer
) -> None:
    given = json.loads(cloud.run("person", "export", customer.name).stdout)
    assert given["customer"] == customer.pseudonym
    kinds = [one["kind"] for one in given["kept"]]
    assert (kinds.count("sale"), len(kinds)) == (9, 10)
    before, day = cloud.kpis(), cloud.kpis(**{"from": DAY, "to": "2031-05-04"})
    counters = cloud.audit()

    receipt = json.loads(cloud.run("person", "erase", customer.name, "--yes").stdout)
    assert receipt["erased"] == {"sales": 9, "conflicts": 1, "days": 2}
    assert receipt["customer"] == customer.pseudonym
    assert [held["where"] for held in receipt["still_held"]][:1] == ["the stream of the ledger's changes"]
    places = 0
    for where, content in everywhere(cloud):
        places += 1
        if "erasures/" not in where:  # the receipt says who: what a backup brings back is erased by it again
            assert customer.pseudonym.encode() not in content, where
    sold = cloud.get(f"/v1/sales/{customer.mark}-0").json()["sale"]
    assert (sold.get("customer_id"), sold.get("gender"), sold["quantity"]) == (None, None, sale("")["quantity"])
    after = (cloud.kpis(), cloud.kpis(**{"from": DAY, "to": "2031-05-04"}))
    moved = sum(old[name] != new[name] for old, new in zip((before, day), after, strict=True) for name in old)
    assert after == (before, day)
    assert cloud.audit() == counters
    erased = {name: receipt["erased"][name] for name in ("sales", "conflicts")}
    tell("erasure", **erased, places=places, moved=moved)
    nothing = cloud.run("person", "export", customer.name, check=False)
    assert (nothing.returncode, nothing.stderr.strip()) == (1, "tidemark: nothing is kept of this customer")

    assert customer.buys(customer.sale(0), customer.sale(2, quantity=2)) == ["duplicate", "conflict"]
    assert cloud.kpis() == before
    assert customer.buys(customer.sale(30)) == ["accepted"], "who comes again is a customer again"
    again = json.loads(cloud.run("person", "erase", customer.pseudonym, "--yes").stdout)
    assert again["erased"] == {"sales": 1, "conflicts": 1, "days": 1}


class Killed(Exception):
    pass


@pytest.mark.long
@pytest.mark.parametrize("after", [0, 4, 9])
def test_an_erasure_that_was_killed_is_finished_by_the_next(
    customer: Customer, after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    places, selection = customer.places, Selection(EVER.before, customer.pseudonym)
    left, blank = after, places.ledger.blank

    def until_killed(entry: Entry) -> None:
        nonlocal left
        if not left:
            raise Killed
        left -= 1
        blank(entry)

    monkeypatch.setattr(places.ledger, "blank", until_killed)
    if after < 9:
        with pytest.raises(Killed):
            erase(places, selection)
    else:  # all of the ledger is blank, and nothing of the lake
        monkeypatch.setattr(places.lake, "put", lambda *_: (_ for _ in ()).throw(Killed))
        with pytest.raises(Killed):
            erase(places, selection)
    monkeypatch.undo()
    done = erase(places, selection)
    assert (done.sales, done.days) == (9 - after, 2)
    assert erase(places, selection) == done.__class__(0, 0, 0)
    customer.cloud.audit()


@pytest.mark.long
def test_what_comes_back_to_the_lake_is_found_and_mended(cloud: Cloud, customer: Customer) -> None:
    places = customer.places
    s3, bucket = stores.client(cloud.home, "s3"), stores.running(cloud.home)["LakeBucket"]
    objects = {key: s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in places.lake.keys("2031-05-03")}
    key, before = next(
        (key, content) for key, content in objects.items() if customer.mark.encode() in gzip.decompress(content)
    )
    erase(places, Selection(EVER.before, customer.pseudonym))
    s3.put_object(Bucket=bucket, Key=key.replace("/day=2031-05-03/", "/day=2031-05-03/late-"), Body=before)
    found = audit_lake(places.ledger, places.lake, places.mirror, lag_s=0)
    assert f"{customer.mark}-8" in found.different
    repair_lake(places.ledger, places.lake, places.mirror, found)
    cloud.audit()


@pytest.mark.long
def test_the_policy_erases_what_is_older_than_it_allows(cloud: Cloud, customer: Customer) -> None:
    ledger = customer.places.ledger
    newest = max(found.entry.received_at for found in find(ledger, EVER).sales)
    untouched = json.loads(cloud.run("person", "retain", "--days", "1").stdout)
    assert untouched["erased"] == {"sales": 0, "conflicts": 0, "days": 0}
    erase(customer.places, Selection(newest))
    assert {found.entry.received_at for found in find(ledger, EVER).sales} == {newest}
    done = json.loads(cloud.run("person", "retain", "--days", "0").stdout)
    assert done["customer"] is None
    assert find(ledger, EVER).sales == []
    cloud.audit()


def test_days_are_written_anew_while_sales_come_in_and_none_is_lost(cloud: Cloud, customer: Customer) -> None:
    places = customer.places
    late = customer.sale(40)

    class Busy:
        """The ledger, to which a sale comes when it has been read, and is archived at once."""

        def scan(self) -> Iterator[Counted]:
            yield from places.ledger.scan()
            customer.buys(late)

    busy: Any = Busy()
    days = {found.entry.minute // MINUTES_PER_DAY for found in find(places.ledger, EVER).sales}
    rewrite_days(busy, places.lake, days, places.lake.remove)
    places.lake.mirror(places.mirror)
    cloud.audit()
    assert late["invoice_id"] in _archived(places.mirror)


def _archived(mirror: Path) -> set[str]:
    lines = (line for path in mirror.rglob("*.json.gz") for line in gzip.decompress(path.read_bytes()).splitlines())
    return {json.loads(line)["invoice_id"] for line in lines}
