"""The sales model on LiteRT, the runtime of TFLite files."""

from __future__ import annotations

from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from tidemark.batch import Batch, Bools
from tidemark.errors import TidemarkError
from tidemark.features import Featurizer, Float32s
from tidemark.models.sales_model import PARITY, SalesModel, must_fit
from tidemark.scoring import Scores
from tidemark.store import Store

SIGNATURE = "serving_default"
SAYS = ("anomaly", "quantiles", "segment")


class Network:
    """A TFLite network as a function of `sale` float32[n, s] and `context` float32[n, c], to its outputs by name."""

    def __init__(self, interpreter: Interpreter) -> None:
        self._interpreter = interpreter
        self._run: Any = interpreter.get_signature_runner(SIGNATURE)

    def __call__(self, sale: Float32s, context: Float32s) -> dict[str, Float32s]:
        """One call of the runtime."""
        found: dict[str, Float32s] = self._run(sale=sale, context=context)
        return found


class LiteRtScorer:
    """Scores with a sales model. The interpreter is not thread-safe: one a thread.

    Raises TidemarkError where the model does not fit the store, does not run, or does not say of its own probe what it
    said when it was trained.
    """

    def __init__(self, model: SalesModel, store: Store) -> None:
        must_fit(model, store)
        self._features = Featurizer(store)
        self.model = model
        self.version = model.version
        self.threshold = model.threshold
        self._segments = np.array(model.segments, dtype=np.str_)
        try:
            self.network = Network(Interpreter(model_content=model.network, num_threads=1))
            self._check(model)
        except TidemarkError:
            raise
        except Exception as error:
            raise TidemarkError(f"the network of model {model.version} does not run: {error}") from error

    def _check(self, model: SalesModel) -> None:
        probe = model.probe
        said = self.network(np.array(probe.sale, np.float32), np.array(probe.context, np.float32))
        if missing := [name for name in SAYS if name not in said]:
            raise TidemarkError(f"the network of model {model.version} does not say: {', '.join(missing)}")
        for name in SAYS:
            expected = np.array(getattr(probe, name), np.float64)
            found = said[name].astype(np.float64)
            if not len(expected) or found.shape != expected.shape:
                raise TidemarkError(f"model {model.version}: {name} has the shape {found.shape}, not {expected.shape}")
            off = float(np.max(np.abs(found - expected) / np.maximum(1, np.abs(expected))))
            if not off <= PARITY:  # so that no number is refused too
                raise TidemarkError(
                    f"model {model.version} says something else than when it was trained: {name} is off by {off:.1e}"
                )
        if said["segment"].shape[1] != len(model.segments):
            raise TidemarkError(f"model {model.version} does not name each of its segments")

    def score(self, batch: Batch, flagged: Bools) -> Scores:
        """A sale is an anomaly where a rule hit it or the model's score reaches the threshold."""
        features = self._features(batch)
        found = self.network(features.sale, features.context)
        score = found["anomaly"][:, 0].astype(np.float64)
        return Scores(
            self.version,
            anomaly=flagged | (score >= self.threshold),
            score=score,
            basket_quantiles=found["quantiles"].astype(np.float64),
            segment=self._segments[found["segment"].argmax(axis=1)].tolist(),
        )
