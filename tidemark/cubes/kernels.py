"""The inner loops, compiled by Numba. They hold no lock: threads run them side by side."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import numpy.typing as npt


@numba.njit(nogil=True, cache=True)
def encode(values: npt.NDArray[np.float64], edges: npt.NDArray[np.float64], missing: int, codes: Any) -> None:
    """Write each value's zone: edges[i] ≤ value < edges[i + 1], the first and the last open; `missing` for NaN."""
    last = len(edges) - 2
    scale = (last + 1) / (edges[last + 1] - edges[0])
    for row in range(len(values)):
        value = values[row]
        if np.isnan(value):
            codes[row] = missing
            continue
        guess = (value - edges[0]) * scale
        zone = int(guess) if 0 <= guess < last else 0 if guess < 0 else last
        if (zone > 0 and value < edges[zone]) or (zone < last and value >= edges[zone + 1]):
            low, high = 0, last
            while low < high:
                middle = (low + high + 1) >> 1
                if value >= edges[middle]:
                    low = middle
                else:
                    high = middle - 1
            zone = low
        codes[row] = zone


@numba.njit(nogil=True, cache=True)
def pair(first: Any, shift: int, second: Any, other_shift: int, bits: int, joined: npt.NDArray[np.uint16]) -> None:
    """Join two columns' bins to one number: first >> shift << bits | second >> other_shift."""
    a, b, left = np.uint32(shift), np.uint32(other_shift), np.uint32(bits)
    for i in range(len(first)):
        joined[i] = ((np.uint32(first[i]) >> a) << left) | (np.uint32(second[i]) >> b)


@numba.njit(nogil=True, cache=True)
def count(active: Any, codes: Any, shift: int, bits: int, counts: npt.NDArray[np.uint32]) -> None:
    """Count rows by place of the active view and bin of others: counts[place << bits | code >> shift]."""
    one, left, right = np.uint32(1), np.uint64(bits), np.uint64(shift)
    whole = len(active) // 4 * 4
    for i in range(0, whole, 4):  # four at a time: more loads are under way at once
        a = (np.uint64(active[i]) << left) | (np.uint64(codes[i]) >> right)
        b = (np.uint64(active[i + 1]) << left) | (np.uint64(codes[i + 1]) >> right)
        c = (np.uint64(active[i + 2]) << left) | (np.uint64(codes[i + 2]) >> right)
        d = (np.uint64(active[i + 3]) << left) | (np.uint64(codes[i + 3]) >> right)
        counts[a] += one
        counts[b] += one
        counts[c] += one
        counts[d] += one
    for i in range(whole, len(active)):
        counts[(np.uint64(active[i]) << left) | (np.uint64(codes[i]) >> right)] += one


@numba.njit(nogil=True, cache=True)
def count_passing(
    active: Any,
    codes: Any,
    shift: int,
    bits: int,
    fails: npt.NDArray[np.uint16],
    others: int,
    counts: npt.NDArray[np.uint32],
) -> None:
    """`count`, of those rows alone that fail none of the filters whose bits stand in `others`."""
    left, right = np.uint64(bits), np.uint64(shift)
    for i in range(len(active)):
        place = (np.uint64(active[i]) << left) | (np.uint64(codes[i]) >> right)
        counts[place] += np.uint32((fails[i] & others) == 0)


@numba.njit(nogil=True, cache=True)
def fail(codes: Any, passing: npt.NDArray[np.bool_], bit: int, fails: npt.NDArray[np.uint16]) -> None:
    """Set a filter's bit for rows whose code does not pass."""
    for i in range(len(codes)):
        if not passing[codes[i]]:
            fails[i] |= bit
