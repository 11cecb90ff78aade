"""Where a block is: distances to the coast and the large cities, and what is around it.

Distances are in degrees of latitude (111 km); a degree of longitude counts as cos 36.5° of one, the middle of
California.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

SHRINK = math.cos(math.radians(36.5))

# The coast from Oregon to Mexico, (latitude, longitude): capes and bays of the open sea, to about 10 km.
COAST = np.array(
    [
        *((41.99, -124.21), (41.75, -124.20), (40.80, -124.18), (40.44, -124.41), (39.44, -123.81), (38.95, -123.73)),
        *((38.31, -123.05), (37.99, -122.98), (37.78, -122.51), (37.50, -122.49), (37.10, -122.28), (36.95, -122.03)),
        *((36.80, -121.79), (36.62, -121.93), (36.30, -121.90), (35.66, -121.25), (35.37, -120.86), (35.14, -120.64)),
        *((34.58, -120.65), (34.45, -120.47), (34.40, -119.69), (34.15, -119.22), (34.03, -118.75), (34.01, -118.50)),
        *((33.74, -118.41), (33.72, -118.26), (33.75, -118.15), (33.61, -117.93), (33.39, -117.60), (33.20, -117.39)),
        *((32.85, -117.27), (32.68, -117.25), (32.53, -117.12)),
    ]
)
CITIES = {
    "los_angeles": (34.05, -118.24),
    "san_francisco": (37.77, -122.42),
    "san_diego": (32.72, -117.16),
    "san_jose": (37.34, -121.89),
    "sacramento": (38.58, -121.49),
}


def _plane(latitude: Floats, longitude: Floats) -> Floats:
    """Points on a plane where distances are degrees of latitude, shape (n, 2)."""
    return np.column_stack([longitude * SHRINK, latitude])


def to_coast(latitude: Floats, longitude: Floats) -> Floats:
    """Distance of each point to the coast, shape (n,), on whichever side of it."""
    points = _plane(latitude, longitude)
    corners = _plane(COAST[:, 0], COAST[:, 1])
    nearest = np.full(len(points), np.inf)
    for start, end in pairwise(corners):
        along = end - start
        share = np.clip((points - start) @ along / (along @ along), 0, 1)
        nearest = np.minimum(nearest, np.hypot(*(points - start - share[:, None] * along).T))
    return nearest


def to_cities(latitude: Floats, longitude: Floats) -> Floats:
    """Distance of each point to each of `CITIES`, shape (n, 5)."""
    points = _plane(latitude, longitude)
    return np.column_stack([np.hypot(*(points - (place[1] * SHRINK, place[0])).T) for place in CITIES.values()])


class Around(NamedTuple):
    """What is around some points at one bandwidth, each of shape (n,)."""

    weight: Floats
    mean: Floats
    """Of each column that was asked for, shape (columns, n); NaN where nothing is around."""


class Surroundings:
    """Means over what is around a point, weighted by a Gaussian of the distance.

    Blocks are summed up by cells of 0.01° (a kilometre), so that no neighbour is ever searched and equal distances need
    no order. A Gaussian is a product of one along and one across; it ends at four bandwidths.
    """

    CELL = 0.01
    REACH = 4
    NOTHING = 1e-6
    WIDEST = 4_000_000
    """Cells of a grid that is read from a file: twice California's along and across."""

    def __init__(self, cells: Ints, sums: Floats) -> None:
        """`cells`: row and column of each cell that holds blocks, shape (cells, 2), each once.

        `sums`: the number of its blocks, and the sum of each column over them, shape (1 + columns, cells).
        """
        self.cells, self.sums = cells, sums
        self._first = cells.min(axis=0)
        height, width = cells.max(axis=0) - self._first + 1
        self._grid = np.zeros((len(sums), height, width))
        self._grid[:, *(cells - self._first).T] = sums

    @classmethod
    def checked(cls, cells: npt.NDArray[Any], sums: npt.NDArray[Any], layers: int) -> Surroundings:
        """Those of a file that anybody may have made: the grid has room in memory. Raises ValueError."""
        if cells.dtype.kind != "i" or cells.ndim != 2 or cells.shape[1] != 2 or not len(cells):
            raise ValueError(f"its cells have the type {cells.dtype} and the shape {cells.shape}")
        if sums.dtype != np.float64 or sums.shape != (layers, len(cells)) or not np.isfinite(sums).all():
            raise ValueError(f"its sums have the type {sums.dtype} and the shape {sums.shape}, or are no numbers")
        if np.abs(cells.astype(np.float64)).max() > 360 / cls.CELL:
            raise ValueError("its cells lie nowhere on Earth")
        if np.prod(np.ptp(cells.astype(np.int64), axis=0) + 1) > cls.WIDEST:
            raise ValueError(f"its cells span more than {cls.WIDEST:,}")
        return cls(cells.astype(np.int64), sums)

    @classmethod
    def of(cls, latitude: Floats, longitude: Floats, columns: Floats) -> Surroundings:
        """`columns`: the figures to take means of, shape (columns, blocks)."""
        cells, which = np.unique(cls._cells(latitude, longitude), axis=0, return_inverse=True)
        layers = [np.ones(len(latitude)), *columns]
        return cls(cells, np.stack([np.bincount(which, weights=layer) for layer in layers]))

    @classmethod
    def _cells(cls, latitude: Floats, longitude: Floats) -> Ints:
        return np.rint(np.column_stack([latitude, longitude]) / cls.CELL).astype(np.int64)

    def at(self, latitude: Floats, longitude: Floats, bandwidth: float) -> Around:
        """What is around each point; `bandwidth` in degrees of latitude. For a few points, say 500."""
        cells, which = np.unique(self._cells(latitude, longitude), axis=0, return_inverse=True)
        along, across = self._kernels(bandwidth)
        reach = np.array([len(along) // 2, len(across) // 2])
        size = np.array(self._grid.shape[1:])
        sums = np.zeros((len(self._grid), len(cells)))
        for number, cell in enumerate(cells - self._first):
            (top, left), (bottom, right) = np.clip(cell - reach, 0, size), np.clip(cell + reach + 1, 0, size)
            (skip_top, skip_left) = np.array([top, left]) - (cell - reach)
            down = along[skip_top : skip_top + bottom - top]
            over = across[skip_left : skip_left + right - left]
            sums[:, number] = (self._grid[:, top:bottom, left:right] @ over) @ down
        return self._around(sums[:, which])

    def of_own(self, latitude: Floats, longitude: Floats, columns: Floats, bandwidth: float) -> Around:
        """What is around each of the blocks that the surroundings were made `of`, itself left out."""
        from scipy.ndimage import correlate1d  # what only reads a model has no scipy

        along, across = self._kernels(bandwidth)
        smooth = correlate1d(correlate1d(self._grid, along, 1, mode="constant"), across, 2, mode="constant")
        row, column = (self._cells(latitude, longitude) - self._first).T
        return self._around(smooth[:, row, column] - np.stack([np.ones(len(row)), *columns]))

    def _around(self, sums: Floats) -> Around:
        weight = np.maximum(sums[0], 0)
        with np.errstate(invalid="ignore", divide="ignore"):
            return Around(weight, np.where(weight > self.NOTHING, sums[1:] / weight, np.nan))

    def _kernels(self, bandwidth: float) -> tuple[Floats, Floats]:
        """The weights along a meridian and along a parallel, by cell; the middle one is 1."""
        kernels = []
        for width in (bandwidth / self.CELL, bandwidth / self.CELL / SHRINK):
            apart = np.arange(-math.ceil(self.REACH * width), math.ceil(self.REACH * width) + 1) / width
            kernels.append(np.exp(-0.5 * apart * apart))
        return kernels[0], kernels[1]
