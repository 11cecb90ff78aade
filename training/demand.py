"""The network that says how many items the next hours will sell: the mean and the interval 10 to 90.

It says by what factor the next hours differ from the level of the last weeks, so that it stays right when the level
moves. What it is told is in `tidemark/models/demand.py`.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import keras
import msgspec
import numpy as np
import numpy.typing as npt
import optuna

from tidemark.models.demand import LEADS as LEADS
from tidemark.models.demand import Float32s, Found, in_items
from tidemark.models.demand import Series as Series
from tidemark.models.demand import Table as Table
from tidemark.models.demand import of_lead as of_lead
from tidemark.models.demand import series as series
from tidemark.models.demand import table as table
from training import network

BATCH = 256
MOST_EPOCHS = 60
PATIENCE = 6


class Settings(msgspec.Struct, frozen=True):
    """What a search chooses."""

    pieces: int = 6
    units: int = 32
    dropout: float = 0.2
    weight_decay: float = 1e-3
    learning_rate: float = 1e-3


def ask(trial: optuna.Trial) -> Settings:
    """Settings to try."""
    return Settings(
        pieces=trial.suggest_categorical("pieces", [3, 6, 12]),
        units=trial.suggest_categorical("units", [16, 32, 64]),
        dropout=trial.suggest_float("dropout", 0.0, 0.4, step=0.1),
        weight_decay=trial.suggest_float("weight_decay", 1e-4, 1e-1, log=True),
        learning_rate=trial.suggest_float("learning_rate", 5e-4, 4e-3, log=True),
    )


def build(matrix: Float32s, settings: Settings, number: int = 1) -> keras.Model:
    """A network for rows like those of `matrix`: logs of 1 + items, the mean's and the quantiles'. `number`: by
    which members of one network are told apart."""
    features = keras.Input((matrix.shape[1],), name="features")
    level = keras.Input((1,), name="level")
    hidden = network.Piecewise.of(matrix, settings.pieces)(features)
    hidden = keras.layers.Dense(settings.units, activation="relu")(hidden)
    hidden = keras.layers.Dropout(settings.dropout)(hidden)
    small = keras.initializers.RandomNormal(stddev=0.01)
    factor = keras.layers.Dense(1, kernel_initializer=small)(hidden)
    mean = keras.layers.Add(name="mean")([level, factor])
    start = keras.initializers.Constant([-1.0, 0.5, 0.5])
    steps = network.Ascending()(keras.layers.Dense(3, kernel_initializer=small, bias_initializer=start)(hidden))
    quantiles = keras.layers.Add(name="quantiles")([steps, level])
    return keras.Model(
        {"features": features, "level": level}, {"mean": mean, "quantiles": quantiles}, name=f"demand_{number}"
    )


def fit(
    data: Table,
    rows: npt.NDArray[np.bool_],
    settings: Settings,
    seed: int,
    *,
    choose: npt.NDArray[np.bool_] | None = None,
    epochs: int = MOST_EPOCHS,
    batch: int = BATCH,
) -> tuple[keras.Model, int, float]:
    """A network trained on some rows, for how many epochs, and its loss on those of `choose` (NaN without)."""
    keras.utils.set_random_seed(seed)
    model = build(data.matrix[rows], settings, seed)
    taught = keras.Model(model.input, model.output)  # so that a network's file needs no loss
    unit = float(data.items[rows].mean())
    optimizer = keras.optimizers.AdamW(settings.learning_rate, weight_decay=settings.weight_decay)
    taught.compile(optimizer, loss={"mean": _deviance(unit), "quantiles": network.pinball})
    stop = keras.callbacks.EarlyStopping(patience=PATIENCE, restore_best_weights=True)
    told = taught.fit(
        _inputs(data, rows),
        _targets(data, rows),
        validation_data=(_inputs(data, choose), _targets(data, choose)) if choose is not None else None,
        epochs=epochs,
        batch_size=batch,
        verbose=0,
        callbacks=[stop] if choose is not None else [],
    )
    if choose is None:
        return model, epochs, float("nan")
    losses = told.history["val_loss"]
    return model, int(np.argmin(losses)) + 1, float(np.min(losses))


def _deviance(unit: float) -> Any:
    """The deviance of counts whose logs are told, up to a constant; in units of the mean count."""

    def loss(y_true: Any, y_pred: Any) -> Any:
        return keras.ops.mean((keras.ops.exp(y_pred) - y_true * y_pred) / unit)

    return loss


def _inputs(data: Table, rows: npt.NDArray[np.bool_]) -> dict[str, Float32s]:
    return {"features": data.matrix[rows], "level": data.level[rows][:, None]}


def _targets(data: Table, rows: npt.NDArray[np.bool_]) -> dict[str, Float32s]:
    items = data.items[rows].astype(np.float32)[:, None]
    return {"mean": items, "quantiles": np.log1p(items)}


def predict(model: keras.Model, data: Table, rows: npt.NDArray[np.bool_]) -> Found:
    """What a network says of some hours."""
    said = model(_inputs(data, rows), training=False)
    return in_items(said["mean"], said["quantiles"])


def averaged(members: Sequence[keras.Model]) -> keras.Model:
    """One network that says the mean of what the members say."""
    features = keras.Input(members[0].input["features"].shape[1:], name="features")
    level = keras.Input((1,), name="level")
    inputs = {"features": features, "level": level}
    said = [member(inputs) for member in members]
    outputs = {name: keras.layers.Average(name=name)([one[name] for one in said]) for name in ("mean", "quantiles")}
    return keras.Model(inputs, outputs, name="demand")
