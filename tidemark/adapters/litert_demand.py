"""The demand model on LiteRT, the runtime of TFLite files."""

from __future__ import annotations

from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from tidemark.errors import TidemarkError
from tidemark.models import demand_model
from tidemark.models.demand import Float32s, Series
from tidemark.models.demand_model import PARITY, DemandModel
from tidemark.models.forecasts import Forecasts

SIGNATURE = "serving_default"
SAYS = ("mean", "quantiles")
AT_ONCE = 16_384  # rows of one call, so that memory stays bounded


class LiteRtDemand:
    """Forecasts with a demand model. The interpreter is not thread-safe: one a thread.

    Raises TidemarkError where the model does not run, or does not say of its own probe what it said when it was
    trained.
    """

    def __init__(self, model: DemandModel) -> None:
        self.model = model
        self.version = model.version
        try:
            interpreter = Interpreter(model_content=model.network, num_threads=1)
            self._run: Any = interpreter.get_signature_runner(SIGNATURE)
            self._check()
        except TidemarkError:
            raise
        except Exception as error:
            raise TidemarkError(f"the network of model {model.version} does not run: {error}") from error

    def __call__(self, features: Float32s, level: Float32s) -> dict[str, Float32s]:
        """The network, see `demand_model.Says`."""
        parts = [
            self._run(features=features[begin : begin + AT_ONCE], level=level[begin : begin + AT_ONCE])
            for begin in range(0, len(features), AT_ONCE)
        ]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def forecast(self, found: Series, at: int) -> Forecasts:
        """See `demand_model.forecast`."""
        return demand_model.forecast(self.model, self, found, at)

    def _check(self) -> None:
        model, probe = self.model, self.model.probe
        features = np.array(probe.features, np.float32)
        if features.ndim != 2 or features.shape[1] != len(model.features):
            raise TidemarkError(f"model {model.version} has no probe of its {len(model.features)} features")
        said = self(features, np.array(probe.level, np.float32))
        if missing := [name for name in SAYS if name not in said]:
            raise TidemarkError(f"the network of model {model.version} does not say: {', '.join(missing)}")
        for name in SAYS:
            expected, found = np.array(getattr(probe, name), np.float64), said[name].astype(np.float64)
            if found.shape != expected.shape:
                raise TidemarkError(f"model {model.version}: {name} has the shape {found.shape}, not {expected.shape}")
            off = float(np.max(np.abs(found - expected) / np.maximum(1, np.abs(expected))))
            if not off <= PARITY:  # so that no number is refused too
                raise TidemarkError(
                    f"model {model.version} says something else than when it was trained: {name} is off by {off:.1e}"
                )
