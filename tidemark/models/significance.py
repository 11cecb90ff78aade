"""Measures of association from contingency tables, and how likely chance gives as much.

Tests take rows as independent. Blocks beside each other are not, so that p-values are lower bounds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy import special  # scipy.stats takes a second to import

ROUNDING = 1e-12
"""Of a sum of squares: what is left below it, once the mean's part is taken off, is rounding and no spread."""

Counts: TypeAlias = npt.NDArray[np.float64]
"""A contingency table: rows by columns, numbers of rows of the data."""


class ChiSquared(NamedTuple):
    """Pearson's statistic; `p` is None where the table has no two rows and columns."""

    statistic: float
    p: float | None


class Information(NamedTuple):
    """Mutual information in nats as counted (`plug_in`) and with Miller and Madow's correction of its bias."""

    plug_in: float
    corrected: float
    p: float | None


def filled(counts: Counts) -> Counts:
    """Without empty rows and columns."""
    kept: Counts = counts[counts.sum(axis=1) > 0][:, counts.sum(axis=0) > 0]
    return kept


def chi_squared(counts: Counts) -> ChiSquared:
    """Pearson's test of independence, without Yates' correction."""
    table = filled(counts)
    if min(table.shape) < 2:
        return ChiSquared(0.0, None)
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    statistic = float(((table - expected) ** 2 / expected).sum())
    return ChiSquared(statistic, float(special.chdtrc(_freedom(table), statistic)))


def cramers_v(counts: Counts) -> float | None:
    """Cramér's V with Bergsma's correction of its bias (J. Korean Stat. Soc. 42, 2013), 0..1."""
    table = filled(counts)
    n, (r, k) = float(table.sum()), table.shape
    if min(r, k) < 2 or n < 2:
        return None
    phi2 = max(0.0, chi_squared(table).statistic / n - (k - 1) * (r - 1) / (n - 1))
    smaller = min(k - (k - 1) ** 2 / (n - 1), r - (r - 1) ** 2 / (n - 1)) - 1
    return math.sqrt(min(phi2 / smaller, 1.0)) if smaller > 0 else None


def mutual_information(counts: Counts) -> Information:
    """In nats. Miller and Madow (1955): each entropy grows by (cells in use - 1) / 2n. p: the G-test's."""
    table = filled(counts)
    n = float(table.sum())
    if n == 0:
        return Information(0.0, 0.0, None)
    cells = table[table > 0] / n
    plug_in = _entropy(table.sum(axis=1) / n) + _entropy(table.sum(axis=0) / n) - _entropy(cells)
    r, k = table.shape
    corrected = plug_in + (r + k - len(cells) - 1) / (2 * n)
    p = float(special.chdtrc(_freedom(table), 2 * n * plug_in)) if min(r, k) > 1 else None
    return Information(max(plug_in, 0.0), corrected, p)


def _entropy(shares: Counts) -> float:
    return float(-(shares * np.log(shares)).sum())


def _freedom(table: Counts) -> int:
    rows, columns = table.shape
    return (int(rows) - 1) * (int(columns) - 1)


def correlation_p(r: float | None, rows: int) -> float | None:
    """Two-sided p of a correlation coefficient of no correlation, by Student's t with `rows` - 2 degrees."""
    if r is None or rows < 3:
        return None
    if abs(r) >= 1:
        return 0.0
    return float(2 * special.stdtr(rows - 2, -abs(r) * math.sqrt((rows - 2) / (1 - r * r))))


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Each p-value, corrected for how many there are (Holm, Scand. J. Stat. 6, 1979). None stays None."""
    order = sorted((p, place) for place, p in enumerate(p_values) if p is not None)
    corrected: list[float | None] = [None] * len(p_values)
    highest = 0.0
    for rank, (p, place) in enumerate(order):
        highest = max(highest, min(1.0, (len(order) - rank) * p))
        corrected[place] = highest
    return corrected


def mean_interval(rows: int, total: float, squares: float) -> tuple[float | None, float | None, float | None]:
    """Sample sd, and the 95 % interval of a mean (Student's t), from sums of values and of their squares."""
    if rows < 2:
        return None, None, None
    mean = total / rows
    about = squares - rows * mean * mean
    sd = math.sqrt(about / (rows - 1)) if about > ROUNDING * squares else 0.0
    reach = float(special.stdtrit(rows - 1, 0.975)) * sd / math.sqrt(rows)
    return sd, mean - reach, mean + reach
