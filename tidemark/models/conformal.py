"""Intervals that keep their coverage while the world changes: recalibrated on the newest outcomes.

A model's own quantiles are widened or narrowed by how far the last outcomes lay outside them (conformalised quantile
regression: Romano, Patterson and Candès, 2019), and the level aimed at follows what was missed (adaptive conformal
inference: Gibbs and Candès, 2021). Nothing of an outcome is used before it is known.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

COVERAGE = 0.8
WINDOW = 500
RATE = 0.01
"""By how much one miss moves the level that is aimed at."""

Floats: TypeAlias = npt.NDArray[np.floating[Any]]


def recalibrated(
    true: Floats,
    low: Floats,
    high: Floats,
    *,
    known_after: npt.NDArray[np.intp] | None = None,
    before: Floats | None = None,
    window: int = WINDOW,
    rate: float = RATE,
) -> Floats:
    """By how much each interval is moved outwards, in the outcomes' unit; below 0: inwards. Shape (n,).

    Rows are in the order of time. `known_after`: the first row at whose prediction each row's outcome is known, by
    default the next. `before`: scores (see `score`) of rows before the first, the oldest first.
    """
    count = len(true)
    scores = score(true, low, high)
    arrives = np.arange(1, count + 1) if known_after is None else known_after
    recent = deque([] if before is None else before[-window:].tolist())
    ranked = sorted(recent)
    order = np.argsort(arrives, kind="stable")
    margin = np.zeros(count)
    aim, taken = COVERAGE, 0
    for row in range(count):
        while taken < count and arrives[order[taken]] <= row:
            known = order[taken]
            inside = scores[known] <= margin[known]
            aim = min(max(aim + rate * (COVERAGE - inside), 0.0), 1.0)
            recent.append(float(scores[known]))
            insort(ranked, recent[-1])
            if len(recent) > window:
                del ranked[bisect_left(ranked, recent.popleft())]
            taken += 1
        if ranked:
            margin[row] = _quantile(ranked, aim)
    return margin


def score(true: Floats, low: Floats, high: Floats) -> Floats:
    """How far outside its interval each outcome lies; below 0: inside. Shape (n,)."""
    found: Floats = np.maximum(low - true, true - high)
    return found


def _quantile(ranked: Sequence[float], level: float) -> float:
    """The quantile that holds a share `level` of outcomes to come, as far as they are like the recent ones."""
    place = int(np.ceil(level * (len(ranked) + 1))) - 1
    return ranked[min(max(place, 0), len(ranked) - 1)]
