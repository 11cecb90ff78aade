"""How far a count of a sample may lie from the count of all rows."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Z = 1.959964
"""The normal distribution's quantile at 97.5 %."""


class Estimate(NamedTuple):
    """Counts of all rows as a sample tells them, with the ends of their 95 % intervals, all of one shape."""

    rows: npt.NDArray[np.float64]
    least: npt.NDArray[np.float64]
    most: npt.NDArray[np.float64]


def estimate(found: npt.NDArray[np.uint32], counted: int, rows: int) -> Estimate:
    """Of `rows` rows, `counted` were drawn without putting back and `found` of them lay in each bin.

    Wilson's interval for the share (Wilson, JASA 22, 1927), narrowed by what drawing without putting back leaves open
    (Cochran, Sampling Techniques, 1977: the finite population correction).
    """
    share = found / counted
    square = Z**2 * (rows - counted) / max(rows - 1, 1) / counted
    middle = (share + square / 2) / (1 + square)
    half = np.sqrt(square * share * (1 - share) + square**2 / 4) / (1 + square)
    low, high = np.maximum(middle - half, 0), np.minimum(middle + half, 1)
    return Estimate(share * rows, np.maximum(low * rows, found), high * rows)
