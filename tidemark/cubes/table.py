"""A table as it is binned: a folder of codes, one file a column, and a sample of its rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import feather

from tidemark.cubes.columns import Codes, Column
from tidemark.errors import BadRequest

VERSION = 3
DESCRIPTION = "table.json"


class Description(msgspec.Struct, frozen=True):
    """What `table.json` says. `made_of`: tells one state of the source from another. `sampled`: rows of the sample.

    `left_out`: the names and types of columns that are not binned. `notes`: what is to be known of how it was read.
    """

    version: int
    made_of: str
    rows: int
    sampled: int
    columns: tuple[Column, ...]
    left_out: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()


class _Versioned(msgspec.Struct, frozen=True):
    version: int


class Table:
    """Columns of codes, mapped from their files, and the codes of `sampled` rows, in memory."""

    def __init__(self, folder: Path, description: Description) -> None:
        self.folder = folder
        self.rows = description.rows
        self.made_of = description.made_of
        self.columns = {column.name: column for column in description.columns}
        self.left_out = description.left_out
        self.sampled = description.sampled
        self.notes = description.notes
        self._codes: dict[str, Codes] = {}
        self._sample: dict[str, Codes] = {}
        for place, column in enumerate(description.columns):
            self._codes[column.name] = _mapped(codes_file(folder, place), column, self.rows)
            self._sample[column.name] = _read_only(np.array(_mapped(sample_file(folder, place), column, self.sampled)))

    @classmethod
    def open(cls, folder: Path) -> Table:
        """The table that was built there. Raises BadRequest when there is none that this version reads."""
        try:
            description = msgspec.json.decode((folder / DESCRIPTION).read_bytes(), type=Description)
        except (OSError, msgspec.MsgspecError) as error:
            raise BadRequest(f"{folder}: no binned table: {error}") from error
        if description.version != VERSION:
            raise BadRequest(f"{folder}: binned by version {description.version}; this one reads {VERSION}")
        return cls(folder, description)

    @staticmethod
    def is_at(folder: Path) -> bool:
        """Whether a table stands there that this version reads."""
        try:
            return msgspec.json.decode((folder / DESCRIPTION).read_bytes(), type=_Versioned).version == VERSION
        except (OSError, msgspec.MsgspecError):
            return False

    def some_rows(self) -> pa.Table:
        """Some of the rows as they were read: numbers and times as float64, NaN where missing; categories as text."""
        return feather.read_table(str(some_file(self.folder)))

    def codes(self, name: str) -> Codes:
        """Every row's code."""
        return self._codes[name]

    def sample(self, name: str) -> Codes:
        """The sampled rows' codes."""
        return self._sample[name]

    def resample(self, rows: npt.NDArray[np.int64]) -> None:
        """Take these rows as the sample, in rising order."""
        self.sampled = len(rows)
        self._sample = {name: _read_only(codes[rows]) for name, codes in self._codes.items()}

    def gaps(self, name: str) -> bool:
        """Whether values of a column are missing, as far as the sample shows."""
        return bool((self._sample[name] == self.columns[name].missing).any())

    @property
    def bytes(self) -> int:
        """How much memory all codes take."""
        return sum(codes.nbytes for codes in self._codes.values())


def codes_file(folder: Path, place: int) -> Path:
    """Where a column's codes are."""
    return folder / f"column-{place}.codes"


def sample_file(folder: Path, place: int) -> Path:
    """Where a column's codes of the sampled rows are."""
    return folder / f"column-{place}.sample"


def some_file(folder: Path) -> Path:
    """Where some of the rows are, as they were read."""
    return folder / "some.arrow"


def _mapped(path: Path, column: Column, rows: int) -> Any:
    if rows == 0:
        return np.empty(0, column.dtype)
    expected = rows * np.dtype(column.dtype).itemsize
    if path.stat().st_size != expected:
        raise BadRequest(f"{path}: {path.stat().st_size:,} bytes, not {expected:,}; build the table anew")
    return np.asarray(np.memmap(path, column.dtype, "r", shape=(rows,)))


def _read_only(codes: Codes) -> Codes:
    """As mapped codes are, so that the kernels are compiled once for both."""
    codes.setflags(write=False)
    return codes
