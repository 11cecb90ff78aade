"""Real sales through API Gateway, Lambda and DynamoDB of the local cloud: counted once, whatever happens."""

from __future__ import annotations

import contextlib
import json
import random
import re
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from simulator.poster import Poster
from simulator.sources import read_csv
from tests.cloud import Cloud
from tests.samples import PSEUDONYMS, REAL, body, sale
from tidemark.adapters.memory import MemoryStream
from tidemark.ingest import Ingest
from tidemark.local import stores
from tidemark.local.supervisor import wait_until
from tidemark.scoring import RulesOnly
from tidemark.store import Store
from tidemark.writer import Clock

KILL_AFTER = (3, 11, 29)  # batches answered, of 64


@pytest.fixture(scope="module")
def replayed(cloud: Cloud, supermarket_file: Path) -> Cloud:
    """The cloud with the real file in it, posted by eight at once, with repeats, in disorder, while workers die."""
    cloud.forget_sales()
    assert cloud.kpis()["tickets"] == 0
    rows = read_csv(supermarket_file, "UTC")
    statuses: Counter[str] = Counter()
    answered = 0
    lock = threading.Lock()

    def post(seed: int) -> None:
        nonlocal answered
        shuffled = rows + random.Random(seed).sample(rows, 200)
        random.Random(seed).shuffle(shuffled)
        poster = Poster(cloud.api, cloud.tokens["ingest"])
        for start in range(0, len(shuffled), 150):
            results = poster.post(shuffled[start : start + 150]).results
            with lock:
                statuses.update(result["status"] for result in results)
                answered += 1
                if answered in KILL_AFTER:
                    _kill_workers(cloud)
        poster.close()

    with ThreadPoolExecutor(8) as posters:
        for done in [posters.submit(post, seed) for seed in range(8)]:
            done.result()
    assert set(statuses) <= {"accepted", "duplicate"}
    assert sum(statuses.values()) == 8 * 1200
    return cloud


def _kill_workers(cloud: Cloud) -> None:
    """Kill every Lambda worker in the middle of its work; the emulator answers 502 and starts new ones."""
    workers = cloud.process("ministack").children(recursive=True)
    assert workers
    for worker in workers:
        with contextlib.suppress(psutil.NoSuchProcess):
            worker.kill()


def _matches(found: dict[str, Any]) -> bool:
    return {name: found[name] for name in REAL} == REAL


def test_eight_posters_and_dying_workers_count_the_real_file_exactly(replayed: Cloud) -> None:
    assert _matches(replayed.kpis())
    assert replayed.audit()["tickets"] == 1000


def test_the_same_replay_again_moves_nothing(replayed: Cloud, supermarket_file: Path) -> None:
    before = replayed.kpis()
    summary = replayed.simulate("--source", "csv", "--file", str(supermarket_file), "--max")
    assert summary["statuses"] == {"duplicate": 1000}
    assert replayed.kpis() == before


def test_the_kpis_of_every_part_add_up(replayed: Cloud) -> None:
    parts = [replayed.kpis(branch=branch) for branch in "ABC"]
    assert sum(part["tickets"] for part in parts) == 1000
    assert sum(part["items"] for part in parts) == 5510
    both = replayed.kpis(branch=["A", "B"])
    assert both["tickets"] == parts[0]["tickets"] + parts[1]["tickets"]
    january = replayed.kpis(**{"from": "2019-01-01", "to": "2019-02-01"})
    rest = replayed.kpis(**{"from": "2019-02-01T00:00:00Z", "to": "2019-04-01T00:00:00Z"})
    assert january["tickets"] + rest["tickets"] == 1000
    assert january["last_day"] == "2019-01-31"


def test_the_snapshot_is_all_the_cells(replayed: Cloud) -> None:
    first = replayed.get("/v1/snapshot", limit=600).json()
    second = replayed.get("/v1/snapshot", limit=600, cursor=first["cursor"]).json()
    assert second["cursor"] is None
    tickets = sum(combo[3] for page in (first, second) for cell in page["cells"] for combo in cell["combos"])
    assert tickets == replayed.kpis()["tickets"]
    assert replayed.get("/v1/snapshot", cursor="made up").status_code == 400


def test_the_api_documents_itself(cloud: Cloud) -> None:
    described = httpx.get(f"{cloud.api}/openapi.json").json()
    paths = {"/healthz", "/v1/kpis", "/v1/snapshot", "/v1/cells", "/v1/sales", "/v1/sales/{invoice_id}"}
    assert paths <= set(described["paths"])
    assert "post" in described["paths"]["/v1/sales"]
    page = httpx.get(f"{cloud.api}/docs")
    assert '<a href="openapi.json">' in page.text
    assert all(path in page.text for path in described["paths"])
    assert not re.search(r"<script|<link|(src|href)=[\"']?(https?:)?//", page.text)  # it asks nobody else for anything
    assert page.headers["content-security-policy"].startswith("default-src 'none'")


