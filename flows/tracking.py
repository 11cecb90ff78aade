"""MLflow: a run for each algorithm, the registry with the champion's alias, and what is deleted again."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Metric, Param, Run, ViewType

from flows.served import save
from tidemark.champion import Champion

EXPERIMENT = "housing"
REGISTERED = "housing-price"
ALIAS = "champion"
AT_ONCE = 200  # runs deleted by one flow run at most, so that a backlog delays none


class Tracking:
    """The tracking server that `MLFLOW_TRACKING_URI` names."""

    def __init__(self) -> None:
        self._client = MlflowClient()
        found = self._client.get_experiment_by_name(EXPERIMENT)
        self._experiment = found.experiment_id if found else self._client.create_experiment(EXPERIMENT)

    def log(
        self, flow_run: str, algorithm: str, settings: Mapping[str, Any], figures: Mapping[str, float], at: int
    ) -> str:
        """One algorithm's run; the same one of the same flow run is found again, not logged twice. Returns its id."""
        tags = {"flow_run": flow_run, "algorithm": algorithm}
        found = self._runs(f"tags.flow_run = '{flow_run}' AND tags.algorithm = '{algorithm}'", most=1)
        for run in found:
            if run.info.status == "FINISHED":
                return str(run.info.run_id)
            self._client.delete_run(run.info.run_id)  # half logged, by a process that was killed
        run = self._client.create_run(self._experiment, start_time=at, tags=tags, run_name=f"{algorithm} {flow_run}")
        identity = str(run.info.run_id)
        self._client.log_batch(
            identity,
            metrics=[Metric(name, value, at, 0) for name, value in figures.items()],
            params=[Param(name, str(value)) for name, value in settings.items()],
        )
        self._client.set_terminated(identity)
        return identity

    def attach(self, run: str, name: str, content: str) -> None:
        """A text beside a run."""
        self._client.log_text(run, content, name)

    def register(self, run: str, fingerprint: str, model: bytes) -> str:
        """The version of a model in the registry; one that is there already is found again."""
        for version in self._versions(fingerprint):
            return version
        with tempfile.TemporaryDirectory() as folder:
            save(model, Path(folder) / "model")
            self._client.log_artifacts(run, str(Path(folder) / "model"), "model")
        created = self._client.create_model_version(
            REGISTERED, f"runs:/{run}/model", run, tags={"fingerprint": fingerprint}
        )
        return str(created.version)

    def _versions(self, fingerprint: str) -> Iterator[str]:
        if not self._client.search_registered_models(f"name = '{REGISTERED}'"):
            self._client.create_registered_model(REGISTERED, description="A block's median house value, with interval")
        found = self._client.search_model_versions(f"name = '{REGISTERED}' AND tags.fingerprint = '{fingerprint}'")
        return (str(version.version) for version in found)

    def crown(self, champion: Champion) -> None:
        """Let the registry's alias say who serves; the index decides, the registry follows."""
        if champion.version is not None:
            self._client.set_registered_model_alias(REGISTERED, ALIAS, champion.version)
            self._client.set_model_version_tag(REGISTERED, champion.version, "promoted", "true")

    def retain(self, kept: int) -> int:
        """Delete all but the newest `kept` runs, with those of the same flow run, and those of registered models.

        Returns how many were deleted.
        """
        registered = {version.run_id for version in self._client.search_model_versions(f"name = '{REGISTERED}'")}
        newest = self._client.search_runs([self._experiment], max_results=kept, order_by=["attributes.start_time DESC"])
        if len(newest) < kept:
            return 0
        oldest = newest[-1].info.start_time
        deleted = 0
        for run in self._runs(f"attributes.start_time < {oldest}", most=AT_ONCE + len(registered)):
            if run.info.run_id not in registered and deleted < AT_ONCE:
                self._client.delete_run(run.info.run_id)
                deleted += 1
        return deleted

    def _runs(self, condition: str, *, most: int) -> list[Run]:
        return list(self._client.search_runs([self._experiment], condition, ViewType.ACTIVE_ONLY, min(most, 50_000)))
