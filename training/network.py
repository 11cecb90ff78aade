"""What the networks are made of, in Keras, and how they become TFLite files."""

from __future__ import annotations

import itertools
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


@keras.saving.register_keras_serializable(package="tidemark")
class Piecewise(keras.layers.Layer):
    """Numbers cut into pieces: for each piece, how much of it lies below the number, 0 to 1.

    Piece `p` is of feature `feature[p]`, from `low[p]` on, `width[p]` wide.
    """

    def __init__(self, feature: list[int], low: list[float], width: list[float], **named: Any) -> None:
        super().__init__(**named)
        self.feature, self.low, self.width = feature, low, width

    @classmethod
    def of(cls, matrix: np.ndarray, pieces: int) -> Piecewise:
        """Pieces between the quantiles of each column of `matrix`, shape (rows, features)."""
        feature, low, width = [], [], []
        for number, column in enumerate(matrix.T):
            edges = np.unique(np.quantile(column, np.linspace(0, 1, pieces + 1)))
            for begin, end in itertools.pairwise(edges.tolist()):
                feature.append(number)
                low.append(begin)
                width.append(max(end - begin, 1e-6))
        return cls(feature, low, width)

    def call(self, numbers: Any) -> Any:
        """float32[n, features] to float32[n, pieces]."""
        low = keras.ops.convert_to_tensor(np.array(self.low, np.float32))
        width = keras.ops.convert_to_tensor(np.array(self.width, np.float32))
        return keras.ops.clip((keras.ops.take(numbers, self.feature, axis=1) - low) / width, 0.0, 1.0)

    def get_config(self) -> dict[str, Any]:
        """What the layer is made again from."""
        return {**super().get_config(), "feature": self.feature, "low": self.low, "width": self.width}


@keras.saving.register_keras_serializable(package="tidemark")
class Columns(keras.layers.Layer):
    """Some of the columns."""

    def __init__(self, places: list[int], **named: Any) -> None:
        super().__init__(**named)
        self.places = places

    def call(self, matrix: Any) -> Any:
        """float32[n, k] to float32[n, places]."""
        return keras.ops.take(matrix, self.places, axis=1)

    def get_config(self) -> dict[str, Any]:
        """What the layer is made again from."""
        return {**super().get_config(), "places": self.places}


def pinball(y_true: Any, y_pred: Any) -> Any:
    """The mean pinball loss of the three quantiles (Koenker and Bassett, 1978)."""
    error = y_true - y_pred
    levels = keras.ops.convert_to_tensor(QUANTILES, dtype="float32")
    return keras.ops.mean(keras.ops.maximum(levels * error, (levels - 1) * error))


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


def run_tflite(content: bytes, **inputs: np.ndarray) -> dict[str, np.ndarray]:
    """A TFLite file's outputs by name, by the runtime that serves it."""
    from ai_edge_litert.interpreter import Interpreter

    runner = Interpreter(model_content=content).get_signature_runner("serving_default")
    return dict(runner(**inputs))


def parity(model: keras.Model, content: bytes, inputs: dict[str, np.ndarray]) -> float:
    """The largest difference between what Keras says, both ways, and what the TFLite file says; relative above 1.

    NaN where one of them says no number.
    """
    served = run_tflite(content, **inputs)
    given = inputs if isinstance(model.input, dict) else next(iter(inputs.values()))
    worst = 0.0
    for said in (model(given, training=False), model.predict(given, verbose=0)):
        for name, value in served.items():
            ours = np.asarray(said[name], np.float64)
            worst = float(np.maximum(worst, np.max(np.abs(ours - value) / np.maximum(1, np.abs(ours)))))
    return worst