def test_every_sale_can_be_looked_at(replayed: Cloud) -> None:
    found: list[str] = []
    cursor = None
    while True:
        query: dict[str, Any] = {"branch": "A", "from": "2019-01-01", "to": "2019-04-01", "limit": 100}
        page = replayed.get("/v1/sales", **query, **({"cursor": cursor} if cursor else {})).json()
        found += [sold["invoice_id"] for sold in page["sales"]]
        cursor = page["cursor"]
        if cursor is None:
            break
    assert len(found) == len(set(found)) == replayed.kpis(branch="A")["tickets"]
    one = replayed.get(f"/v1/sales/{found[0]}").json()
    assert one["sale"]["invoice_id"] == found[0]
    assert one["sale"]["model"]
    assert one["counted_by"]["version"] >= 1


def test_what_ingest_could_not_publish_comes_through_the_stream(replayed: Cloud) -> None:
    """A commit that nobody published (its environment died right after) reaches the live page all the same."""
    ledger, _ = stores.open_stores(replayed.home)
    silent = Ingest(Store(), RulesOnly(), ledger, MemoryStream(), PSEUDONYMS)
    before, _ = _sum_of(replayed.snapshot())
    clock = Clock(now_ms=lambda: time.time_ns() // 1_000_000, sleep=time.sleep, remaining=lambda: 10.0)
    silent.post(body(sale("told by nobody", sold_at="2019-03-30T12:00:00Z")), clock)

    def shown() -> bool:
        return _sum_of(replayed.snapshot())[0] == before + 1

    wait_until(shown, "the live page", seconds=20)


def test_faults_are_answered_for_what_they_are(replayed: Cloud, tmp_path: Path) -> None:
    """A drawn stream with every fault: the truth labels say what each row must have been answered."""
    truth = tmp_path / "truth.jsonl"
    shares = "duplicate=.1,conflict=.1,late=.1,out_of_order=.2,malformed=.1,outlier=.05"
    words = ("--source", "kaggle", "--seed", "7", "--limit", "600", "--max", "--faults", shares)
    summary = replayed.simulate(*words, "--truth", str(truth))
    labels = [json.loads(line) for line in truth.read_text().splitlines()]
    assert len(labels) == summary["sent"]
    expected = {"duplicate": "duplicate", "conflict": "conflict", "malformed": "rejected"}
    assert {fault for label in labels if (fault := label["fault"])} >= set(expected) | {"late", "outlier"}
    first_of: set[str] = set()
    for label in labels:
        if label["fault"] == "malformed":
            assert label["status"] == "rejected"
        elif label["invoice_id"] not in first_of:
            first_of.add(label["invoice_id"])
            assert label["status"] == "accepted"
    assert summary["statuses"]["accepted"] == 600
    assert summary["statuses"]["rejected"] == summary["faults"]["malformed"]
    assert summary["statuses"]["duplicate"] + summary["statuses"]["conflict"] == (
        summary["faults"]["duplicate"] + summary["faults"]["conflict"]
    )
    assert replayed.audit()["tickets"] == 1601


@pytest.mark.long
def test_whatever_dies_in_the_middle_of_a_replay_it_ends_exact(cloud: Cloud, supermarket_file: Path) -> None:
    """ws_server, Redis and the simulator itself are killed one after the other; then the replay is finished."""
    cloud.forget_sales()
    cloud.restart("ws_server")
    words = ("simulate", "--source", "csv", "--file", str(supermarket_file), "--rate", "150")
    for part, at in (("ws_server", 150), ("redis", 350), ("simulator", 550)):
        with cloud.start(*words) as replay:
            wait_until(lambda n=at: cloud.kpis()["tickets"] >= n, "the replay", seconds=60)  # type: ignore[misc]
            if part != "simulator":
                cloud.kill(part)
            replay.kill()
    cloud.simulate("--source", "csv", "--file", str(supermarket_file), "--max")
    assert _matches(cloud.kpis())
    assert cloud.audit()["tickets"] == 1000

    def page_is_right() -> bool:
        return _sum_of(cloud.snapshot()) == (1000, 3_229_667_490)

    wait_until(page_is_right, "the live page", seconds=30)


def _sum_of(snapshot: dict[str, Any]) -> tuple[int, int]:
    """Tickets and sales (units of 1/10,000) of a snapshot's rows, whose measures begin after three names."""
    rows = [row for *_, rows in snapshot["cells"] for row in rows]
    return sum(row[3] for row in rows), sum(row[5] for row in rows)
