"""`python -m tidemark.cubes.compiled`: compile the kernels for every kind of codes, into Numba's cache.

`make install` runs it, so that the first look at a table need not wait for a compiler. Numba keeps what it compiled
beside the kernels, or in `NUMBA_CACHE_DIR`; where that may not be written, below the user's own cache folder.
"""

from __future__ import annotations

from itertools import product

import numpy as np

from tidemark.cubes import kernels


def compile_kernels() -> None:
    """All signatures that an engine and a build call them with: codes of one byte or two, mapped or in memory."""
    values, edges = np.zeros(1), np.array([0.0, 1.0])
    counts, fails, passing = np.zeros(8, np.uint32), np.zeros(1, np.uint16), np.ones(2, np.bool_)
    joined = np.zeros(1, np.uint16)
    kinds = [_read_only(kind) for kind in (np.uint8, np.uint16)]
    read_only = np.zeros(1)
    read_only.setflags(write=False)
    for kind, given in product((np.uint8, np.uint16), (values, read_only)):
        kernels.encode(given, edges, 1, np.zeros(1, kind))
    for codes in kinds:
        kernels.fail(codes, passing, 1, fails)
    for first, second in product([*kinds, joined], kinds):
        kernels.pair(first, 0, second, 0, 1, joined)
    for active, codes in product([*kinds, joined], [*kinds, joined]):
        kernels.count(active, codes, 0, 1, counts)
        kernels.count_passing(active, codes, 0, 1, fails, 1, counts)


def _read_only(kind: type[np.uint8] | type[np.uint16]) -> np.ndarray[tuple[int], np.dtype[np.uint8 | np.uint16]]:
    codes = np.zeros(1, kind)
    codes.setflags(write=False)
    return codes


if __name__ == "__main__":
    compile_kernels()
