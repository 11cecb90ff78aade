"""Which rows a model learns from, and which it is judged on: by time, by place, or row by row; nothing is random."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec
import numpy as np

from tidemark.analysis.frame import Floats, Frame, Ints

SplitKind = Literal["time", "place", "rows"]

FOLDS = 5
CELLS_ACROSS = 20
FEWEST_CLUSTERS = 20
LONGITUDE, LATITUDE = "longitude", "latitude"
_DAY_MS = 86_400_000


class Fold(msgspec.Struct, frozen=True):
    """Rows to learn from and rows to be judged on."""

    learnt: Ints
    judged: Ints


class Split:
    """Folds over the rows of a frame.

    By time, each block of rows is judged by a model of all before it (the first is only learnt from). By place and by
    rows, each fifth is judged by a model of the other four. `clusters`: rows that are not independent of one another
    (of one day, or in one cell) have the same number. `cell`: degrees, of a split by place.
    """

    def __init__(self, kind: SplitKind, block: Ints, clusters: Ints, cell: float = 0.0, column: str = "") -> None:
        self.kind = kind
        self.block = block
        self.clusters = clusters
        self.cell = cell
        self.column = column

    def folds(self) -> Iterator[Fold]:
        """Each with the numbers of its rows, rising."""
        for fold in range(1, FOLDS + 1):
            if self.kind == "time":
                yield Fold(np.flatnonzero(self.block < fold), np.flatnonzero(self.block == fold))
            else:
                yield Fold(np.flatnonzero(self.block != fold), np.flatnonzero(self.block == fold))


def kinds(frame: Frame) -> list[SplitKind]:
    """How the rows of a frame can be split, the most honest first."""
    found: list[SplitKind] = []
    if any(_spread(moments) for moments in frame.times.values()):
        found.append("time")
    if {LONGITUDE, LATITUDE} <= set(frame.features):
        found.append("place")
    return [*found, "rows"]


def split(frame: Frame, kind: SplitKind, rows: Ints) -> Split:
    """The split of these rows of a frame, numbered anew from 0 in their order."""
    if kind == "time":
        column, moments = next((name, at) for name, at in frame.times.items() if _spread(at))
        return _by_time(moments[rows], column)
    if kind == "place":
        return _by_place(frame.values[LONGITUDE][rows], frame.values[LATITUDE][rows])
    return _by_rows(len(rows))


def _spread(moments: Floats) -> bool:
    known = moments[~np.isnan(moments)]
    return len(known) == len(moments) and len(np.unique(known)) > 10 * FOLDS


def _by_time(moments: Floats, column: str) -> Split:
    order = np.argsort(moments, kind="stable")
    block = np.empty(len(moments), np.int64)
    block[order] = np.arange(len(moments)) * (FOLDS + 1) // len(moments)
    days = np.unique(moments // _DAY_MS, return_inverse=True)[1]
    return Split("time", block, _clusters(days), column=column)


def _by_place(longitude: Floats, latitude: Floats) -> Split:
    cell = float(max(np.ptp(longitude), np.ptp(latitude))) / CELLS_ACROSS or 1.0
    east = np.floor((longitude - longitude.min()) / cell).astype(np.int64)
    north = np.floor((latitude - latitude.min()) / cell).astype(np.int64)
    cells = np.unique(east * (CELLS_ACROSS + 1) + north, return_inverse=True)[1]
    return Split("place", cells % FOLDS + 1, _clusters(cells), cell)


def _by_rows(rows: int) -> Split:
    numbers = np.arange(rows)
    return Split("rows", numbers % FOLDS + 1, numbers)


def _clusters(found: Ints) -> Ints:
    """As found, or each row for itself where they are too few for a test."""
    return found if int(found.max(initial=0)) + 1 >= FEWEST_CLUSTERS else np.arange(len(found))
