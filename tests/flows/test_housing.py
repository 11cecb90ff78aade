"""The housing flows on the real servers: faulty batches, nothing done twice, nothing lost when a part dies."""

from __future__ import annotations

import contextlib
import json
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import psutil
import pytest

from simulator import housing
from simulator.housing import Piece
from tests.flows.cloud import Flows
from tidemark.errors import TidemarkError
from tidemark.housing.price_model import PriceModel
from tidemark.local.supervisor import wait_until
from tidemark.markdown import plain
from tidemark.runs import Run

ROWS = housing.drawn(seed=5, rows=1_600)


def good(number: int, count: int = 200) -> Piece:
    """A batch with rows of its own."""
    (piece,) = housing.pieces(ROWS[number * count : (number + 1) * count], size=count, first=count, faults={}, seed=1)
    return Piece(f"good-{number}.csv", piece.content, piece.stated)


def fresh(name: str, seed: int, count: int = 150) -> Piece:
    """A batch that no other test sends."""
    (piece,) = housing.pieces(housing.drawn(seed, count), size=count, first=count, faults={}, seed=1)
    return Piece(f"{name}.csv", piece.content, piece.stated)


@pytest.fixture(scope="module")
def fed(running: Flows) -> Flows:
    """With two first batches taken, enough for a model that beats the baselines beyond chance; it serves."""
    running.send(fresh("first", seed=12, count=2_000), good(0, 600))
    assert running.flow("housing-data").status == "completed"
    assert running.flow("housing-ml").status == "completed"
    assert running.index.champion("housing") is not None
    return running


def test_every_faulty_batch_is_quarantined_with_a_reason_and_the_next_good_one_is_taken(fed: Flows) -> None:
    before = good(0, 600)
    rows = ROWS[1_200:1_400]
    faulty = [housing.faulty(kind, f"{n}-{kind}.csv", rows, before) for n, kind in enumerate(housing.FAULTS)]
    text = ROWS[1_400:1_600]
    mixed = [(*row[:3], "many", *row[4:]) if number % 40 == 0 else row for number, row in enumerate(text)]
    (some_bad,) = housing.pieces(mixed, size=200, first=200, faults={}, seed=2)
    known = fed.index.page("housing-data", limit=1).runs[0].figures["rows"]
    fed.send(*faulty, Piece("9-some-bad.csv", some_bad.content, some_bad.stated), good(4))
    run = fed.flow("housing-data")
    assert run.status == "completed"
    batches = {batch.name: batch for batch in fed.index.batches(limit=50) if batch.run == run.id}
    words = {
        "missing_column": "median_income",
        "text": "median_income",
        "nulls": "median_income",
        "duplicate": "good-0.csv",
        "half": "",
        "empty": "empty",
    }
    report = fed.report(run)
    shown = {batch["name"]: batch for batch in fed.get("/v1/housing/batches?limit=50")["batches"]}
    for piece in faulty:
        assert piece.fault is not None
        batch = batches[piece.name]
        assert batch.refused
        assert words[piece.fault] in batch.refused
        assert (batch.accepted, batch.known) == (0, 0)
        assert plain(batch.refused).replace("|", "\\|") in report
        assert shown[piece.name]["refused"] == batch.refused
        assert fed.objects.find(f"housing/quarantine/{batch.id}/")
        assert fed.objects.get(f"housing/taken/{batch.id}/{piece.name}") == piece.content
    assert batches["good-4.csv"].accepted == 200
    bad = batches["9-some-bad.csv"]
    assert (bad.accepted, bad.quarantined, bad.refused) == (195, 5, None)
    assert run.figures["rows"] == known + 200 + 195
    assert run.figures["refused"] == len(faulty)
    assert fed.objects.find("housing/incoming/") == []


def test_a_run_shows_each_step_in_prefect_in_the_bucket_and_in_the_api(fed: Flows) -> None:
    fed.send(good(5))
    run = fed.flow("housing-data")
    steps = {step.name for step in run.steps}
    assert {"ingest", "summary", "missing", "correlations", "importance", "charts"} <= steps
    tasks = fed.ask_prefect("task_runs/filter", flow_runs={"id": {"any_": [run.flow_run]}})
    assert {"Summary statistics", "Feature importance"} <= {task["name"].rsplit("-", 1)[0] for task in tasks}
    artifacts = fed.ask_prefect("artifacts/filter", flow_runs={"id": {"any_": [run.flow_run]}})
    assert {"housing-data-summary", "housing-data-correlations", "housing-data-report"} <= {a["key"] for a in artifacts}
    files = set(fed.get(f"/v1/flows/housing-data/runs/{run.id}/files")["files"])
    assert {"report.json", "report.md", "steps/summary.json", "charts/map.vl.json"} <= files
    log = fed.get(f"/v1/flows/housing-data/runs/{run.id}/logs")
    assert any(re.search(r"Correlations: \d+\.\d\d s", line) for line in log["log"])


