"""What a basket will be worth, before it is: its mean and its quantiles 10/50/90, from history and context alone.

Gradient boosting learns first, and teaches a network (distillation: Bucilă, Caruana and Niculescu-Mizil, 2006): the
network meets more rows than there are, put together from real ones, each with what the teacher says of it. Alone, on
some ten thousand baskets, a network learns less than trees do. The quantiles it then learns from the baskets
themselves. Each number is cut into pieces at its quantiles and each piece enters by itself (piecewise-linear encoding:
Gorishniy, Rubachev and Babenko, 2022). Some networks that differ in their seeds are averaged; what is served is one
network that holds them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import keras
import msgspec
import numpy as np
import numpy.typing as npt
import optuna
from sklearn.ensemble import HistGradientBoostingRegressor

from training import network
from training.evidence import pinball
from training.history import Float32s

Floats: TypeAlias = npt.NDArray[np.float64]
Teacher: TypeAlias = Callable[[Float32s], Float32s]

BATCH = 256
EPOCHS, QUICK = 20, 6
"""Times through the teacher's rows: of what serves, and of what only a search or the walk through the year needs."""
QUANTILE_EPOCHS = 8
TEACHERS = 3
MOST_REAL = 20_000  # real rows that are taught
MIXED = 1.5  # rows put together for each real one
LEAST_OF_A_KIND = 0.6  # of the real rows: so many are put together of the rarest kind
MIXED_VALUES = 0.15  # of their values come from another row


class Settings(msgspec.Struct, frozen=True):
    """What a search chooses. `pieces`: of each number; `units`: of each of both hidden layers."""

    pieces: int = 16
    units: int = 64
    weight_decay: float = 1e-4
    learning_rate: float = 3e-3


def ask(trial: optuna.Trial) -> Settings:
    """Settings to try."""
    return Settings(
        pieces=trial.suggest_categorical("pieces", [8, 16, 24]),
        units=trial.suggest_categorical("units", [32, 64, 96]),
        weight_decay=trial.suggest_float("weight_decay", 1e-5, 1e-2, log=True),
        learning_rate=trial.suggest_float("learning_rate", 1e-3, 6e-3, log=True),
    )


class Found(NamedTuple):
    """Of `n` baskets, log of the value: float64[n] and float64[n, 3]."""

    mean: Floats
    quantiles: Floats


class Lesson(NamedTuple):
    """What is learnt from: `matrix` and `log_value` of real baskets; and of rows `taught`, what the teacher `said`."""

    matrix: Float32s
    log_value: Floats
    taught: Float32s
    said: Float32s


def lesson(matrix: Float32s, log_value: Floats, kind: npt.NDArray[np.int64], *, seed: int = 1) -> Lesson:
    """Let trees learn some baskets, and ask them about more. `kind`: values are mixed among baskets of one kind only,
    and the rarest kind is not forgotten."""
    teachers = [
        HistGradientBoostingRegressor(
            max_iter=200,
            learning_rate=0.04,
            max_leaf_nodes=15,
            min_samples_leaf=40,
            l2_regularization=5,
            max_features=0.5,
            random_state=number,
        ).fit(matrix, log_value)
        for number in range(TEACHERS)
    ]
    draw = np.random.default_rng(seed)
    real = np.arange(len(matrix))
    if len(real) > MOST_REAL:
        real = np.sort(draw.choice(real, MOST_REAL, replace=False))
    rows = [matrix[real]]
    for one in np.unique(kind):
        of = np.flatnonzero(kind == one)
        count = int(len(real) * max(MIXED * len(of) / len(matrix), LEAST_OF_A_KIND))
        made = matrix[draw.choice(of, count)]
        other = matrix[draw.choice(of, count)]
        rows.append(np.where(draw.random(made.shape) < MIXED_VALUES, other, made))
    taught = np.concatenate(rows)
    said = np.mean([teacher.predict(taught) for teacher in teachers], axis=0).astype(np.float32)
    return Lesson(matrix, log_value, taught, said)


def build(matrix: Float32s, centre: float, settings: Settings, number: int = 1) -> keras.Model:
    """A network for rows like those of `matrix`; `centre`: the mean log value, where it begins;
    `number`: by which members of one network are told apart."""
    features = keras.Input((matrix.shape[1],), name="features")
    hidden = network.Piecewise.of(matrix, settings.pieces)(features)
    for _ in range(2):
        hidden = keras.layers.Dense(settings.units, activation="relu")(hidden)
    mean = keras.layers.Dense(1, bias_initializer=keras.initializers.Constant(centre), name="mean")(hidden)
    start = keras.initializers.Constant([-1.0, 0.5, 0.5])
    small = keras.initializers.RandomNormal(stddev=0.01)
    steps = keras.layers.Dense(3, kernel_initializer=small, bias_initializer=start, name="steps")(hidden)
    quantiles = keras.layers.Add(name="quantiles")([network.Ascending()(steps), mean])
    return keras.Model(features, {"mean": mean, "quantiles": quantiles}, name=f"basket_{number}")


def fit(given: Lesson, settings: Settings, seed: int, *, epochs: int = EPOCHS) -> keras.Model:
    """A network that says what the teacher says, and how far from it baskets are."""
    keras.utils.set_random_seed(seed)
    model = build(given.matrix, float(given.log_value.mean()), settings, seed)
    steps = epochs * (len(given.taught) // BATCH + 1)
    pace = keras.optimizers.schedules.CosineDecay(settings.learning_rate, steps)
    mean = keras.Model(model.input, model.output["mean"])
    mean.compile(keras.optimizers.AdamW(pace, weight_decay=settings.weight_decay), loss="mse")
    mean.fit(given.taught, given.said[:, None], epochs=epochs, batch_size=BATCH, verbose=0)
    for layer in model.layers:
        layer.trainable = layer.name == "steps"
    quantiles = keras.Model(model.input, model.output["quantiles"])
    quantiles.compile(keras.optimizers.Adam(3e-3), loss=network.pinball)
    target = given.log_value.astype(np.float32)[:, None]
    quantiles.fit(given.matrix, target, epochs=QUANTILE_EPOCHS, batch_size=BATCH, verbose=0)
    return model


def loss(model: keras.Model, matrix: Float32s, log_value: Floats) -> float:
    """What a search makes small: the squared error of the mean, and the pinball loss."""
    found = predict(model, matrix)
    quantiles = pinball(log_value, found.quantiles, network.QUANTILES).above
    return float(((log_value - found.mean) ** 2).mean() + quantiles.mean())


def averaged(members: Sequence[keras.Model]) -> keras.Model:
    """One network that says the mean of what the members say."""
    features = keras.Input(members[0].input.shape[1:], name="features")
    said = [member(features) for member in members]
    outputs = {name: keras.layers.Average(name=name)([one[name] for one in said]) for name in ("mean", "quantiles")}
    return keras.Model(features, outputs, name="basket")


def predict(model: keras.Model, matrix: Float32s) -> Found:
    """What a network says of some baskets."""
    said = [model(matrix[start : start + 4096], training=False) for start in range(0, len(matrix), 4096)]
    mean = np.concatenate([np.asarray(one["mean"], np.float64)[:, 0] for one in said])
    return Found(mean, np.concatenate([np.asarray(one["quantiles"], np.float64) for one in said]))
