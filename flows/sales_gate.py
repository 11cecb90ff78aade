"""The gate in front of the sales: whether a challenger scores them, by evidence, and only where it is whole and quick.

The champion and the challenger were judged on the same held-out sales, clean and corrupted. A challenger must be better
at telling them apart than the rules alone and than the champion, beyond chance; it must not be worse at baskets; it
must say on LiteRT what it said in Keras, be no larger than what serves can hold, and be quick.
"""

from __future__ import annotations

import time

import msgspec
import numpy as np

from flows.trainer import Losses
from tidemark.adapters.litert_model import LiteRtScorer
from tidemark.errors import TidemarkError
from tidemark.models import promotion, sales_model
from tidemark.models.promotion import Measure, Verdict
from tidemark.models.sales_model import PARITY
from tidemark.store import Store

ENTROPY = Measure("cross entropy", rooted=False, digits=4)
PINBALL = Measure("pinball loss", rooted=False, digits=4)
SLOWEST_US = 200.0
"""What scoring one sale may take, of a processor where the flows run."""
TIMED = 500


def unfit(content: bytes, parity: float, store: Store) -> str | None:
    """Why a model may not score at all, not even in the shadow; None where it may. `parity`: how far its TFLite file
    was from Keras when it was made."""
    if not parity <= PARITY:  # so that no number is refused too
        return f"the TFLite file differs from the Keras model by {parity:.1e}, more than {PARITY:.0e}"
    try:
        took = microseconds(LiteRtScorer(sales_model.loads(content), store))
    except TidemarkError as error:
        return str(error)
    if took > SLOWEST_US:
        return f"one sale takes {took:,.0f} µs to score, more than {SLOWEST_US:,.0f}"
    return None


def judge(losses: Losses, fault: str | None) -> Verdict:
    """Whether a challenger takes over; `fault`: why it may not score at all."""
    verdict = promotion.judge(
        losses["anomaly/ours"], losses["anomaly/baseline"], losses.get("anomaly/champion"), ENTROPY
    )
    if fault is None and verdict.promoted:
        fault = _worse_at_baskets(losses)
    return msgspec.structs.replace(verdict, promoted=False, reason=f"refused: {fault}") if fault else verdict


def microseconds(scorer: LiteRtScorer) -> float:
    """What scoring one sale takes here, the median of many."""
    widths = (len(names) for names in (scorer.model.sale_features, scorer.model.context_features))
    sale, context = (np.zeros((1, width), np.float32) for width in widths)
    took = []
    for _ in range(TIMED):
        began = time.perf_counter()
        scorer.network(sale, context)
        took.append(time.perf_counter() - began)
    return float(np.median(took)) * 1e6


def _worse_at_baskets(losses: Losses) -> str | None:
    if "quantiles/champion" not in losses:
        return None
    baskets = promotion.gain(losses["quantiles/ours"], losses["quantiles/champion"], PINBALL)
    if baskets.high >= 0:
        return None
    return f"worse than the champion at baskets, by {-baskets.value:.4f} of pinball loss"