@pytest.mark.long
def test_two_at_once_register_one_model(fed: Flows) -> None:
    fed.send(good(6))  # so that there is something to learn
    assert fed.flow("housing-data").status == "completed"
    before = fed.index.decisions("housing", limit=100)
    both = [fed.begin("housing-ml") for _ in range(2)]
    assert sorted(fed.ended(begun) for begun in both) == ["Completed", "Skipped"]
    runs = [fed.of("housing-ml", begun) for begun in both]
    assert sorted(run.status for run in runs) == ["completed", "skipped"]
    (skipped,) = [run for run in runs if run.status == "skipped"]
    (worked,) = [run for run in runs if run.status == "completed"]
    assert worked.id in skipped.headline
    assert len(fed.index.decisions("housing", limit=100)) == len(before) + 1


def test_unchanged_data_costs_nothing_and_every_step_names_the_run_it_came_from(fed: Flows) -> None:
    origin = {name: fed.flow(name) for name in ("housing-data", "housing-ml")}
    for name, first in origin.items():
        run = fed.flow(name)
        assert run.status == "reused"
        assert run.reused_from == (first.reused_from or first.id)
        done = {step.name for step in run.steps if step.reused_from is None}
        assert done <= {"ingest", "monitoring", "read"}
        assert {step.name for step in run.steps} == {step.name for step in first.steps}
        lines = json.loads(fed.report(run, "report.json"))["log"]
        reused = [line for line in lines if f"unchanged, as in run {run.reused_from}" in line]
        assert len(reused) == len(run.steps) - len(done)
        assert run.ended_at - run.started_at < 10_000


def test_the_command_runs_a_flow_and_tells_how_it_ended(fed: Flows) -> None:
    told = json.loads(fed.run("flow", "run", "housing-data", "--json"))
    assert told["state"] == "Reused"
    assert fed.of("housing-data", told["flow_run"]).status == "reused"


def test_a_late_run_is_skipped_and_says_so(fed: Flows) -> None:
    long_ago = datetime.now(UTC) - timedelta(seconds=int(fed.environment["TIDEMARK_FLOW_SECONDS"]))
    begun = fed.begin("housing-data", due=long_ago)
    assert fed.ended(begun, seconds=30) == "Skipped"
    run = fed.of("housing-data", begun)
    assert run.status == "skipped"
    assert run.headline.startswith("late by 86,4")


def registered(fed: Flows) -> dict[str, list[str]]:
    """The versions of each fingerprint in MLflow's registry."""
    found = httpx.get(f"{fed.mlflow}/api/2.0/mlflow/model-versions/search?max_results=100", timeout=30).json()
    versions: dict[str, list[str]] = {}
    for version in found.get("model_versions", []):
        (fingerprint,) = [tag["value"] for tag in version["tags"] if tag["key"] == "fingerprint"]
        versions.setdefault(fingerprint, []).append(version["version"])
    return versions


def whole(fed: Flows, run: Run) -> None:
    """What a run that went well leaves behind, whatever died before it."""
    assert run.status in ("completed", "reused"), run.headline
    champion = fed.index.champion("housing")
    assert champion is not None
    model = PriceModel.loads(fed.objects.get(champion.key))
    assert model.facts["algorithm"] == champion.algorithm
    versions = registered(fed)
    assert champion.version in versions[champion.fingerprint]
    assert all(len(found) == 1 for found in versions.values()), versions
    alias = httpx.get(
        f"{fed.mlflow}/api/2.0/mlflow/registered-models/alias?name=housing-price&alias=champion", timeout=30
    )
    assert alias.json()["model_version"]["version"] == champion.version


def test_the_champion_is_registered_once_and_known_everywhere(fed: Flows) -> None:
    whole(fed, fed.flow("housing-ml"))
    champion = fed.index.champion("housing")
    assert champion is not None
    assert fed.get("/v1/housing/models")["champion"]["fingerprint"] == champion.fingerprint
    runs = httpx.post(
        f"{fed.mlflow}/api/2.0/mlflow/runs/search", json={"experiment_ids": ["1"], "max_results": 100}, timeout=30
    ).json()["runs"]
    algorithms = {tag["value"] for run in runs for tag in run["data"]["tags"] if tag["key"] == "algorithm"}
    assert algorithms == {"lightgbm", "random forest", "ridge", "mean"}


