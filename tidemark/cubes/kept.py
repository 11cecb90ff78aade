"""Cubes that were asked for once, kept on disk: a path that was walked before is answered without counting."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import msgspec
import numpy as np

from tidemark.cubes.counts import Binned
from tidemark.cubes.cube import Cube, lay_out
from tidemark.cubes.views import Question

BUDGET = 2 << 30
"""Bytes that the cubes of a table may take on disk; those not looked at for longest go first."""


class Kept:
    """The exact cubes of a table, in a folder beside its codes."""

    def __init__(self, table: Binned, budget: int = BUDGET) -> None:
        self._table = table
        self._budget = budget
        self._folder = table.folder / "cubes"

    def find(self, question: Question) -> Cube | None:
        """The answer, where it was given before."""
        path = self._path(question)
        try:
            sums = np.load(path, mmap_mode="r")
            os.utime(path)
        except (OSError, ValueError):
            return None
        rows = self._table.rows
        return Cube(question, np.asarray(sums), lay_out(question, self._table.columns), rows, rows)

    def keep(self, cube: Cube) -> None:
        """Keep an exact answer; a full disk only means that it is not kept."""
        path = self._path(cube.question)
        part = path.with_suffix(f".{os.getpid()}.part")
        try:
            self._folder.mkdir(exist_ok=True)
            with part.open("wb") as out:
                np.save(out, cube.sums)
            part.replace(path)
            self._make_room()
        except OSError:
            part.unlink(missing_ok=True)

    def _path(self, question: Question) -> Path:
        return self._folder / f"{hashlib.sha256(msgspec.json.encode(question)).hexdigest()[:24]}.npy"

    def _make_room(self) -> None:
        found = sorted(((file.stat().st_mtime_ns, file) for file in self._folder.glob("*.npy")), reverse=True)
        held = 0
        for _, file in found:
            held += file.stat().st_size
            if held > self._budget:
                file.unlink(missing_ok=True)
