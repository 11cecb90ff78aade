"""Files of arrays, as numpy's `savez_compressed` writes them, read with a limit to all that a file may claim.

numpy's own reader takes a header's word for how much memory an array needs, and ends in a dozen kinds of errors.
"""

from __future__ import annotations

import io
import math
import re
import struct
import zipfile
import zlib
from typing import Any

import numpy as np
import numpy.typing as npt

from tidemark.errors import TidemarkError

LARGEST = 32 << 20
"""Bytes of a file: a forest of sixty deep trees has 10 MB."""
UNPACKED = 128 << 20
"""Bytes of all its arrays."""
MOST = 64
"""Arrays of a file."""
_MAGIC = b"\x93NUMPY\x01\x00"
_HEADER = re.compile(
    rb"\{'descr': '([<|])([biuf][1248])', 'fortran_order': (True|False), "
    rb"'shape': \(((?:[0-9]{1,10},? ?){0,4})\), \} *\n"
)
_PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_FAULTS = (zipfile.BadZipFile, zlib.error, struct.error, OSError, EOFError, ValueError, KeyError, IndexError)


class NoArrays(TidemarkError):
    """This is no file of arrays, or one that claims too much."""


def read(content: bytes) -> dict[str, npt.NDArray[Any]]:
    """The arrays of a file by name: of numbers and truth values, of any shape. Raises NoArrays."""
    if len(content) > LARGEST:
        raise NoArrays(f"a file of arrays has at most {LARGEST:,} bytes; this one has {len(content):,}")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as file:
            members = file.infolist()
            if len(members) > MOST or sum(one.file_size for one in members) > UNPACKED:
                raise NoArrays(
                    f"a file holds at most {MOST} arrays of {UNPACKED:,} bytes together; this one holds more"
                )
            if any(one.compress_type not in _PACKED for one in members):
                raise NoArrays("a part of it is packed in another way than NumPy packs arrays")
            return {one.filename.removesuffix(".npy"): _array(file.read(one)) for one in members}
    except (*_FAULTS, NotImplementedError, RuntimeError, OverflowError) as error:  # packed otherwise, or encrypted
        raise NoArrays(str(error) or type(error).__name__) from error


def _array(content: bytes) -> npt.NDArray[Any]:
    size = int.from_bytes(content[8:10], "little")
    said = _HEADER.fullmatch(content[10 : 10 + size])
    if not content.startswith(_MAGIC) or said is None:
        raise NoArrays("a part of it is no array of numbers")
    order, kind, by_column, sides = (part.decode() for part in said.groups())
    dtype = np.dtype(order + kind)
    shape = tuple(int(side) for side in sides.split(",") if side.strip())
    data = content[10 + size :]
    if math.prod(shape) * dtype.itemsize != len(data):
        raise NoArrays(f"an array of the shape {shape} has not {len(data):,} bytes")
    return np.frombuffer(data, dtype).reshape(shape, order="F" if by_column == "True" else "C")
