"""A deployment that sells is backed up, and comes back in another that is empty, by the command line alone."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests import trust
from tests.cloud import TIDEMARK, Cloud
from tests.pipelines import seed
from tests.samples import minute, of_own_line, sale
from tidemark.backup import notes
from tidemark.local import stores
from tidemark.local.home import Home
from tidemark.local.supervisor import wait_until
from tidemark.opened import local

SALES = 2_000
QUIET = "Quiet"


class Core(Cloud):
    """A local cloud without pages."""

    def __init__(self, home: Home, environment: dict[str, str]) -> None:
        state = home.state()
        self.home, self.environment = home, environment
        self.api, self.tokens = state.endpoints["api"], state.tokens


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Core]:
    """A second local cloud, in a home of its own."""
    home = tmp_path_factory.mktemp("empty")
    environment = {**os.environ, "TIDEMARK_HOME": str(home)}
    command = [str(TIDEMARK), "up", "--detach", "--only", "core", "--no-simulate"]
    started = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    try:
        assert started.returncode == 0, started.stderr
        yield Core(Home(home), environment)
    finally:
        subprocess.run([str(TIDEMARK), "down", "--wipe"], env=environment, capture_output=True, check=False)


def quiet_branch() -> list[dict[str, Any]]:
    """Sales of a branch that sells nothing else."""
    return [
        {**of_own_line(number, at=number * 37), "invoice_id": f"q-{number}", "branch": QUIET} for number in range(60)
    ]


def counted(cloud: Cloud) -> dict[tuple[str, ...], list[Any]]:
    """All that `/v1/snapshot` tells of the quiet branch: by combination the sums of its measures."""
    sums: dict[tuple[str, ...], list[Any]] = {}
    cursor = None
    while True:
        page = cloud.get("/v1/snapshot", limit=500, **({"cursor": cursor} if cursor else {})).json()
        for cell in page["cells"]:
            for combo in cell["combos"] if cell["branch"] == QUIET else []:
                before = sums.get(tuple(combo[:3]), [0] * len(combo[3:]))
                sums[tuple(combo[:3])] = [left + Decimal(right) for left, right in zip(before, combo[3:], strict=True)]
        cursor = page["cursor"]
        if cursor is None:
            return sums


def said(cloud: Cloud, *words: str) -> Any:
    done = cloud.run("backup", *words, "--json", check=False)
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    return json.loads(done.stdout)


def every_sale(cloud: Cloud) -> dict[str, Any]:
    ledger, _ = stores.open_stores(cloud.home)
    return {counted.entry.invoice_id: counted for counted in ledger.scan()}


@pytest.mark.long
@pytest.mark.timeout(600)
def test_what_was_sold_comes_back_in_an_empty_deployment(cloud: Cloud, empty: Core, tmp_path: Path) -> None:
    runs, objects = stores.open_pipelines(cloud.home)
    seed(runs, objects)
    objects.put("models/one.bin", b"\x00model", stated={"rows": "3"})
    cloud.simulate("--source", "rich", "--limit", str(SALES), "--max", "--faults", "duplicate=.02,conflict=.02")
    cloud.run("compact", "--older-than", "0")
    assert cloud.post({"sales": [sale("kept-1"), sale("kept-2"), *quiet_branch()]}).status_code == 200
    cloud.audit()
    before = set(every_sale(cloud))
    shelf = tmp_path / "shelf"

    # Made while sales come.
    till = cloud.start("simulate", "--source", "kaggle", "--rate", "40", "--limit", "100000")
    try:
        wait_until(lambda: len(every_sale(cloud)) > len(before) + 40, "sales that come", seconds=60)
        began = time.monotonic()
        made = said(cloud, "create", "one", "--to", str(shelf), "--keep", "7")
        creating_s = time.monotonic() - began
    finally:
        till.terminate()
        till.wait()
    assert len(before) <= made["sales"] <= len(every_sale(cloud))
    assert said(cloud, "verify", str(shelf / "one"))["differences"] == 0

    # No secret is in it.
    secrets = [stores.token_secret(cloud.home, stores.running(cloud.home)), local(cloud.home).person_key()]
    content = b"".join(
        gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        for path in shelf.rglob("*")
        if path.is_file()
    )
    for word in (*secrets, *cloud.tokens.values()):
        assert word.encode() not in content

    # Killed in the middle, and begun again.
    table, dynamodb = stores.running(empty.home)["LedgerTable"], stores.client(empty.home, "dynamodb")
    killed = empty.start("backup", "restore", str(shelf / "one"), "--yes")
    wait_until(
        lambda: dynamodb.scan(TableName=table, Limit=1)["Count"] > 0, "the first restored sales", seconds=60, every=0.01
    )
    killed.kill()
    assert killed.wait() == -signal.SIGKILL, "it was at work"
    began = time.monotonic()
    done = said(empty, "restore", str(shelf / "one"), "--yes")
    restoring_s = time.monotonic() - began
    found = said(empty, "verify", str(shelf / "one"))
    assert found["differences"] == 0
    sales = every_sale(empty)
    assert (done["sales"], len(sales)) == (made["sales"], made["sales"])
    theirs = every_sale(cloud)
    assert all(sales[name] == theirs[name] for name in sales)
    assert before <= set(sales)
    assert empty.audit()["tickets"] == sum(one.entry.kind == "sale" for one in sales.values())
    again_runs, again_objects = stores.open_pipelines(empty.home)
    assert again_objects.fetch("models/one.bin").stated == {"rows": "3"}
    for flow in ("housing-data", "housing-ml", "sales-watch", "sales-model"):
        assert again_runs.page(flow, limit=10) == runs.page(flow, limit=10)

    # New sales go on, and a repeated sale is a duplicate still.
    rows = [sale("kept-1"), sale("kept-2", quantity=1), sale("new")]
    answer = empty.post({"sales": rows}).json()
    assert [one["status"] for one in answer["results"]] == ["duplicate", "conflict", "accepted"]
    assert empty.get("/v1/sales/kept-1").json() == cloud.get("/v1/sales/kept-1").json()
    empty.audit()
    assert said(empty, "verify", str(shelf / "one"))["differences"] == 0

    refused = empty.run("backup", "restore", str(shelf / "one"), "--yes", check=False)
    assert (refused.returncode, "was restored already" in refused.stderr) == (2, True), refused.stderr
    trust.tell(
        "backup",
        sales=made["sales"],
        creating_s=round(creating_s),
        restoring_s=round(restoring_s),
        differences=found["differences"],
    )


@pytest.mark.long
def test_kpis_and_snapshots_are_those_of_the_source(cloud: Cloud, empty: Core) -> None:
    """Of a branch that sold nothing while the backup was made: what others sold then is the source's alone."""
    for query in ({}, {"payment": "Ewallet"}, {"from": minute(100), "to": minute(1_500)}):
        assert empty.kpis(branch=QUIET, **query) == cloud.kpis(branch=QUIET, **query)
    assert empty.kpis(branch=QUIET)["tickets"] == sum(row["kind"] == "sale" for row in quiet_branch())
    assert counted(empty) == counted(cloud) != {}


