"""The sales model on LiteRT, the runtime of TFLite files.

A model is a folder: `model.tflite`, and `model.json`, which says what it is, what it takes and where its threshold is.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec
import numpy as np
from ai_edge_litert.interpreter import Interpreter

from tidemark.batch import Batch, Bools
from tidemark.errors import TidemarkError
from tidemark.features import SALE, Featurizer
from tidemark.scoring import Scores
from tidemark.store import Store

SIGNATURE = "serving_default"


class ModelCard(msgspec.Struct, frozen=True):
    """`model.json`. `threshold`: a score from which on a sale is an anomaly. `sha256`: of `model.tflite`."""

    version: str
    sha256: str
    threshold: float
    sale_features: tuple[str, ...]
    context_features: tuple[str, ...]


class LiteRtScorer:
    """Scores with a TFLite model. The interpreter is not thread-safe: one a thread.

    Raises TidemarkError where the folder does not hold a model that fits the store's features.
    """

    def __init__(self, folder: Path, store: Store) -> None:
        self._features = Featurizer(store)
        try:
            content = (folder / "model.tflite").read_bytes()
            card = msgspec.json.decode((folder / "model.json").read_bytes(), type=ModelCard)
        except (OSError, msgspec.MsgspecError) as error:
            raise TidemarkError(f"no model in {folder}: {error}") from None
        if hashlib.sha256(content).hexdigest() != card.sha256:
            raise TidemarkError(f"the model in {folder} is not the one that its model.json speaks of (sha256 differs)")
        if (card.sale_features, card.context_features) != (SALE, self._features.context_names):
            raise TidemarkError(f"the model in {folder} was trained on other features than this store has")
        self.version = card.version
        self.threshold = card.threshold
        self._interpreter = Interpreter(model_content=content, num_threads=1)
        self._run = self._interpreter.get_signature_runner(SIGNATURE)

    def score(self, batch: Batch, flagged: Bools) -> Scores:
        """A sale is an anomaly where a rule hit it or the model's score reaches the threshold."""
        features = self._features(batch)
        found = self._run(sale=features.sale, context=features.context)
        score = found["anomaly"][:, 0].astype(np.float64)
        return Scores(
            anomaly=flagged | (score >= self.threshold),
            score=score,
            basket_quantiles=found["quantiles"].astype(np.float64),
        )
