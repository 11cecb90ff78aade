"""How a column is cut into zones: what a brush moves by, and the bars that are drawn of them.

A column has at most 62 bars; where it is cut finely, a bar holds 8 zones. One code more stands for what is missing.
Two columns make a grid of at most 31 × 31 cells and, in the last row and column, what is missing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt

from tidemark.cubes import kernels

Kind = Literal["number", "time", "category"]
Scale = Literal["each", "linear", "log", "quantile", "calendar"]
Codes: TypeAlias = npt.NDArray[np.unsignedinteger[Any]]
Floats: TypeAlias = npt.NDArray[np.float64]

BARS = 62
FINE = 3
CELLS = 31
OTHER = "(other)"
MISSING = "(missing)"

_NEAR = 1e-300
_FAR = 1e300  # so that differences are numbers too
_WHOLE = 2.0**53  # from here on floats leave out whole numbers
_TAIL = 0.002
"""The share at either end that may lie beyond the drawn range: its bars at the ends are open."""
_BETTER_BITS = 0.5
"""The logarithmic scale is taken where it spreads the rows over so much more entropy of the bars."""
_CROWDED_BITS = 3.0
"""Below this, fewer than some 8 bars hold nearly all rows on either scale: bars of equal counts are taken."""
_CALENDAR_MS = [
    step * 1000
    for step in (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800)
] + [7 * 86_400_000]
_DAY_MS = 86_400_000
_WEEK_BEGINS_MS = 4 * _DAY_MS
"""1970-01-05, a Monday."""
_MONTHS = (1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1_200, 6_000, 12_000, 60_000, 120_000, 600_000)


class Column(msgspec.Struct, frozen=True):
    """A column as it is binned.

    `edges`: where zones begin and the last ends, for numbers in their unit, for times in ms since 1970; zone i holds
    edges[i] ≤ value < edges[i + 1], the first also what lies below, the last what lies above. `labels`: of categories,
    by frequency, the last OTHER where there are more. `fine`: a bar holds 2**fine zones.
    """

    name: str
    kind: Kind
    scale: Scale
    edges: tuple[float, ...] = ()
    labels: tuple[str, ...] = ()
    fine: int = 0

    @property
    def zones(self) -> int:
        """How many codes stand for values."""
        return len(self.labels) if self.kind == "category" else len(self.edges) - 1

    @property
    def bars(self) -> int:
        """How many bars stand for values."""
        return _halved(self.zones, self.fine)

    @property
    def coarse(self) -> int:
        """How many times a code is halved to be a row or column of a grid."""
        return next(times for times in range(16) if _halved(self.zones, times) <= CELLS)

    @property
    def missing(self) -> int:
        """The code of what is missing: the first of a bar and of a cell, where no value is."""
        times = max(self.fine, self.coarse)
        return _halved(self.zones, times) << times

    @property
    def dtype(self) -> type[np.uint8] | type[np.uint16]:
        """What a code is kept in."""
        return np.uint8 if self.missing < 256 else np.uint16

    def encode(self, values: Floats) -> Codes:
        """The codes of numbers or times, NaN where they are missing."""
        codes: Codes = np.empty(len(values), self.dtype)
        kernels.encode(values, np.array(self.edges), self.missing, codes)
        return codes


def _halved(count: int, times: int) -> int:
    return (count + (1 << times) - 1) >> times


def of_numbers(name: str, sample: Floats, whole: bool) -> Column:
    """A column of numbers, from some of its values. `whole`: they are whole numbers."""
    known = sample[np.abs(sample) < _FAR]  # those beyond are in the first and the last zone
    if len(known) == 0:
        return Column(name, "number", "each", (0.0, 1.0))
    least, most = float(known.min()), float(known.max())
    if whole and most - least < BARS and max(-least, most) < _WHOLE:
        return Column(name, "number", "each", tuple(float(edge) for edge in np.arange(least, most + 2)))
    low, high = (float(value) for value in np.quantile(known, [_TAIL, 1 - _TAIL]))
    if high <= low:
        low, high = least, most
    if high - low < _NEAR:
        return _one_zone(name, low)
    scale: Scale = "linear"
    edges: Floats = _linear(low, high)
    if low > 0:
        powers: Floats = np.geomspace(low, high, BARS * 8 + 1)
        if _spread(known, powers) > _spread(known, edges) + _BETTER_BITS:
            scale, edges = "log", powers
    if _spread(known, edges) < _CROWDED_BITS:
        quantiles = np.unique(np.quantile(known, np.linspace(0, 1, BARS * 8 + 1)))
        if len(quantiles) > BARS:
            scale, edges = "quantile", quantiles[: (len(quantiles) - 1) // 8 * 8 + 1]
    if not (np.isfinite(edges).all() and (np.diff(edges) > 0).all()):  # too near each other, or too far apart
        return _one_zone(name, least)
    return Column(name, "number", scale, tuple(float(edge) for edge in edges), fine=FINE)


def _one_zone(name: str, value: float) -> Column:
    """A column whose values are not told apart."""
    above = math.nextafter(value, math.inf)
    edges = (value, above) if math.isfinite(above) else (math.nextafter(value, 0.0), value)
    return Column(name, "number", "each", edges)


def of_times(name: str, least_ms: float, most_ms: float) -> Column:
    """A column of times, all of which lie between two, in ms since 1970: bars of the calendar."""
    for step in _CALENDAR_MS:
        begin = _WEEK_BEGINS_MS if step > _DAY_MS else 0
        first, last = ((moment - begin) // step for moment in (least_ms, most_ms))
        if last - first < BARS:
            bars = np.arange(first, last + 2) * step + begin
            break
    else:
        months = np.array([int(least_ms), int(most_ms)], "datetime64[ms]").astype("datetime64[M]").astype(int)
        step = next(step for step in _MONTHS if months[1] // step - months[0] // step < BARS)
        counted = np.arange(months[0] // step, months[1] // step + 2) * step
        bars = counted.astype("datetime64[M]").astype("datetime64[ms]").astype(np.float64)
    parts = np.linspace(0, 1, 1 << FINE, endpoint=False)
    zones = (bars[:-1, None] + parts * np.diff(bars)[:, None]).ravel()
    return Column(name, "time", "calendar", (*(float(zone) for zone in zones), float(bars[-1])), fine=FINE)


def of_categories(name: str, by_frequency: Sequence[str]) -> Column:
    """A column of categories, the most frequent first."""
    labels = tuple(by_frequency) if len(by_frequency) <= BARS else (*by_frequency[: BARS - 1], OTHER)
    return Column(name, "category", "each", labels=labels)


def _linear(low: float, high: float) -> Floats:
    """Zones whose bars are 1, 2, 2.5 or 5 of a power of ten wide, and begin at a multiple of that."""
    power = 10.0 ** max(math.floor(math.log10((high - low) / BARS)), -300)
    for step in (1.0, 2.0, 2.5, 5.0, 10.0, 20.0):
        first, last = math.floor(low / (step * power)), math.floor(high / (step * power))
        if last - first < BARS:
            break
    return np.arange(first * 8, (last + 1) * 8 + 1, dtype=np.float64) * (step * power / 8)


def _spread(values: Floats, edges: Floats) -> float:
    """The entropy of bars, in bits."""
    bars = np.clip((np.searchsorted(edges, values, side="right") - 1) >> FINE, 0, BARS - 1)
    shares = np.bincount(bars) / len(values)
    shares = shares[shares > 0]
    return float(-(shares * np.log2(shares)).sum())