@pytest.mark.long
def test_a_champion_whose_file_is_broken_is_put_right_though_nothing_is_new(fed: Flows) -> None:
    before = fed.index.champion("housing")
    assert before is not None
    fed.objects.put(before.key, b"rubbish")
    run = fed.flow("housing-ml")
    assert run.status == "completed"
    whole(fed, run)
    assert "gone or broken" in fed.index.decisions("housing", limit=1)[0].reason


@pytest.mark.long
@pytest.mark.parametrize(("service", "number"), [("flows", 7), ("postgres", 8), ("mlflow", 9)])
def test_a_part_that_dies_in_the_middle_harms_nothing(fed: Flows, service: str, number: int) -> None:
    """The next run is right, nothing is registered twice, and no run is shown as running for ever."""
    fed.send(fresh(f"fresh-{number}", seed=number))
    assert fed.flow("housing-data").status == "completed"
    begun = fed.begin("housing-ml")
    wait_until(lambda: at_work(fed), "training", seconds=60, every=0.5)
    fed.kill(service)
    if service != "flows":  # else nobody will ever say that this run has ended
        fed.ended(begun)
    wait_until(retried(fed), "a run that goes well", seconds=150)
    run = fed.index.page("housing-ml", limit=1).runs[0]
    whole(fed, run)
    wait_until(lambda: not running(fed), "no run to be shown as running", seconds=60)


@pytest.mark.long
def test_a_run_whose_process_alone_dies_is_told_of(fed: Flows) -> None:
    fed.send(fresh("alone", seed=10))
    begun = fed.begin("housing-data")
    wait_until(lambda: at_work(fed, "new rows"), "the data flow", seconds=60, every=0.2)
    for forked in {*fed.process("flows").children(recursive=True)} - {*fed.process("flows").children()}:
        with contextlib.suppress(psutil.NoSuchProcess):
            forked.kill()
    fed.ended(begun)
    wait_until(retried(fed, "housing-data"), "a run that goes well", seconds=100)
    assert fed.index.page("housing-data", limit=1).runs[0].status == "completed"
    killed = fed.of("housing-data", begun)
    assert killed.status == "failed"
    assert killed.headline
    (batch,) = [one for one in fed.index.batches(limit=50) if one.name == "alone.csv"]
    assert (batch.accepted, batch.run) == (150, killed.id)


@pytest.mark.long
def test_a_run_in_whose_place_another_works_stops(fed: Flows) -> None:
    fed.send(fresh("taken-over", seed=11))
    assert fed.flow("housing-data").status == "completed"
    decisions = fed.index.decisions("housing", limit=100)
    begun = fed.begin("housing-ml")
    wait_until(lambda: at_work(fed), "training", seconds=60, every=0.5)

    def taken() -> bool:
        now = time.time_ns() // 1_000_000
        holder = fed.index.state("housing-ml", now=now).at_work
        fed.index.end("housing-ml", holder or "")
        return fed.index.begin("housing-ml", "another", now=now, until=now + 100_000) is None

    wait_until(taken, "the lease", seconds=10)
    fed.ended(begun)
    run = fed.of("housing-ml", begun)
    assert run.status == "failed"
    assert "run another took over" in run.headline
    assert fed.index.decisions("housing", limit=100) == decisions
    fed.index.end("housing-ml", "another")


def running(fed: Flows) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = fed.ask_prefect(
        "flow_runs/filter", flow_runs={"state": {"type": {"any_": ["RUNNING"]}}}
    )
    return found


def at_work(fed: Flows, words: str = "to learn from") -> bool:
    """Whether a run has got so far as to say some words."""
    for run in running(fed):
        logs = fed.ask_prefect("logs/filter", logs={"flow_run_id": {"any_": [run["id"]]}})
        if any(words in line["message"] for line in logs):
            return True
    return False


def retried(fed: Flows, name: str = "housing-ml") -> Callable[[], bool]:
    """Whether one more run goes well: not while the server is coming back, or another run's lease stands."""

    def once() -> bool:
        try:
            begun = fed.begin(name)
            fed.ended(begun)
            run = fed.of(name, begun)
        except (httpx.HTTPError, TidemarkError, ValueError):
            return False
        return run.status in ("completed", "reused")

    return once
