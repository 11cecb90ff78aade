"""How far event time has come: up to a branch's watermark its sales are expected to be in.

The watermark is the newest minute in which the branch sold something, less the lateness that tills are allowed; it does
not run ahead of the clock, whatever a till's own says. Sales that are later still are taken and counted as all others
are: the watermark says when a minute may be relied on, it shuts nothing out. Source: Akidau et al., "The Dataflow
Model", VLDB 2015, section 2.3 (a heuristic watermark).
"""

from __future__ import annotations

from collections.abc import Mapping

ALLOWED_LATENESS = 5
"""Minutes that a till may be late with a sale."""


def watermarks(newest: Mapping[str, int], now: int) -> dict[str, int]:
    """By branch the minute (UTC, since 1970) up to which its sales are expected to be in.

    `newest`: by branch the newest minute in which something was sold; `now`: this minute.
    """
    return {branch: min(minute, now) - ALLOWED_LATENESS for branch, minute in newest.items()}
