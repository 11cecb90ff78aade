"""The anomaly score: how much a sale looks like something else than this store's sales.

A density ratio: a network that tells the store's sales from faults that a rule names and from values from all over
the place, and from values of this store put together anew (noise-contrastive estimation: Gutmann and Hyvärinen,
2010). The threshold is set on clean sales that it has not learnt from.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import keras
import msgspec
import numpy as np
import numpy.typing as npt
import optuna
from sklearn.ensemble import IsolationForest

from simulator.sources import Row
from tidemark import rules
from tidemark.batch import Batch, tabulate
from tidemark.features import Featurizer
from tidemark.sale import Sale
from tidemark.store import Store
from training import corruption, network
from training.corruption import Background, Corrupt
from training.evidence import Estimate, Evidence, compare_auc, coverage, estimate, spells
from training.history import Float32s
from training.search import Trials, search

FALSE_ALARMS = 0.01
MARGIN = 0.5  # of the false alarms that are allowed, so that held-out sales keep within them
ENOUGH = 40_000
"""Sales that are learnt from, few ones several times."""
BATCH = 256
MOST_EPOCHS = 40
PATIENCE = 5
SEED = 7


class Settings(msgspec.Struct, frozen=True):
    """What a search chooses."""

    pieces: int = 12
    units: int = 32
    layers: int = 2
    learning_rate: float = 3e-3


def ask(trial: optuna.Trial) -> Settings:
    """Settings to try."""
    return Settings(
        pieces=trial.suggest_categorical("pieces", [8, 12, 20]),
        units=trial.suggest_categorical("units", [16, 32, 64]),
        layers=trial.suggest_int("layers", 1, 2),
        learning_rate=trial.suggest_float("learning_rate", 1e-3, 6e-3, log=True),
    )


class Fault(msgspec.Struct, frozen=True):
    """How a kind of fault is told from clean sales. `recall` at the threshold; `with_rules`: by score or rule."""

    kind: str
    known: bool
    auc: Evidence
    recall: float
    with_rules: float


class Measured(msgspec.Struct, frozen=True):
    """`false_alarms`: share of held-out clean sales at or over the threshold."""

    threshold: float
    false_alarms: Estimate
    faults: list[Fault]


def batch(rows: Sequence[Row], store: Store) -> Batch:
    """The rows as serving sees them."""
    return tabulate([msgspec.convert(row, Sale) for row in rows], store)


def seen(rows: Sequence[Row], featurize: Featurizer, store: Store) -> Float32s:
    """What the network sees of some rows: float32[n, k]."""
    found = featurize(batch(rows, store))
    return np.concatenate([found.sale, found.context], axis=1)


def flagged(rows: Sequence[Row], store: Store) -> npt.NDArray[np.bool_]:
    """Which rows a rule hits."""
    found: npt.NDArray[np.bool_] = np.logical_or.reduce(tuple(rules.check(batch(rows, store), store).values()))
    return found


def corrupted(rows: Sequence[Row], kinds: Sequence[Corrupt], draw: np.random.Generator, store: Store) -> list[Row]:
    """Each row corrupted in one way, the ways in turn."""
    return [kinds[place % len(kinds)](row, draw, store) for place, row in enumerate(rows)]


def others(rows: Sequence[Row], learnt: Sequence[Row], store: Store, *, seed: int) -> list[Row]:
    """For each row one that is no sale: with a fault that a rule names, with one field or all fields from all over the
    place, or put together anew from values of `learnt`; a quarter each."""
    draw = np.random.default_rng(seed)
    ground = Background(learnt, store)
    grounds = (ground.one_field, ground.anything, ground.put_together)
    kinds = [kind for named in corruption.NAMED.values() for kind in (named, *grounds)]
    return corrupted(rows, [kinds[one] for one in draw.permutation(len(kinds))], draw, store)


def labelled(rows: Sequence[Row], bad: Sequence[Row], featurize: Featurizer, store: Store) -> tuple[Float32s, Float32s]:
    """What the network sees of sales and of others, and their labels 0 and 1."""
    matrix = np.concatenate([seen(rows, featurize, store), seen(bad, featurize, store)])
    return matrix, np.repeat(np.array([0, 1], np.float32), [len(rows), len(bad)])[:, None]


def build(matrix: Float32s, settings: Settings) -> keras.Model:
    """A network for rows like those of `matrix`, to one score in 0 to 1."""
    features = keras.Input((matrix.shape[1],), name="features")
    hidden = network.Piecewise.of(matrix, settings.pieces)(features)
    for _ in range(settings.layers):
        hidden = keras.layers.Dense(settings.units, activation="relu")(hidden)
    score = keras.layers.Dense(1, activation="sigmoid", name="anomaly")(hidden)
    return keras.Model(features, score, name="anomaly")


def fit(
    learn: tuple[Float32s, Float32s], choose: tuple[Float32s, Float32s], settings: Settings, seed: int = SEED
) -> tuple[keras.Model, float]:
    """A trained network, and its loss on `choose`."""
    keras.utils.set_random_seed(seed)
    model = build(learn[0], settings)
    model.compile(keras.optimizers.Adam(settings.learning_rate), loss="binary_crossentropy")
    told = model.fit(
        *learn,
        validation_data=choose,
        epochs=MOST_EPOCHS,
        batch_size=BATCH,
        verbose=0,
        callbacks=[keras.callbacks.EarlyStopping(patience=PATIENCE, restore_best_weights=True)],
    )
    return model, float(min(told.history["val_loss"]))


def best(
    learnt: Sequence[Row], chosen: Sequence[Row], featurize: Featurizer, store: Store, kept: Trials, trials: int
) -> tuple[keras.Model, Settings]:
    """The anomaly score's network, with the settings that tell `chosen` sales best."""
    often = list(learnt) * max(1, ENOUGH // len(learnt))  # each time with another that is no sale
    learn = labelled(often, others(often, learnt, store, seed=1), featurize, store)
    choose = labelled(chosen, others(chosen, learnt, store, seed=2), featurize, store)
    models: dict[Settings, keras.Model] = {}

    def loss(settings: Settings) -> dict[str, float]:
        models[settings], least = fit(learn, choose, settings)
        return {"loss": least}

    settings, _ = search("anomaly", ask, loss, Settings(), trials=trials, kept=kept)
    return models[settings], settings


def scores(model: keras.Model, matrix: Float32s) -> npt.NDArray[np.float64]:
    """The score of each row."""
    said = [np.asarray(model(matrix[at : at + 8192], training=False)) for at in range(0, len(matrix), 8192)]
    found: npt.NDArray[np.float64] = np.concatenate(said)[:, 0].astype(np.float64)
    return found


def threshold(model: keras.Model, clean: Float32s) -> float:
    """The score from which on a sale is an anomaly, from clean sales that were not learnt from."""
    return float(np.quantile(scores(model, clean), 1 - FALSE_ALARMS * MARGIN))


def measure(
    model: keras.Model, at: float, learnt: Sequence[Row], held_out: Sequence[Row], featurize: Featurizer, store: Store
) -> Measured:
    """On held-out sales, clean and corrupted in each way; beside an isolation forest on the same numbers."""
    draw = np.random.default_rng(SEED + 1)
    forest = IsolationForest(random_state=SEED).fit(seen(learnt, featurize, store))
    clean = seen(held_out, featurize, store)
    good, plain = scores(model, clean), -forest.score_samples(clean)
    ground = Background(learnt, store)
    kinds: Mapping[str, Corrupt] = {
        **corruption.NAMED,
        **corruption.UNSEEN,
        corruption.IN_RANGE: ground.price_of_another,
    }
    faults = []
    for kind, corrupt in kinds.items():
        if kind in corruption.OF_RATINGS and "rating" not in held_out[0]:
            continue
        rows = corrupted(held_out, [corrupt], draw, store)
        matrix = seen(rows, featurize, store)
        bad = scores(model, matrix)
        hits = flagged(rows, store)
        faults.append(
            Fault(
                kind=kind,
                known=kind in corruption.NAMED,
                auc=compare_auc(
                    f"AUC, {kind}",
                    np.concatenate([good, bad]),
                    "an isolation forest",
                    np.concatenate([plain, -forest.score_samples(matrix)]),
                    np.repeat([False, True], [len(good), len(bad)]),
                ),
                recall=float(np.mean(bad >= at)),
                with_rules=float(np.mean((bad >= at) | hits)),
            )
        )
    days = spells([row["sold_at"] for row in held_out])
    alarm = (good >= at).astype(np.float64)
    return Measured(at, estimate(coverage(alarm, np.ones(len(alarm)), np.ones(len(alarm))), days), faults)