def test_a_backup_is_listed_remembered_and_refused_where_it_would_be_lost(cloud: Cloud, tmp_path: Path) -> None:
    said(cloud, "create", "two", "--to", str(tmp_path), "--keep", "9")
    (found,) = said(cloud, "list", "--at", str(tmp_path))
    kept = datetime.fromisoformat(found["kept_until"]) - datetime.fromisoformat(found["created_at"])
    assert (found["name"], found["problem"], kept.days) == ("two", "", 9)
    _, objects = stores.open_pipelines(cloud.home)
    assert [one.name for one in notes.noted(objects) if one.name == "two"] == ["two"]
    assert said(cloud, "prune", "--at", str(tmp_path)) == {"removed": []}

    bucket = stores.running(cloud.home)["LakeBucket"]
    refused = cloud.run("backup", "create", "--to", f"s3://{bucket}/backups", check=False)
    assert (refused.returncode, "the deployment's own bucket" in refused.stderr) == (2, True)

    part = next((tmp_path / "two" / "ledger").rglob("*.gz"))
    part.write_bytes(part.read_bytes()[:-1])
    damaged = cloud.run("backup", "verify", str(tmp_path / "two"), "--alone", check=False)
    assert damaged.returncode == 1
    assert f"damaged: {part.relative_to(tmp_path / 'two')}" in damaged.stderr
    refused = cloud.run("backup", "restore", str(tmp_path / "two"), "--yes", check=False)
    assert (refused.returncode, "is not empty" in refused.stderr) == (2, True)


def test_a_bucket_is_a_place_too(cloud: Cloud) -> None:
    s3 = stores.client(cloud.home, "s3")
    s3.create_bucket(Bucket="shelf", CreateBucketConfiguration={"LocationConstraint": s3.meta.region_name})
    made = said(cloud, "create", "three", "--to", "s3://shelf/tidemark")
    assert [one["name"] for one in said(cloud, "list", "--at", "s3://shelf/tidemark")] == ["three"]
    found = said(cloud, "verify", "s3://shelf/tidemark/three")
    assert (made["sales"] > 0, found["differences"]) == (True, 0)
