"""The first sales network, in Keras: two small towers, an anomaly score and the quantiles of the basket's value."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

QUANTILES = (0.1, 0.5, 0.9)


@keras.saving.register_keras_serializable(package="tidemark")
class Ascending(keras.layers.Layer):
    """Three free numbers become three ascending ones: the first, and two steps up."""

    def call(self, raw: Any) -> Any:
        """float32[n, 3] to float32[n, 3]."""
        steps = keras.ops.softplus(raw[:, 1:])
        return keras.ops.concatenate([raw[:, :1], raw[:, :1] + keras.ops.cumsum(steps, axis=1)], axis=1)


def build(sale_features: int, context_features: int, centre: float) -> keras.Model:
    """`sale` float32[n, s] and `context` float32[n, c] to `anomaly` float32[n, 1] in 0 to 1 and `quantiles`
    float32[n, 3], log of currency units; `centre` is where the logs begin."""
    sale = keras.Input((sale_features,), name="sale")
    hidden = keras.layers.Dense(32, activation="relu")(sale)
    hidden = keras.layers.Dense(32, activation="relu")(hidden)
    anomaly = keras.layers.Dense(1, activation="sigmoid", name="anomaly")(hidden)

    context = keras.Input((context_features,), name="context")
    hidden = keras.layers.Dense(8, activation="relu", kernel_regularizer=keras.regularizers.L2(1e-3))(context)
    raw = keras.layers.Dense(3, bias_initializer=keras.initializers.Constant([centre - 1.5, 0.5, 0.5]))(hidden)
    quantiles = Ascending(name="quantiles")(raw)
    return keras.Model({"sale": sale, "context": context}, {"anomaly": anomaly, "quantiles": quantiles}, name="sales")


def pinball(y_true: Any, y_pred: Any) -> Any:
    """The mean pinball loss of the three quantiles (Koenker and Bassett, 1978)."""
    error = y_true - y_pred
    levels = keras.ops.convert_to_tensor(QUANTILES, dtype="float32")
    return keras.ops.mean(keras.ops.maximum(levels * error, (levels - 1) * error))


def serving(model: keras.Model) -> keras.Model:
    """The model as it is served: quantiles in currency units."""
    found = model.output
    in_currency = keras.layers.Activation("exponential", name="currency")(found["quantiles"])
    return keras.Model(model.input, {"anomaly": found["anomaly"], "quantiles": in_currency}, name="sales_serving")


def to_tflite(model: keras.Model) -> bytes:
    """A float32 TFLite file with the signature `serving_default`: outputs by name."""
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "saved")
        model.export(path, format="tf_saved_model", verbose=False)
        return bytes(tf.lite.TFLiteConverter.from_saved_model(path).convert())


def run_keras(model: keras.Model, sale: np.ndarray, context: np.ndarray) -> dict[str, np.ndarray]:
    """The model's outputs by name."""
    found = model({"sale": sale, "context": context}, training=False)
    return {name: np.asarray(tensor) for name, tensor in found.items()}


def run_tflite(content: bytes, sale: np.ndarray, context: np.ndarray) -> dict[str, np.ndarray]:
    """A TFLite file's outputs by name, by the runtime that serves it."""
    from ai_edge_litert.interpreter import Interpreter

    runner = Interpreter(model_content=content).get_signature_runner("serving_default")
    return dict(runner(sale=sale, context=context))
