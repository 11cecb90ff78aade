"""The deployed Lambda keeps the policy on the local cloud: what is too old names nobody, whoever is killed."""

from __future__ import annotations

import contextlib
import gzip
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any

import msgspec
import psutil
import pytest

from tests.cloud import Cloud
from tests.samples import sale
from tidemark.adapters.dynamodb_runs import DynamoRuns
from tidemark.adapters.s3_lake import S3Lake
from tidemark.adapters.s3_objects import S3Objects
from tidemark.ledger import Entry
from tidemark.local import stores
from tidemark.local.supervisor import wait_until
from tidemark.opened import local
from tidemark.ports import Ledger
from tidemark.privacy.receipt import Receipt, kept
from tidemark.privacy.retention import FLOW, MS_A_DAY
from tidemark.privacy.selection import Selection
from tidemark.privacy.subjects import find
from tidemark.privacy.turn import TURN
from tidemark.settings import variable

POLICY, AGE = 5, 10  # days
DAYS = [str(date(2033, 1, 1) + timedelta(days=n)) for n in range(60)]
EVER = Selection(1 << 60)

pytestmark = pytest.mark.long


class Shop:
    """A shop on the local cloud, whose sales grow old at a word."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        outputs = stores.running(cloud.home)
        self.ledger: Ledger = stores.open_stores(cloud.home)[0]
        self.lake: S3Lake = stores.open_lake(cloud.home)
        self.objects = S3Objects(stores.client(cloud.home, "s3"), outputs["LakeBucket"])
        self.runs: DynamoRuns = local(cloud.home).runs()
        self.table = outputs["LedgerTable"]
        self.lambdas = stores.client(cloud.home, "lambda")
        listed = self.lambdas.list_functions()["Functions"]
        (self.function,) = [found["FunctionName"] for found in listed if "Retain" in found["FunctionName"]]

    def sells(self, *rows: dict[str, Any]) -> list[str]:
        """Post some sales; what became of each. Those that were taken are in the lake."""
        answer = self.cloud.post({"sales": list(rows)})
        assert answer.status_code == 200, answer.text
        told = [result["status"] for result in answer.json()["results"]]
        if "accepted" in told:
            self.cloud.audit()
        return told

    def ages(self, prefix: str) -> None:
        """Sales whose id begins so were received days ago, in ledger, quarantine and lake alike."""
        for found in list(self.ledger.scan()):
            if found.entry.invoice_id.startswith(prefix):
                stores.client(self.cloud.home, "dynamodb").update_item(
                    TableName=self.table,
                    Key={"invoice_id": {"S": found.entry.invoice_id}},
                    UpdateExpression="SET doc = :doc",
                    ExpressionAttributeValues={":doc": {"S": _older(found.entry)}},
                )
        conflicts = [found for found in self.ledger.quarantined() if found.sale.invoice_id.startswith(prefix)]
        self.ledger.quarantine([msgspec.structs.replace(one, received_at=_before(one)) for one in conflicts])
        for key in self.lake.keys(None):
            entries = [msgspec.json.decode(line, type=Entry) for line in self.lake.read(key)]
            if any(entry.invoice_id.startswith(prefix) for entry in entries):
                self.lake.put(
                    entries[0].minute,
                    [
                        _older(e) if e.invoice_id.startswith(prefix) else msgspec.json.encode(e).decode()
                        for e in entries
                    ],
                )
                self.lake.remove([key])

    def has_policy(self, days: float) -> None:
        """Set `TIDEMARK_PERSON_DAYS` where a deployment would."""
        told = self.lambdas.get_function_configuration(FunctionName=self.function)["Environment"]["Variables"]
        told = {**told, variable("person_days"): f"{days:g}"}
        self.lambdas.update_function_configuration(FunctionName=self.function, Environment={"Variables": told})

    def retains(self) -> dict[str, Any]:
        """What the Lambda answers."""
        answer = self.lambdas.invoke(FunctionName=self.function, Payload=b"{}")
        found: dict[str, Any] = json.loads(answer["Payload"].read())
        return {**found, "failed": True} if "FunctionError" in answer else found

    def kills(self) -> None:
        """End the Lambda's process, as a crash does."""
        for process in self.cloud.process("ministack").children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):  # another's worker that ends just now
                if process.environ().get("AWS_LAMBDA_FUNCTION_NAME") == self.function:
                    process.kill()
                    psutil.wait_procs([process], timeout=10)

    @property
    def named(self) -> set[str]:
        """The sales that name somebody, in the ledger."""
        return {found.entry.invoice_id for found in find(self.ledger, EVER).sales}

    @property
    def receipts(self) -> list[Receipt]:
        return [one for one in kept(self.objects) if one.customer is None]

    def archived(self) -> bytes:
        """All that the lake holds."""
        return b"".join(gzip.decompress(self.objects.get(key)) for key in self.lake.keys(None))


def _before(found: Any) -> int:
    return int(found.received_at) - AGE * MS_A_DAY


