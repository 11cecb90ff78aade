"""The search for a model's settings: Optuna proposes, the rows between training and test decide, MLflow keeps each
trial with what it was trained on, by which code, in which environment."""

from __future__ import annotations

import hashlib
import os
import platform
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar

import msgspec
import optuna
from mlflow import MlflowClient
from mlflow.entities import Metric, Param

from tidemark import data, features
from tidemark.models import conformal, demand, demand_model

S = TypeVar("S", bound=msgspec.Struct)
EXPERIMENT = "sales"
PACKAGES = ("keras", "numpy", "optuna", "pandas", "scikit-learn")
SEED = 1
CODE = Path(__file__).parent
SERVED = (features, demand, demand_model, conformal)
"""What is the same in training and in serving."""

Ask = Callable[[optuna.Trial], S]


class Trials:
    """Where trials are kept: the server that `MLFLOW_TRACKING_URI` names, or a file under `.tidemark/`.

    `data_hash`: of the rows that are learnt from.
    """

    def __init__(self, shop: str, data_hash: str) -> None:
        where = os.environ.get("MLFLOW_TRACKING_URI")
        if where is None:
            (data.ROOT / ".tidemark").mkdir(exist_ok=True)
            where = f"sqlite:///{data.ROOT / '.tidemark' / 'trials.db'}"
        self._client = MlflowClient(where)
        found = self._client.get_experiment_by_name(EXPERIMENT)
        self._experiment = found.experiment_id if found else self._client.create_experiment(EXPERIMENT)
        self.tags = {"shop": shop, "data": data_hash, "code": code_version(), "environment": environment()}

    def log(self, model: str, settings: msgspec.Struct, figures: dict[str, float]) -> None:
        """Keep one trial."""
        run = self._client.create_run(self._experiment, tags={**self.tags, "model": model})
        self._client.log_batch(
            run.info.run_id,
            metrics=[Metric(name, value, run.info.start_time, 0) for name, value in figures.items()],
            params=[Param(name, str(value)) for name, value in msgspec.structs.asdict(settings).items()],
        )
        self._client.set_terminated(run.info.run_id)


def search(
    model: str, ask: Ask[S], loss: Callable[[S], dict[str, float]], standing: S, *, trials: int, kept: Trials
) -> tuple[S, dict[str, float]]:
    """The settings with the least `loss`, and what was found of them. The standing ones are tried first."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=SEED))
    study.enqueue_trial(msgspec.structs.asdict(standing))
    tried: dict[int, tuple[S, dict[str, float]]] = {}

    def one(trial: optuna.Trial) -> float:
        settings = ask(trial)
        for earlier, figures in tried.values():
            if earlier == settings:
                return figures["loss"]
        figures = loss(settings)
        kept.log(model, settings, figures)
        tried[trial.number] = (settings, figures)
        return figures["loss"]

    study.optimize(one, n_trials=trials)
    return min(tried.values(), key=lambda found: found[1]["loss"])


def code_version() -> str:
    """The same while the code that trains is the same."""
    hasher = hashlib.sha256()
    for path in (*sorted(CODE.glob("*.py")), *(Path(str(module.__file__)) for module in SERVED)):
        hasher.update(path.read_bytes())
    return hasher.hexdigest()[:12]


def environment() -> str:
    """The versions that a result depends on."""
    found = [f"{package} {version(package)}" for package in PACKAGES]
    return ", ".join([f"python {platform.python_version()}", *found])
