"""Keras and TFLite say the same: of the committed pair, and of any model the conversion is given."""

from __future__ import annotations

import json

import keras
import numpy as np
import pytest

from tidemark.features import SALE, Featurizer
from tidemark.store import Store
from training import network
from training.sales_model import FOLDER, batch, load

CONTEXT = len(Featurizer(Store()).context_names)


def difference(model: keras.Model, content: bytes, sale: np.ndarray, context: np.ndarray) -> float:
    ours = network.run_keras(model, sale, context)
    served = network.run_tflite(content, sale, context)
    assert ours.keys() == served.keys() == {"anomaly", "quantiles"}
    return max(float(np.max(np.abs(ours[name] - served[name]) / np.maximum(1, np.abs(ours[name])))) for name in ours)


@pytest.mark.parametrize("rows", [1, 2, 500])
def test_any_model_survives_the_conversion(rows: int) -> None:
    keras.utils.set_random_seed(rows)
    model = network.serving(network.build(len(SALE), CONTEXT, centre=5))
    draw = np.random.default_rng(rows)
    sale = draw.normal(size=(rows, len(SALE))).astype(np.float32)
    context = draw.normal(size=(rows, CONTEXT)).astype(np.float32)
    content = network.to_tflite(model)
    assert difference(model, content, sale, context) <= 1e-5
    assert difference(model, content, sale + 1, context) <= 1e-5
    assert np.ptp(network.run_keras(model, sale * 3, context)["anomaly"]) > 0 or rows == 1


def test_the_committed_pair_agrees_on_the_sales() -> None:
    model = keras.models.load_model(FOLDER / "model.keras", safe_mode=False)
    store = Store()
    features = Featurizer(store)(batch(list(load(store)[0]["row"]), store))
    content = (FOLDER / "model.tflite").read_bytes()
    assert difference(model, content, features.sale, features.context) <= 1e-5


def test_quantiles_ascend() -> None:
    draw = np.random.default_rng(1)
    model = network.build(len(SALE), CONTEXT, centre=5)
    sale = draw.normal(size=(100, len(SALE))).astype(np.float32)
    context = draw.normal(size=(100, CONTEXT)).astype(np.float32) * 100
    assert np.all(np.diff(network.run_keras(model, sale, context)["quantiles"], axis=1) >= 0)


def test_the_committed_card_is_of_the_committed_file() -> None:
    card = json.loads((FOLDER / "model.json").read_text())
    assert card["version"] in (FOLDER / "CARD.md").read_text()
    assert card["parity"] <= 1e-5
