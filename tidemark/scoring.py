"""Scoring a batch of sales. Rules always look; a model may look beside them.

The seam for models is `Scorer`: anything with a version that scores a batch.
"""

from __future__ import annotations

from typing import Protocol

import msgspec
import numpy as np
import numpy.typing as npt

from tidemark.batch import Batch, Bools


class Beside(msgspec.Struct, frozen=True):
    """What another model than the one that answers says of the same `n` sales: float64[n] in 0 to 1."""

    model: str
    score: npt.NDArray[np.float64]


class Scores(msgspec.Struct, frozen=True):
    """Scores of `n` sales; None where only rules look.

    `model`: the version that says so. `score`: float64[n] in 0 to 1. `basket_quantiles`: float64[n, 3], currency units.
    `segment`: a name each. `shadow`: what another model says of them.
    """

    model: str
    anomaly: Bools
    score: npt.NDArray[np.float64] | None = None
    basket_quantiles: npt.NDArray[np.float64] | None = None
    segment: list[str] | None = None
    shadow: Beside | None = None


class Scorer(Protocol):
    """A model. Not thread-safe unless it says so."""

    @property
    def version(self) -> str:
        """Name and version, as every answer and every stored sale carries it."""

    def score(self, batch: Batch, flagged: Bools) -> Scores:
        """Scores of the `n` sales; `flagged`: which of them a rule hit."""


class RulesOnly:
    """No model: a sale is an anomaly where a rule hit it."""

    version = "rules-1"

    def score(self, batch: Batch, flagged: Bools) -> Scores:
        """The anomalies are the flagged."""
        return Scores(self.version, anomaly=flagged)