def _older(entry: Entry) -> str:
    return msgspec.json.encode(msgspec.structs.replace(entry, received_at=_before(entry))).decode()


def bought(name: str, day: str, **change: Any) -> dict[str, Any]:
    sold = {"sold_at": f"{day}T12:00:00Z", "customer_id": f"who bought {name}", "tax": None, "total": None}
    return sale(name, **{**sold, **change})


@pytest.fixture
def shop(cloud: Cloud) -> Iterator[Shop]:
    """Two old sales on each of many days, new ones on the first, a conflict of each kind."""
    cloud.forget_sales()
    found = Shop(cloud)
    found.runs.keep_progress(FLOW, "{}")
    for one in found.receipts:
        found.objects.remove(f"erasures/{one.id}.json")
    assert set(found.sells(*(bought(f"old-{n}", DAYS[n // 2]) for n in range(2 * len(DAYS))))) == {"accepted"}
    assert found.sells(bought("old-0", DAYS[0], quantity=3)) == ["conflict"]
    found.ages("old-")
    assert found.sells(*(bought(f"new-{n}", DAYS[0]) for n in range(3))) == ["accepted"] * 3
    assert found.sells(bought("new-0", DAYS[0], quantity=3)) == ["conflict"]
    yield found
    found.has_policy(0)
    found.runs.keep_progress(FLOW, "{}")


def test_the_lambda_keeps_the_policy_and_goes_on_where_it_was_killed(cloud: Cloud, shop: Shop) -> None:
    assert shop.retains() == {"due": False}, "there is no policy"
    new = {f"new-{n}" for n in range(3)}
    whole = {"from": DAYS[0], "to": DAYS[-1]}
    before, counters = (cloud.kpis(), cloud.kpis(**whole)), cloud.audit()
    shop.has_policy(POLICY)

    with ThreadPoolExecutor() as beside:
        running = beside.submit(shop.retains)
        wait_until(lambda: len(shop.named) < len(new) + 2 * len(DAYS), "the first days", seconds=60)
        shop.kills()
        assert running.result()["failed"]
    left = shop.named - new
    assert shop.receipts, "it had left one"
    assert 0 < len(left) < 2 * len(DAYS), "it was killed in between"
    held = shop.retains()
    assert "erases just now" in held["reason"], "its turn is as long as its time"
    now = time.time_ns() // 1_000_000
    holder = shop.runs.state(TURN, now=now).at_work
    assert holder
    shop.runs.begin(TURN, holder, now=now, until=now - 1)  # its time has passed

    done = shop.retains()
    assert (done["done"], done["erased"]["sales"] >= len(left)) == (True, True)
    assert shop.named == new
    archived = shop.archived()
    assert archived.count(b'"customer_id"') == len(new)
    assert [c.sale.invoice_id for c in shop.ledger.quarantined() if c.sale.customer_id and _is_ours(c)] == ["new-0"]
    assert done["receipt"] in {f"erasures/{one.id}.json" for one in shop.receipts}
    for one in shop.receipts:
        assert abs(one.before - (now - POLICY * MS_A_DAY)) < 600_000
        assert one.still_held
    assert (cloud.kpis(), cloud.kpis(**whole)) == before
    assert cloud.audit() == counters
    assert shop.sells(bought("old-0", DAYS[0]), bought("old-7", DAYS[3])) == ["duplicate", "duplicate"]
    assert cloud.audit() == counters
    assert shop.retains() == {"due": False}, "once a day"


def test_a_late_sale_of_an_old_day_is_caught_the_next_day_and_nothing_else_is_read(shop: Shop) -> None:
    shop.has_policy(POLICY)
    assert shop.retains()["erased"] == {"sales": 2 * len(DAYS), "conflicts": 1, "days": len(DAYS)}
    assert shop.sells(bought("late", DAYS[5])) == ["accepted"]
    shop.ages("late")
    shop.runs.keep_progress(FLOW, "{}")  # a day later
    others = {key for key in shop.lake.keys(None) if f"day={DAYS[5]}/" not in key}
    assert shop.retains()["erased"] == {"sales": 1, "conflicts": 0, "days": 1}
    assert others < shop.lake.keys(None)
    assert shop.named == {f"new-{n}" for n in range(3)}
    shop.cloud.audit()


def test_the_command_goes_the_same_way(shop: Shop) -> None:
    done = json.loads(shop.cloud.run("person", "retain", "--days", str(POLICY)).stdout)
    assert done["erased"] == {"sales": 2 * len(DAYS), "conflicts": 1, "days": len(DAYS)}
    assert done["id"] in {one.id for one in shop.receipts}
    again = json.loads(shop.cloud.run("person", "retain", "--days", str(POLICY), "--whole").stdout)
    assert again["erased"] == {"sales": 0, "conflicts": 0, "days": 0}, "the whole ledger and lake hold no more"
    assert shop.runs.progress(FLOW) in (None, "{}"), "the Lambda's round is its own"
    shop.cloud.audit()


def _is_ours(conflict: Any) -> bool:
    return conflict.sale.invoice_id.partition("-")[0] in ("old", "new")
