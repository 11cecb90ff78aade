"""Folders of work under way: they end in `.part`, and none outlives its process for long."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

_YOUNG_S = 60.0
"""One that was just made may not be locked yet."""


@contextlib.contextmanager
def half_done(folder: Path) -> Iterator[Path]:
    """A new folder beside `folder`, to be moved there once all is done; whatever is left of it at the end is removed.

    It is locked while its process lives. What processes that were killed have left is removed first.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    _sweep(folder.parent)
    part = Path(tempfile.mkdtemp(".part", f"{folder.name}.", folder.parent))
    lock = os.open(part, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield part
    finally:
        os.close(lock)
        shutil.rmtree(part, ignore_errors=True)


def _sweep(folder: Path) -> None:
    for part in folder.glob("*.part"):
        with contextlib.suppress(OSError):
            if time.time() - part.stat().st_mtime < _YOUNG_S:
                continue
            lock = os.open(part, os.O_RDONLY)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(part)
            finally:
                os.close(lock)
