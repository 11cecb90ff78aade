"""What each view shows of a cube: counts of all rows and of those that pass, by bin. As the page's own arithmetic."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from tidemark.cubes.axes import Axis
from tidemark.cubes.columns import Column
from tidemark.cubes.cube import Counts, Cube
from tidemark.cubes.look import Look
from tidemark.cubes.views import CELLS_ACROSS, Span, View


class Picture(NamedTuple):
    """A view's bins, shape (bins,): of a column its bars and at last what is missing, of a grid 32 × 32 cells.

    `all`: of rows that pass the other views but the active one; `shown`: of those that pass that too.
    """

    all: Counts
    shown: Counts


def pictures(cube: Cube, columns: Mapping[str, Column], look: Look) -> tuple[dict[View, Picture], int]:
    """Every view's picture, and how many rows pass all. `cube` answers the look's question."""
    active, spans = look.active, look.spans(look.active)
    everything, passing = cube.brush(), _brushed(cube, spans)
    found = {
        part.view: Picture(everything[part.first : part.end], passing[part.first : part.end]) for part in cube.parts
    }
    own = _own(cube)
    held = np.where(_inside(active, own.shape, spans), own, 0) if spans else own
    if active.y is None:
        column = columns[active.x]
        starts = np.arange(0, column.missing + 1, 1 << column.fine)
        found[active] = Picture(np.add.reduceat(own, starts), np.add.reduceat(held, starts))
    else:
        found[active] = Picture(own.ravel(), held.ravel())
    return found, int(passing[0])


def cells(axis: Axis) -> int:
    """How many cells of a grid stand for a column's values."""
    return axis.missing >> axis.coarse


def _brushed(cube: Cube, spans: tuple[Span, ...]) -> Counts:
    most = cube.sums.shape[0] - 1
    within = [Span(min(max(span.first, 0), most), min(max(span.end, 0), most)) for span in spans]
    if not within or cube.question.active.y is not None:
        return cube.brush(*within)
    found: Counts = np.sum([cube.brush(span) for span in within], axis=0, dtype=np.uint32)
    return found


def _own(cube: Cube) -> Counts:
    """How many rows lie at each place of the active view."""
    counts = cube.sums[..., 0].astype(np.int64)
    for axis in range(counts.ndim):
        counts = np.diff(counts, axis=axis)
    return counts.astype(np.uint32)


def _inside(
    active: View, shape: tuple[int, ...], spans: tuple[Span, ...]
) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    if active.y is None:
        inside = np.zeros(shape, np.bool_)
        for span in spans:
            inside[max(span.first, 0) : max(span.end, 0)] = True
        return inside
    assert shape == (CELLS_ACROSS, CELLS_ACROSS)
    places = np.arange(CELLS_ACROSS)
    across, up = ((places >= span.first) & (places < span.end) for span in spans)
    return up[:, None] & across[None, :]
