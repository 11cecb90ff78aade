"""What the pages ask of whatever counts a table: an engine over codes, or a query engine elsewhere."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from tidemark.cubes.columns import Column
from tidemark.cubes.cube import Cube
from tidemark.cubes.views import Question


class Binned(Protocol):
    """A table, and how its columns are cut."""

    @property
    def folder(self) -> Path:
        """Where what is kept of it is."""
        ...

    @property
    def rows(self) -> int:
        """How many there are."""
        ...

    @property
    def made_of(self) -> str:
        """What tells this state of it from another."""
        ...

    @property
    def columns(self) -> Mapping[str, Column]:
        """By name."""
        ...

    @property
    def left_out(self) -> tuple[tuple[str, str], ...]:
        """The names and types of columns that are not counted."""
        ...

    @property
    def notes(self) -> tuple[str, ...]:
        """What is to be known of how it was read."""
        ...

    def gaps(self, name: str) -> bool:
        """Whether values of a column are missing, as far as the sample shows."""
        ...

    def some_rows(self) -> pa.Table:
        """Some of the rows: numbers and times as float64, NaN where missing; categories as text."""
        ...


class Counts(Protocol):
    """Answers questions about a table: at once from a sample, then exactly. All raise BadRequest."""

    @property
    def table(self) -> Binned:
        """What is counted."""
        ...

    def sampled(self, question: Question) -> Cube:
        """An answer from the sample."""
        ...

    def known(self, question: Question) -> Cube | None:
        """The exact answer, where it was given before."""
        ...

    def exact(self, question: Question, stop: threading.Event | None = None) -> Cube:
        """An answer from all rows, and kept. Raises Stopped once `stop` is set."""
        ...

    def start(self, question: Question, stop: threading.Event) -> Future[Cube]:
        """Begin to count all rows; the caller goes on meanwhile."""
        ...

    def close(self) -> None:
        """End the threads."""
        ...


class Stopped(Exception):
    """Nobody waits for the answer any more."""
