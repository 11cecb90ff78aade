"""What is promised of the service, and how much of the error budget is left. Defined here once.

Source: Google, "Site Reliability Engineering", chapters 3 and 4: a budget is the share that may go wrong.
"""

from __future__ import annotations

import msgspec

SHOWN_WITHIN_MS = 1_000
DAYS = 30


class Objective(msgspec.Struct, frozen=True):
    """`share` of what is counted goes well, over `days`. `total`, `bad`: by what names the day's tally counts it."""

    name: str
    promise: str
    share: float
    total: str
    bad: str
    days: int = DAYS


OBJECTIVES = (
    Objective("posts", "99.9 % of posts are answered without an error of ours", 0.999, "posts", "failed"),
    Objective("shown", "99 % of posts with new sales are sent to the page within 1 s of receipt", 0.99, "told", "late"),
)


class Budget(msgspec.Struct, frozen=True):
    """Of `total`, `bad` went wrong. `left`: the share of the budget that is left, below 0 where it is overdrawn, null
    where nothing was counted yet."""

    name: str
    promise: str
    share: float
    days: int
    total: int
    bad: int
    left: float | None


def budget(objective: Objective, total: int, bad: int) -> Budget:
    """What is left of the objective's budget after `bad` of `total` went wrong."""
    allowed = total * (1 - objective.share)
    left = None if total == 0 else 1 - bad / allowed
    return Budget(objective.name, objective.promise, objective.share, objective.days, total, bad, left)
