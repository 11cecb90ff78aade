"""What MLflow holds: the newest runs and those of registered models; all else is gone for good, files too."""

from __future__ import annotations

import json

import pytest

from tests.flows.cloud import Flows

KEPT = 10
RETAIN = f"""
import json, time
from mlflow import MlflowClient
from flows.tracking import OF_HOUSING, Tracking

tracking, client = Tracking(OF_HOUSING), MlflowClient()
long_ago = time.time_ns() // 1_000_000 - 86_400_000
runs = [tracking.log(f"synthetic-{{n}}", "mean", {{"n": n}}, {{"rmse": 1.0}}, long_ago + n) for n in range(25)]
tracking.attach(runs[0], "report.md", "a report")
next(tracking._versions("none"), None)
client.create_model_version(OF_HOUSING.registered, f"runs:/{{runs[1]}}/model", runs[1])
deleted = tracking.retain({KEPT})
experiment = client.get_experiment_by_name(OF_HOUSING.experiment).experiment_id
newest = client.search_runs([experiment], max_results={KEPT}, order_by=["attributes.start_time DESC"])
began = newest[-1].info.start_time
kept = client.search_runs([experiment], f"attributes.start_time >= {{began}}", max_results=1000)
print(json.dumps([runs, deleted, [run.info.run_id for run in kept]]))
"""
REMOVE = "import asyncio; from flows.mlflow_gc import mlflow_gc; asyncio.run(mlflow_gc('{}'))"


@pytest.mark.long
def test_mlflow_holds_what_retention_keeps_and_nothing_else(running: Flows) -> None:
    line = next(line for line in running.as_the_worker(RETAIN).splitlines() if line.startswith("["))
    made, deleted, kept = json.loads(line)
    assert KEPT <= len(kept) < KEPT + 4, "those of the oldest flow run that is kept stay together"
    assert deleted >= len(made) - KEPT - 1
    everything = "SELECT run_uuid FROM runs"
    running.as_the_worker(REMOVE.format("1d"))
    assert set(made) <= set(running.rows("mlflow", everything)), "what was deleted today can be restored"
    assert running.objects.find("mlflow/")
    running.as_the_worker(REMOVE.format("0s"))
    registered = running.rows("mlflow", "SELECT run_id FROM model_versions")
    assert made[1] in registered
    assert set(running.rows("mlflow", everything)) == {*kept, *registered}
    assert not [found.key for found in running.objects.find("mlflow/") if f"/{made[0]}/" in found.key]
