"""Trains the first sales model and writes `models/sales/`: `python -m training.sales_model`.

The anomaly score is a density ratio: a network that tells the store's sales from corrupted ones and from a wide
background (noise-contrastive estimation, Gutmann and Hyvärinen, 2010). The quantiles are those of the basket's value
given what is known before the basket is. The split is by time: 60 % to train, 20 % to choose, 20 % to measure.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import keras
import msgspec
import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from simulator import sources
from simulator.sources import Row
from tidemark import data, money
from tidemark.batch import Batch, tabulate
from tidemark.features import SALE, Features, Featurizer
from tidemark.sale import Sale
from tidemark.store import Store
from training import corruption, network
from training.corruption import Corrupt

FOLDER = Path(__file__).resolve().parent.parent / "models" / "sales"
SEED = 7
ROWS = 1_000
FALSE_ALARMS = 0.01
BOOTSTRAPS = 1_000
PARITY = 1e-5


def load(store: Store) -> tuple[pd.DataFrame, str]:
    """The sales in the order of time, one row each in the column `row`, and what they are."""
    path = data.find("supermarket_sales.csv")
    rows = sources.read_csv(path, store.zone) if path else _drawn(store)
    origin = f"supermarket_sales.csv, sha256 {data.FILES[path.name].sha256[:12]}" if path else "drawn (kaggle, seed 1)"
    frame = pd.DataFrame({"row": rows})
    frame["sold_at"] = pd.to_datetime([row["sold_at"] for row in rows], utc=True)
    return frame.sort_values("sold_at", kind="stable", ignore_index=True), origin


def _drawn(store: Store) -> list[Row]:
    drawn = sources.kaggle(1, store)
    return [next(drawn) for _ in range(ROWS)]


def batch(rows: list[Row], store: Store) -> Batch:
    """The rows as serving sees them."""
    return tabulate([msgspec.convert(row, Sale) for row in rows], store)


def corrupted(rows: list[Row], kinds: list[Corrupt], draw: np.random.Generator, store: Store) -> list[Row]:
    """Each row corrupted in one way, the ways in turn."""
    return [kinds[place % len(kinds)](row, draw, store) for place, row in enumerate(rows)]


def train(frame: pd.DataFrame, store: Store) -> tuple[keras.Model, float, dict[str, Any]]:
    """The trained model, its threshold, and what was measured on the last fifth."""
    keras.utils.set_random_seed(SEED)
    draw = np.random.default_rng(SEED)
    featurize = Featurizer(store)
    cut_a, cut_b = int(len(frame) * 0.6), int(len(frame) * 0.8)
    parts = [list(frame["row"][a:b]) for a, b in ((0, cut_a), (cut_a, cut_b), (cut_b, len(frame)))]
    fit, choose, measure = parts
    value = {len(part): _log_value(batch(part, store)) for part in parts}
    model = network.build(len(SALE), len(featurize.context_names), float(np.median(value[len(fit)])))
    _fit_anomaly(model, fit, choose, draw, featurize, store)
    _fit_quantiles(model, fit, choose, featurize, store)
    serving = network.serving(model)
    clean = _scores(serving, featurize(batch(choose, store)))
    threshold = float(max(0.5, np.quantile(clean, 1 - FALSE_ALARMS / 2)))
    return serving, threshold, _measure(serving, threshold, fit, measure, featurize, store)


def _log_value(table: Batch) -> np.ndarray:
    return np.log(table.total / money.SCALE).astype(np.float32)


def _fit_anomaly(
    model: keras.Model,
    fit: list[Row],
    choose: list[Row],
    draw: np.random.Generator,
    featurize: Featurizer,
    store: Store,
) -> None:
    kinds = [*corruption.TRAINED.values(), *[corruption.anything] * len(corruption.TRAINED)]

    def labelled(rows: list[Row], repeats: int) -> tuple[np.ndarray, np.ndarray]:
        good = featurize(batch(rows * repeats, store)).sale
        bad = featurize(batch(corrupted(rows * repeats, kinds, draw, store), store)).sale
        return np.concatenate([good, bad]), np.repeat([0.0, 1.0], [len(good), len(bad)])[:, None]

    tower = keras.Model(model.input["sale"], model.output["anomaly"])
    tower.compile(optimizer=keras.optimizers.Adam(3e-3), loss="binary_crossentropy")
    features, labels = labelled(fit, 8)
    tower.fit(
        features,
        labels,
        validation_data=labelled(choose, 2),
        epochs=60,
        batch_size=256,
        verbose=0,
        callbacks=[keras.callbacks.EarlyStopping(patience=8, restore_best_weights=True)],
    )


def _fit_quantiles(model: keras.Model, fit: list[Row], choose: list[Row], featurize: Featurizer, store: Store) -> None:
    def labelled(rows: list[Row]) -> tuple[np.ndarray, np.ndarray]:
        table = batch(rows, store)
        return featurize(table).context, _log_value(table)[:, None]

    tower = keras.Model(model.input["context"], model.output["quantiles"])
    tower.compile(optimizer=keras.optimizers.Adam(3e-3), loss=network.pinball)
    tower.fit(
        *labelled(fit),
        validation_data=labelled(choose),
        epochs=300,
        batch_size=128,
        verbose=0,
        callbacks=[keras.callbacks.EarlyStopping(patience=20, restore_best_weights=True)],
    )


def _scores(model: keras.Model, features: Features) -> np.ndarray:
    scores: np.ndarray = network.run_keras(model, features.sale, features.context)["anomaly"][:, 0]
    return scores


def _measure(
    model: keras.Model, threshold: float, fit: list[Row], held_out: list[Row], featurize: Featurizer, store: Store
) -> dict[str, Any]:
    draw = np.random.default_rng(SEED + 1)
    table = batch(held_out, store)
    features = featurize(table)
    clean = _scores(model, features)
    faults = {}
    for name, kind in {**corruption.TRAINED, **corruption.UNSEEN}.items():
        bad = _scores(model, featurize(batch(corrupted(held_out, [kind], draw, store), store)))
        labels = np.repeat([0, 1], [len(clean), len(bad)])
        faults[name] = {
            "trained": name in corruption.TRAINED,
            "auc": round(float(roc_auc_score(labels, np.concatenate([clean, bad]))), 3),
            "recall": round(float(np.mean(bad >= threshold)), 3),
        }
    value = np.exp(_log_value(table))
    predicted = network.run_keras(model, features.sale, features.context)["quantiles"]
    constant = np.quantile(np.exp(_log_value(batch(fit, store))), network.QUANTILES)
    ours, theirs = _pinball(value, predicted), _pinball(value, np.broadcast_to(constant, predicted.shape))
    samples = draw.integers(0, len(value), (BOOTSTRAPS, len(value)))
    gains = 1 - ours[samples].mean(1) / theirs[samples].mean(1)
    return {
        "held_out_sales": len(held_out),
        "false_alarms": round(float(np.mean(clean >= threshold)), 4),
        "faults": faults,
        "basket_pinball": round(float(ours.mean()), 2),
        "constant_pinball": round(float(theirs.mean()), 2),
        "gain_over_constant": [round(float(q), 4) for q in np.quantile(gains, (0.025, 0.5, 0.975))],
        "coverage_10_90": round(float(np.mean((value >= predicted[:, 0]) & (value <= predicted[:, 2]))), 3),
    }


def _pinball(value: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    error = value[:, None] - predicted
    levels = np.array(network.QUANTILES)
    loss: np.ndarray = np.maximum(levels * error, (levels - 1) * error).mean(1)
    return loss


def write(model: keras.Model, threshold: float, measured: dict[str, Any], origin: str, store: Store) -> None:
    """Convert, check parity, and write the folder."""
    featurize = Featurizer(store)
    rows, _ = load(store)
    features = featurize(batch(list(rows["row"][:500]), store))
    content = network.to_tflite(model)
    ours = network.run_keras(model, features.sale, features.context)
    served = network.run_tflite(content, features.sale, features.context)
    parity = max(float(np.max(np.abs(ours[k] - served[k]) / np.maximum(1, np.abs(ours[k])))) for k in ours)
    if not parity <= PARITY:  # so that NaN is refused too
        raise SystemExit(f"the TFLite file differs from the Keras model by {parity:.2e}; nothing is written")
    digest = hashlib.sha256(content).hexdigest()
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / "model.tflite").write_bytes(content)
    model.save(FOLDER / "model.keras")
    card = {
        "version": f"sales-1-{digest[:8]}",
        "sha256": digest,
        "threshold": round(threshold, 4),
        "sale_features": SALE,
        "context_features": featurize.context_names,
        "trained_on": origin,
        "trained_at": datetime.now(UTC).date().isoformat(),
        "parity": parity,
        "measured": measured,
    }
    (FOLDER / "model.json").write_text(json.dumps(card, indent=2) + "\n")
    (FOLDER / "CARD.md").write_text(_card(card, len(content)))


def _card(card: dict[str, Any], size: int) -> str:
    m = card["measured"]
    low, middle, high = m["gain_over_constant"]
    verdict = "better than" if low > 0 else "no better than"
    faults = [
        f"| {name} | {'yes' if fault['trained'] else 'no'} | {fault['auc']:.3f} | {fault['recall']:.1%} |"
        for name, fault in m["faults"].items()
    ]
    return "\n".join(
        [
            f"# Model card: {card['version']}",
            "",
            "Written by `python -m training.sales_model`; every figure is from that run.",
            "",
            f"A TFLite file of {size:,} bytes (float32), trained on {card['trained_on']}, {card['trained_at']}. Split "
            f"by time: 60 % to train, 20 % to choose, 20 % ({m['held_out_sales']} sales) to measure. Largest "
            f"difference between Keras and TFLite: {card['parity']:.1e}.",
            "",
            "## Anomaly score",
            "",
            "How much a sale looks like a corrupted one rather than like this store's. Threshold "
            f"{card['threshold']:.4f}, chosen on clean sales; false alarms on held-out clean sales: "
            f"{m['false_alarms']:.2%}.",
            "",
            "| fault | trained on | AUC | found at the threshold |",
            "| --- | --- | --- | --- |",
            *faults,
            "",
            "What it cannot do: prices, quantities and ratings in this file are independent uniform noise, so a wrong "
            "value that lies in the usual range cannot be seen by anybody (`price in range` above: an AUC of .5 is a "
            "coin). The rules find what they name with certainty; the score stands beside them, it does not replace "
            "them.",
            "",
            "## Basket value",
            "",
            "Quantiles 10/50/90 of a basket's value, given branch, product line, customer type, payment, hour and "
            "weekday.",
            f"Pinball loss {m['basket_pinball']}, of the constant quantiles {m['constant_pinball']}: **{verdict} the "
            f"baseline** (gain {middle:.1%}, 95 % interval {low:.1%} to {high:.1%}). The interval 10 to 90 covers "
            f"{m['coverage_10_90']:.1%} of held-out baskets (80 % is meant).",
            "",
            "What it must not be used for: forecasting, stock, or judging customers or staff. There is no signal in "
            "this file to learn from, and the model says so.",
            "",
        ]
    )


def main() -> None:
    """Train and write."""
    store = Store()
    frame, origin = load(store)
    model, threshold, measured = train(frame, store)
    write(model, threshold, measured, origin, store)
    sys.stdout.write(json.dumps(measured, indent=2) + "\n")


if __name__ == "__main__":
    main()
