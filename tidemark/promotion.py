"""The gate between a challenger and the champion, for every model of Tidemark.

A challenger takes over only where it is better than the champion *and* than the baseline by more than chance: the whole
bootstrap interval of the gain, on rows that neither has learnt from, lies above zero. Kept or refused, the decision is
recorded with its reason.
"""

from __future__ import annotations

import msgspec
import numpy as np
import numpy.typing as npt

from tidemark.champion import Gain

RESAMPLES = 2_000
CONFIDENCE = 0.95
SEED = 42
NO_CHAMPION = "there was no champion"

Losses = npt.NDArray[np.float64]


class Verdict(msgspec.Struct, frozen=True):
    """Whether the challenger takes over, and why."""

    promoted: bool
    reason: str
    over_baseline: Gain
    over_champion: Gain | None


def gain(challenger: Losses, other: Losses) -> Gain:
    """The gain over another model; squared losses of the same rows, each of shape (n,), resampled together."""
    random = np.random.default_rng(SEED)
    both = np.column_stack([challenger, other])
    gains = np.empty(RESAMPLES)
    for resample in range(RESAMPLES):
        mine, theirs = np.sqrt(both[random.integers(0, len(both), len(both))].mean(axis=0))
        gains[resample] = theirs - mine
    mine, theirs = np.sqrt(both.mean(axis=0))
    low, high = np.quantile(gains, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Gain(float(theirs - mine), float(low), float(high))


def judge(
    challenger: Losses, baseline: Losses, champion: Losses | None, *, unit: str = "", none: str = NO_CHAMPION
) -> Verdict:
    """Whether a challenger takes over. Squared losses on the same rows; `champion` None where none can be compared.

    `unit` stands before a figure in the reason's words, such as "$"; `none` says why there is no champion.
    """
    over_baseline = gain(challenger, baseline)
    over_champion = None if champion is None else gain(challenger, champion)
    if over_baseline.low <= 0:
        return Verdict(False, f"refused: {_words(over_baseline, unit, 'the baseline')}", over_baseline, over_champion)
    if over_champion is None:
        reason = f"promoted: {none}, and it is {_words(over_baseline, unit, 'the baseline')}"
        return Verdict(True, reason, over_baseline, None)
    if over_champion.low <= 0:
        return Verdict(False, f"refused: {_words(over_champion, unit, 'the champion')}", over_baseline, over_champion)
    return Verdict(True, f"promoted: {_words(over_champion, unit, 'the champion')}", over_baseline, over_champion)


def _words(gain: Gain, unit: str, than: str) -> str:
    interval = f"95 % interval {_signed(gain.low, unit)} to {_signed(gain.high, unit)}"
    if gain.low > 0:
        return f"better than {than} by {unit}{gain.value:,.0f} of RMSE ({interval})"
    if gain.high < 0:
        return f"worse than {than} by {unit}{-gain.value:,.0f} of RMSE ({interval})"
    return f"not better than {than} beyond chance: {_signed(gain.value, unit)} of RMSE ({interval})"


def _signed(value: float, unit: str) -> str:
    return f"{'−' if value < 0 else '+'}{unit}{abs(value):,.0f}"
