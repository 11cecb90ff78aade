"""What the flows leave behind, for tests: runs of every kind with their files, and a small price model that serves."""

from __future__ import annotations

import hashlib
from functools import cache
from typing import Any

import msgspec
import numpy as np

from functions.api import examples
from tidemark.data import find
from tidemark.housing import batches
from tidemark.housing.candidates import boost
from tidemark.housing.dataset import Dataset, from_frame, split
from tidemark.housing.features import around_matrix, own_matrix, surroundings, usual_bedrooms
from tidemark.housing.price_model import PriceModel, typical_block, with_price
from tidemark.models.champion import Champion, Decision
from tidemark.ports import Objects, Runs
from tidemark.runs import Batch, Run, Step, run_id
from tidemark.trees import Trees

NOW = 1_795_231_740_105
DATA, ML = "housing-data", "housing-ml"
SUMMARY = {"rows": 20640, "numbers": [{"column": "median_income", "mean": 3.87}]}
CHART = {"$schema": "https://vega.github.io/schema/vega-lite/v6.json", "mark": "bar", "data": {"values": [{"a": 1}]}}


@cache
def small_model(trees: int = 40) -> PriceModel:
    """A price model of a tenth of the real blocks, drawn ones where the real file is not here; learnt in a second."""
    training = _dataset().training
    log_price = np.log(training.price)
    usual = usual_bedrooms(training.blocks)
    blocks = training.blocks.with_bedrooms(usual)
    known = surroundings(blocks, log_price)
    matrix = np.column_stack([own_matrix(blocks), around_matrix(known, blocks, log_price=log_price)])
    price = boost(matrix, log_price, n_estimators=trees, num_leaves=15)
    said = np.asarray(price.predict(matrix))
    error = log_price - said
    spread = boost(with_price(matrix, said), np.log(np.abs(error) + 0.01), n_estimators=10, num_leaves=7)
    usual_error = np.exp(np.asarray(spread.predict(with_price(matrix, said))))
    return PriceModel(
        usual_bedrooms=usual,
        known=known,
        price=Trees.of_lightgbm(price.dump_model()),
        spread=Trees.of_lightgbm(spread.dump_model()),
        errors=np.sort(error / usual_error),
        edges=np.quantile(training.price, [0.25, 0.5, 0.75]),
        cap=float(training.price.max()),
        typical=typical_block(training.blocks),
        facts={"algorithm": "lightgbm"},
    )


def _dataset() -> Dataset:
    file = find("california_housing.csv")
    if file is None:
        from tests.unit.housing.blocks import dataset

        return dataset(2_000)
    rows = batches.check(file.read_bytes()).rows.iloc[::10]
    return from_frame(rows.assign(held_out=split(len(rows))))


def champion_of(model: PriceModel, *, at: int = NOW) -> tuple[Champion, bytes]:
    """The model as a champion, and its file."""
    content = model.dumps()
    name = hashlib.sha256(content).hexdigest()[:16]
    key = f"models/housing/{name}.npz"
    return Champion("housing", name, "lightgbm", key, run_of(ML, 0).id, at, version="1"), content


def run_of(flow: str, number: int, **changes: Any) -> Run:
    """The n-th run of a flow, two minutes after the one before; the first is that of the description's examples."""
    at = NOW + number * 120_000
    flow_run = f"{0x9B1F6A3C + number:08x}-5d20-4c9e-8a41-7d7c52b0a3e6"
    made = Run(
        id=run_id(at, flow_run),
        flow=flow,
        flow_run=flow_run,
        status="completed",
        started_at=at,
        ended_at=at + 5_432,
        headline=f"run {number}",
        fingerprint="0c1f6a93be77d245-0.1.0",
        figures={"rows": 20640.0, "rmse": 39_950.0 + number, "batches": 1.0, "quarantined": 2.0, "drift": 0.03},
        steps=[Step("summary", "Summary statistics", 0.412)],
    )
    return msgspec.structs.replace(made, **changes)


def reused(run: Run, number: int) -> Run:
    """The n-th run, which took over the results of an earlier one."""
    steps = [msgspec.structs.replace(step, seconds=0.0, reused_from=run.id) for step in run.steps]
    return run_of(run.flow, number, status="reused", reused_from=run.id, steps=steps, figures=run.figures)


def seed(runs: Runs, objects: Objects) -> dict[str, Run]:
    """A day of both flows in small. Returns runs by what they are."""
    found = {
        "data": run_of(DATA, 0),
        "data reused": reused(run_of(DATA, 0), 1),
        "data failed": run_of(DATA, 2, status="failed", headline="ValueError: no", figures={}, steps=[]),
        "data skipped": run_of(DATA, 3, status="skipped", headline="run … is at work", figures={}, steps=[]),
        "ml": run_of(ML, 0),
        "ml reused": reused(run_of(ML, 0), 1),
        "ml again": run_of(ML, 2),
    }
    for run in found.values():
        folder = f"flows/{run.flow}/{run.id}/"
        if run.status == "completed":
            objects.put(f"{folder}steps/summary.json", msgspec.json.encode(SUMMARY), content_type="application/json")
            objects.put(f"{folder}charts/map.vl.json", msgspec.json.encode(CHART), content_type="application/json")
        if run.status in ("completed", "reused"):
            watched = {"freshness": {"status": "ok", "words": f"seen by {run.id}"}, "volume": None, "drift": None}
            report = {"run": run, "log": ["03:31:00 Summary statistics: 0.41 s"], "monitoring": watched}
            objects.put(f"{folder}report.json", msgspec.json.encode(report), content_type="application/json")
            objects.put(f"{folder}report.md", f"# Run {run.id} – é\n".encode(), content_type="text/markdown")
        runs.add(run)
    for number in range(3):
        runs.add_batch(batch_of(number))
        runs.add_decision(msgspec.structs.replace(DECISION, at=NOW + number))
    return found


def batch_of(number: int) -> Batch:
    """The n-th batch; the second is refused."""
    at = NOW + number * 60_000
    refused = "not the ten columns" if number == 1 else None
    return Batch(f"{at}-{number:016x}", f"{number}.csv", f"{number:064x}", at, run_of(DATA, 0).id, 9, 7, 1, 1, refused)


DECISION = msgspec.convert(examples.MODELS["decisions"][0], Decision)  # type: ignore[index]
