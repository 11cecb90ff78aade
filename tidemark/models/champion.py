"""Who serves, and what the promotion gate said of those who would like to."""

from __future__ import annotations

import msgspec


class Gain(msgspec.Struct, frozen=True):
    """By how much the challenger's root mean loss is smaller, with its 95 % interval; in the loss's unit."""

    value: float
    low: float
    high: float


class Decision(msgspec.Struct, frozen=True):
    """What the gate said of one challenger, or who was brought back by hand.

    `at`: milliseconds since 1970. `model`: what is modelled (`housing`). `challenger`, `champion`: fingerprints;
    `champion` None where there was none. `rows`: how many rows judged. `over_baseline`: None where nothing was judged.
    """

    at: int
    model: str
    run: str
    challenger: str
    champion: str | None
    promoted: bool
    reason: str
    rows: int
    over_baseline: Gain | None
    over_champion: Gain | None


class Champion(msgspec.Struct, frozen=True):
    """The model that serves. `key`: its file in the bucket; `version`: in the model registry; `at`: since when, ms."""

    model: str
    fingerprint: str
    algorithm: str
    key: str
    run: str
    at: int
    version: str | None = None
    previous: str | None = None
