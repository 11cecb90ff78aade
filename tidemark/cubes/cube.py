"""Counts of every view at every place of a brush, summed so that any brush is a subtraction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from tidemark.cubes.columns import Column
from tidemark.cubes.views import CELLS_ACROSS, Question, Span, View

Counts: TypeAlias = npt.NDArray[np.uint32]


class Part(NamedTuple):
    """Where a view's bins stand among all."""

    view: View
    first: int
    end: int


class Cube(NamedTuple):
    """What a question was answered with.

    `sums`: uint32. Over one column (places + 1, bins): how many rows lie before a place. Over a grid (33, 33, bins):
    how many lie before a column and before a row. Bin 0 counts the rows that pass all selections; `parts` tells the
    others: of a column its bars and at last what is missing, of a grid 32 × 32 cells, row by row.
    `counted` of `rows` rows were looked at: all, or a sample.
    """

    question: Question
    sums: Counts
    parts: tuple[Part, ...]
    counted: int
    rows: int

    @property
    def exact(self) -> bool:
        """Whether every row was counted."""
        return self.counted == self.rows

    def brush(self, *spans: Span) -> Counts:
        """All bins, shape (bins,), of the rows in a span of the active view; in a grid, of two; without, of all."""
        sums, found = self.sums, np.empty(self.sums.shape[-1], np.uint32)
        if not spans:
            found[:] = sums[(-1,) * (sums.ndim - 1)]
        elif len(spans) == 1:
            np.subtract(sums[spans[0].end], sums[spans[0].first], out=found)
        else:
            (left, right), (bottom, top) = ((span.first, span.end) for span in spans)
            np.subtract(sums[top, right] + sums[bottom, left], sums[bottom, right] + sums[top, left], out=found)
        return found


def lay_out(question: Question, columns: Mapping[str, Column]) -> tuple[Part, ...]:
    """Where each view's bins stand."""
    parts, place = [], 1
    for view in question.views:
        column = columns[view.x]
        width = CELLS_ACROSS**2 if view.y is not None else (column.missing >> column.fine) + 1
        parts.append(Part(view, place, place + width))
        place += width
    return tuple(parts)


def summed(counts: Counts, active: View) -> Counts:
    """What `Cube.sums` holds, from counts of shape (places, bins)."""
    bins = counts.shape[1]
    if active.y is None:
        sums = np.zeros((len(counts) + 1, bins), np.uint32)
        np.cumsum(counts, axis=0, out=sums[1:])
        return sums
    sums = np.zeros((CELLS_ACROSS + 1, CELLS_ACROSS + 1, bins), np.uint32)
    cells = counts.reshape(CELLS_ACROSS, CELLS_ACROSS, bins)
    np.cumsum(np.cumsum(cells, axis=0, dtype=np.uint32), axis=1, out=sums[1:, 1:])
    return sums
