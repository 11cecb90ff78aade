"""Whether prices have moved, from one sale after another: cumulative sums (Page, 1954) on the logarithm of the price.

Each price is held against what its product line cost when the model learnt: how many standard deviations it is off. Two
sums, one for dearer and one for cheaper, grow where prices are off by more than half of the shift that matters, and
alarm when they are far from nought.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt

SHIFT = 1.25
"""The change of prices that is to be found soon: by a quarter."""
CLEAN_SALES = 1_000_000.0
"""How many clean sales there are between two false alarms, on average and by Siegmund's approximation."""
FEWEST = 20
"""Sales of a line below which nothing is known of its prices: those of all lines together stand in."""

Floats: TypeAlias = npt.NDArray[np.float64]


class Prices(msgspec.Struct, frozen=True):
    """What prices were: mean and standard deviation of the log of a line's prices, and of all lines' together; and
    `spread`, the standard deviation of all prices about their own lines' means."""

    lines: dict[str, tuple[float, float]]
    all_lines: tuple[float, float]
    spread: float


class Moved(msgspec.Struct, frozen=True):
    """An alarm: after which of the sales (from 1), since which of them, and by what factor prices moved since."""

    at: int
    since: int
    factor: float


def learn(lines: Sequence[str], prices: Floats) -> Prices:
    """What the prices of some sales are; `prices`: float64[n], currency units, above nought."""
    logs, names = np.log(prices), np.array(lines)
    mean, spread = float(logs.mean()), max(float(logs.std()), 1e-6)
    found: dict[str, tuple[float, float]] = {}
    for name in np.unique(names).tolist():
        own = logs[names == name]
        if len(own) >= FEWEST:
            found[name] = float(own.mean()), max(float(own.std()), 1e-6)
    off = logs - np.array([found.get(name, (mean, spread))[0] for name in names.tolist()])
    return Prices(found, (mean, spread), max(float(off.std()), 1e-6))


def moved(lines: Sequence[str], prices: Floats, reference: Prices) -> Moved | None:
    """The first alarm in some sales, in the order of time; None where there is none."""
    of = np.array([reference.lines.get(line, reference.all_lines) for line in lines]).reshape(-1, 2)
    off = (np.log(prices) - of[:, 0]) / of[:, 1]
    aim = np.log(SHIFT) / reference.spread  # the shift, in standard deviations
    limit = _limit(aim / 2)
    found = [one for sign in (1.0, -1.0) if (one := _first(sign * off, aim / 2, limit)) is not None]
    if not found:
        return None
    at, since = min(found)
    logs = np.log(prices[since:at]) - of[since:at, 0]
    return Moved(at, since + 1, round(float(np.exp(logs.mean())), 4))


def _first(off: Floats, allowed: float, limit: float) -> tuple[int, int] | None:
    """After how many values the sum passes the limit, and how many came before it left nought for the last time."""
    walk = np.concatenate([[0.0], np.cumsum(off - allowed)])
    lowest = np.minimum.accumulate(walk)
    over = np.flatnonzero(walk - lowest > limit)
    if not len(over):
        return None
    at = int(over[0])
    return at, int(np.flatnonzero(walk[:at] == lowest[at])[-1])


def _limit(allowed: float) -> float:
    """How far a sum must be from nought, so that clean sales reach it once in `CLEAN_SALES` (Siegmund, 1985)."""
    low, high = 0.0, 1_000.0 / allowed
    for _ in range(100):
        middle = (low + high) / 2
        reach = 2 * allowed * (middle + 1.166)
        # Two sums, one up and one down: each alarms half as often.
        clean = (np.exp(min(reach, 700.0)) - reach - 1) / (2 * allowed**2) / 2
        low, high = (middle, high) if clean < CLEAN_SALES else (low, middle)
    return high
