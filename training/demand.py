"""How many items the next hours will sell: the mean and the interval 10 to 90, hour by hour, series by series.

A series is what is forecast by itself: a branch's product line, or a whole shop. Days are trading days; what is known
when a forecast is made is everything up to `lead` hours before its hour. The network says by what factor the next
hours differ from the level of the last weeks, so that it stays right when the level moves.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import keras
import msgspec
import numpy as np
import numpy.typing as npt
import optuna
import pandas as pd

from tidemark.errors import TidemarkError
from training import network
from training.history import Feature, Float32s

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]

LEADS = (1, 2, 3, 6)
SHORT, LONG = 5, 20  # trading days
WEEKS = 4
BATCH = 256
MOST_EPOCHS = 60
PATIENCE = 6


class Series(NamedTuple):
    """Items sold: `counts` float64[days, hours, series], the trading days `days` datetime64[D], open hours `hours`, and
    the `names` of the series."""

    days: npt.NDArray[np.datetime64]
    hours: Ints
    names: tuple[str, ...]
    counts: Floats


class Table(NamedTuple):
    """Of `n` hours to forecast: `matrix` float32[n, k] in the order of `features`; `level` float32[n]: log(1 + items)
    of this hour over the last weeks; `items` float64[n]; and which `day`, `hour`, `series` and `lead` each is of."""

    features: tuple[Feature, ...]
    matrix: Float32s
    level: Float32s
    items: Floats
    day: Ints
    hour: Ints
    series: Ints
    lead: Ints


def series(at: pd.Series, name: pd.Series, items: pd.Series, hours: range) -> Series:
    """Count items by hour; days on which nothing was sold at all are no trading days.

    Raises TidemarkError where there are fewer than `LONG` + 1 trading days.
    """
    inside = at.dt.hour.isin(list(hours))
    at, name, items = at[inside], name[inside], items[inside]
    days, day = np.unique(at.dt.normalize().to_numpy("datetime64[D]"), return_inverse=True)
    names, which = np.unique(name.to_numpy(str), return_inverse=True)
    if len(days) <= LONG:
        raise TidemarkError(f"{len(days)} trading days are too few to forecast from: {LONG + 1} are needed")
    counts = np.zeros((len(days), len(hours), len(names)))
    np.add.at(counts, (day, at.dt.hour.to_numpy() - hours.start, which), items.to_numpy(np.float64))
    return Series(days, np.array(hours, np.int64), tuple(names.tolist()), counts)


def table(found: Series, leads: tuple[int, ...] = LEADS) -> Table:
    """Every hour to forecast, from the first day that has `LONG` before it, in the order of time."""
    shape = (len(leads), *found.counts.shape)
    columns: list[tuple[Feature, Floats]] = []

    def add(name: str, group: str, meaning: str, values: Any) -> None:
        columns.append((Feature(name, group, meaning), np.broadcast_to(values, shape)))

    usual = _before(found.counts, LONG)
    level = np.log1p(usual)
    _of_level(add, found, level)
    add("today", "today so far", "items of today against the usual until then, log", _today(found.counts, usual, leads))
    add("last_hour", "today so far", "the last known hour against its usual, log", _last(found.counts, level, leads))
    _of_calendar(add, found)
    if len(found.names) > 1:
        for place, name in enumerate(found.names):
            add(f"series={name}", "series", f"of {name}", np.arange(len(found.names)) == place)
    if len(leads) > 1:
        add("lead", "lead", "hours ahead", np.array(leads)[:, None, None, None])
    lead, day, hour, which = np.meshgrid(leads, np.arange(shape[1]), found.hours, np.arange(shape[3]), indexing="ij")
    order = np.lexsort((which.ravel(), lead.ravel(), hour.ravel(), day.ravel()))
    rows = order[day.ravel()[order] >= LONG]
    return Table(
        features=tuple(feature for feature, _ in columns),
        matrix=np.column_stack([values.ravel()[rows].astype(np.float32) for _, values in columns]),
        level=np.broadcast_to(level, shape).ravel()[rows].astype(np.float32),
        items=np.broadcast_to(found.counts, shape).ravel()[rows],
        day=day.ravel()[rows],
        hour=hour.ravel()[rows],
        series=which.ravel()[rows],
        lead=lead.ravel()[rows],
    )


def _before(counts: Floats, days: int) -> Floats:
    """The mean over the days before each, at most `days` of them; 0 on the first. Over the first axis."""
    sums = np.concatenate([np.zeros((1, *counts.shape[1:])), np.cumsum(counts, axis=0)])
    ends = np.arange(len(counts))
    begins = np.maximum(ends - days, 0)
    count = np.maximum(ends - begins, 1).reshape(-1, *[1] * (counts.ndim - 1))
    found: Floats = (sums[ends] - sums[begins]) / count
    return found


def _of_level(add: Any, found: Series, level: Floats) -> None:
    weekday = _weekday(found)
    of_weekday = np.zeros_like(found.counts)
    for one in set(weekday.tolist()):
        of_weekday[weekday == one] = _before(found.counts[weekday == one], WEEKS)
    total = found.counts.sum(axis=1)
    of_day = np.log1p(_before(total, LONG))
    hour, day = "level of the hour", "level of the day"
    add("hour_level", hour, f"log of 1 + items in this hour over {LONG} days", level)
    add(
        "hour_short", hour, f"the last {SHORT} days against {LONG}, log", np.log1p(_before(found.counts, SHORT)) - level
    )
    add("hour_weekday", hour, f"the last {WEEKS} such weekdays against {LONG} days, log", np.log1p(of_weekday) - level)
    for name, days in (("day_short", SHORT), ("day_last", 1)):
        lately = np.log1p(_before(total, days)) - of_day
        add(name, day, f"the last {days} days against {LONG}, log", lately[:, None, :])


def _today(counts: Floats, usual: Floats, leads: tuple[int, ...]) -> Floats:
    """How today went until what is known, against the usual: shape (leads, days, hours, series)."""
    least = 0.2 * usual.sum(axis=1, keepdims=True) + 1
    found = np.zeros((len(leads), *counts.shape))
    so_far = np.log((np.cumsum(counts, axis=1) + least) / (np.cumsum(usual, axis=1) + least))
    for place, lead in enumerate(leads):
        found[place, :, lead:] = so_far[:, : counts.shape[1] - lead]
    return found


def _last(counts: Floats, level: Floats, leads: tuple[int, ...]) -> Floats:
    found = np.zeros((len(leads), *counts.shape))
    for place, lead in enumerate(leads):
        found[place, :, lead:] = (np.log1p(counts) - level)[:, : counts.shape[1] - lead]
    return found


def _of_calendar(add: Any, found: Series) -> None:
    for place, hour in enumerate(found.hours):
        add(f"hour={hour}", "hour", f"from {hour}:00", (np.arange(len(found.hours)) == place)[:, None])
    weekday = _weekday(found)
    for day in sorted(set(weekday.tolist())):
        add(f"weekday={day}", "weekday", f"weekday {day}, Monday is 0", (weekday == day)[:, None, None])
    christmas = np.clip(359 - pd.DatetimeIndex(found.days).day_of_year.to_numpy(), 0, 120)
    if len(set(christmas.tolist())) > 1:
        add("to_christmas", "season", "days to Christmas, at most 120", christmas[:, None, None])


def _weekday(found: Series) -> Ints:
    weekday: Ints = pd.DatetimeIndex(found.days).day_of_week.to_numpy(np.int64)
    return weekday


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


class Found(NamedTuple):
    """Items of `n` hours: float64[n] and float64[n, 3]."""

    mean: Floats
    quantiles: Floats


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
) -> tuple[keras.Model, int, float]:
    """A network trained on some rows, for how many epochs, and its loss on those of `choose` (NaN without)."""
    keras.utils.set_random_seed(seed)
    model = build(data.matrix[rows], settings, seed)
    unit = float(data.items[rows].mean())
    optimizer = keras.optimizers.AdamW(settings.learning_rate, weight_decay=settings.weight_decay)
    model.compile(optimizer, loss={"mean": _deviance(unit), "quantiles": network.pinball})
    stop = keras.callbacks.EarlyStopping(patience=PATIENCE, restore_best_weights=True)
    told = model.fit(
        _inputs(data, rows),
        _targets(data, rows),
        validation_data=(_inputs(data, choose), _targets(data, choose)) if choose is not None else None,
        epochs=epochs,
        batch_size=BATCH,
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
    mean = np.exp(np.asarray(said["mean"], np.float64)[:, 0])
    return Found(mean, np.maximum(np.expm1(np.asarray(said["quantiles"], np.float64)), 0))


def averaged(members: Sequence[keras.Model]) -> keras.Model:
    """One network that says the mean of what the members say."""
    features = keras.Input(members[0].input["features"].shape[1:], name="features")
    level = keras.Input((1,), name="level")
    inputs = {"features": features, "level": level}
    said = [member(inputs) for member in members]
    outputs = {name: keras.layers.Average(name=name)([one[name] for one in said]) for name in ("mean", "quantiles")}
    return keras.Model(inputs, outputs, name="demand")


def of_lead(data: Table, lead: int) -> Table:
    """The rows of one lead alone."""
    rows = data.lead == lead
    return data._replace(
        matrix=data.matrix[rows],
        level=data.level[rows],
        items=data.items[rows],
        day=data.day[rows],
        hour=data.hour[rows],
        series=data.series[rows],
        lead=data.lead[rows],
    )
