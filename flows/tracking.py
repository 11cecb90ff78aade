"""MLflow: a run for each model, the registry with its aliases, and what is deleted again."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import mlflow.pyfunc
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, Run, ViewType

from flows import served_demand, served_housing, served_sales
from tidemark.models.champion import Champion
from tidemark.runs import EXPERIMENTS, HOUSING_ML, SALES_MODEL

CHAMPION, CHALLENGER = "champion", "challenger"
AT_ONCE = 200  # runs deleted by one flow run at most, so that a backlog delays none


class Tracked(NamedTuple):
    """What is tracked: its experiment, and how its models stand in the registry. `served`: the module that serves them,
    with their signature."""

    experiment: str
    registered: str
    description: str
    served: ModuleType


OF_HOUSING = Tracked(
    EXPERIMENTS[HOUSING_ML], "housing-price", "A block's median house value, with interval", served_housing
)
OF_DEMAND = Tracked(
    EXPERIMENTS[SALES_MODEL], "demand", "Items that each product line sells in the next hours", served_demand
)
OF_SALES = Tracked(
    EXPERIMENTS[SALES_MODEL], "sales", "A sale's anomaly score, basket quantiles and segment", served_sales
)


def save(model: bytes, served: ModuleType, folder: Path) -> None:
    """Write a model's file in MLflow's form, to be served by a module."""
    file = folder.with_suffix(".file")
    file.write_bytes(model)
    mlflow.pyfunc.save_model(
        str(folder),
        python_model=str(served.__file__),
        artifacts={"model": str(file)},
        signature=served.SIGNATURE,
        pip_requirements=["tidemark"],  # given, since inferring them takes ten seconds
    )


class Tracking:
    """The tracking server that `MLFLOW_TRACKING_URI` names."""

    def __init__(self, tracked: Tracked) -> None:
        self._client = MlflowClient()
        self._tracked = tracked
        self._experiment = self._experiment_of(tracked.experiment)

    def _experiment_of(self, name: str) -> str:
        found = self._client.get_experiment_by_name(name)
        return str(found.experiment_id if found else self._client.create_experiment(name))

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
            save(model, self._tracked.served, Path(folder) / "model")
            self._client.log_artifacts(run, str(Path(folder) / "model"), "model")
        created = self._client.create_model_version(
            self._tracked.registered, f"runs:/{run}/model", run, tags={"fingerprint": fingerprint}
        )
        return str(created.version)

    def _versions(self, fingerprint: str) -> Iterator[str]:
        name = self._tracked.registered
        if not self._client.search_registered_models(f"name = '{name}'"):
            self._client.create_registered_model(name, description=self._tracked.description)
        found = self._client.search_model_versions(f"name = '{name}' AND tags.fingerprint = '{fingerprint}'")
        return (str(version.version) for version in found)

    def crown(self, champion: Champion) -> None:
        """Let the registry's alias say who serves; the index decides, the registry follows."""
        if champion.version is not None:
            self._client.set_registered_model_alias(self._tracked.registered, CHAMPION, champion.version)
            self._client.set_model_version_tag(self._tracked.registered, champion.version, "promoted", "true")

    def follow(self, champion: Champion | None, shadow: Champion | None) -> None:
        """Let the aliases say who serves and who scores beside; none of them where nobody does."""
        name = self._tracked.registered
        found = self._client.search_registered_models(f"name = '{name}'")
        if not found:
            return
        stand = {alias: str(version) for alias, version in (found[0].aliases or {}).items()}
        for alias, who in ((CHAMPION, champion), (CHALLENGER, shadow)):
            wanted = None if who is None else next(self._versions(who.fingerprint), None)
            if wanted is None and alias in stand:
                self._client.delete_registered_model_alias(name, alias)
            elif wanted is not None and stand.get(alias) != wanted:
                self._client.set_registered_model_alias(name, alias, wanted)

    def retain(self, kept: int) -> int:
        """Delete all but the newest `kept` runs, with those of the same flow run, and those of registered models.

        Returns how many were deleted.
        """
        of_models = self._client.search_model_versions(f"name = '{self._tracked.registered}'")
        registered = {version.run_id for version in of_models}
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
