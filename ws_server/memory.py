"""Garbage collection that does not hold up the ticks.

A full collection looks at every object that lives: with 5,000 browsers that stopped the process for a third of a
second. So what has survived one is set aside (`gc.freeze`), and looked at again only once many browsers have gone:
a browser that goes leaves some tens of kilobytes that only a collection frees.
"""

from __future__ import annotations

import gc

GONE = 1_000


class Memory:
    """One process's."""

    def __init__(self) -> None:
        self._gone = 0

    def one_gone(self) -> None:
        """A browser went."""
        self._gone += 1

    def tidy(self) -> None:
        """Collect what is new since the last time, and everything where many browsers have gone since."""
        if self._gone >= GONE:
            self._gone = 0
            gc.unfreeze()
        gc.collect()
        gc.freeze()
