"""The gate between a challenger and the champion, for every model of Tidemark.

A challenger takes over only where it is better than the champion *and* than the baseline by more than chance: the whole
bootstrap interval of the gain, on rows that neither has learnt from, lies above zero. Kept or refused, the decision is
recorded with its reason.
"""

from __future__ import annotations

import msgspec
import numpy as np
import numpy.typing as npt

from tidemark.models.champion import Gain

RESAMPLES = 2_000
CONFIDENCE = 0.95
SEED = 42
NO_CHAMPION = "there was no champion"

Losses = npt.NDArray[np.float64]


class Measure(msgspec.Struct, frozen=True):
    """What the rows' losses come to, for the reason's words: `unit` stands before a figure, such as "$"; `rooted`: the
    losses are squares, and the root of their mean is told."""

    name: str = "RMSE"
    unit: str = ""
    rooted: bool = True
    digits: int = 0


class Verdict(msgspec.Struct, frozen=True):
    """Whether the challenger takes over, and why."""

    promoted: bool
    reason: str
    over_baseline: Gain
    over_champion: Gain | None


def gain(challenger: Losses, other: Losses, measure: Measure) -> Gain:
    """The gain over another model; losses of the same rows, each of shape (n,), resampled together."""
    random = np.random.default_rng(SEED)
    both = np.column_stack([challenger, other])
    gains = np.empty(RESAMPLES)
    for resample in range(RESAMPLES):
        mine, theirs = _finished(both[random.integers(0, len(both), len(both))], measure)
        gains[resample] = theirs - mine
    mine, theirs = _finished(both, measure)
    low, high = np.quantile(gains, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Gain(float(theirs - mine), float(low), float(high))


def _finished(losses: Losses, measure: Measure) -> Losses:
    means: Losses = losses.mean(axis=0)
    return np.sqrt(means) if measure.rooted else means


def judge(
    challenger: Losses, baseline: Losses, champion: Losses | None, measure: Measure, *, none: str = NO_CHAMPION
) -> Verdict:
    """Whether a challenger takes over. Losses on the same rows; `champion` None where none can be compared, for the
    reason `none`."""
    over_baseline = gain(challenger, baseline, measure)
    over_champion = None if champion is None else gain(challenger, champion, measure)

    def said(promoted: bool, words: str) -> Verdict:
        return Verdict(promoted, f"{'promoted' if promoted else 'refused'}: {words}", over_baseline, over_champion)

    if over_baseline.low <= 0:
        return said(False, _words(over_baseline, measure, "the baseline"))
    if over_champion is None:
        return said(True, f"{none}, and it is {_words(over_baseline, measure, 'the baseline')}")
    return said(over_champion.low > 0, _words(over_champion, measure, "the champion"))


def _words(gain: Gain, measure: Measure, than: str) -> str:
    interval = f"95 % interval {_signed(gain.low, measure)} to {_signed(gain.high, measure)}"
    if gain.low > 0:
        return f"better than {than} by {_figure(gain.value, measure)} of {measure.name} ({interval})"
    if gain.high < 0:
        return f"worse than {than} by {_figure(-gain.value, measure)} of {measure.name} ({interval})"
    return f"not better than {than} beyond chance: {_signed(gain.value, measure)} of {measure.name} ({interval})"


def _figure(value: float, measure: Measure) -> str:
    return f"{measure.unit}{value:,.{measure.digits}f}"


def _signed(value: float, measure: Measure) -> str:
    return f"{'−' if value < 0 else '+'}{_figure(abs(value), measure)}"
