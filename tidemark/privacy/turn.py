"""One erasure at a time: by a person's wish, or by the policy."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tidemark.errors import Unavailable
from tidemark.ports import Runs

TURN = "erasure"


@contextmanager
def turn(runs: Runs, holder: str, *, now: int, until: int) -> Iterator[None]:
    """Erase while nobody else does. Whoever is killed meanwhile holds its turn up to `until` (milliseconds since 1970).

    Raises Unavailable where another has it.
    """
    if (other := runs.begin(TURN, holder, now=now, until=until)) is not None:
        raise Unavailable(f"{other} erases just now; try again when it has ended")
    try:
        yield
    finally:
        runs.end(TURN, holder)
