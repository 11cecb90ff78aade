"""What is looked at: views of one column or of two, what is selected in them, and what is asked."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import numpy as np
import numpy.typing as npt

from tidemark.cubes.columns import Column
from tidemark.errors import BadRequest

MOST_VIEWS = 9
CELLS_ACROSS = 32
"""Cells of a grid in each direction, what is missing included."""


class View(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A histogram of the column `x`; with `y`, a grid of both."""

    x: str
    y: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Its columns."""
        return (self.x,) if self.y is None else (self.x, self.y)


class Span(msgspec.Struct, frozen=True, array_like=True):
    """first ≤ code < end."""

    first: int
    end: int


class Selection(msgspec.Struct, frozen=True):
    """What is selected in a view: any of some spans of codes; in a grid, one span of cells in either direction."""

    view: View
    spans: tuple[Span, ...]


class Question(msgspec.Struct, frozen=True):
    """All views at every place of a brush over `active`, of rows that pass the selections.

    A view's own selection does not hold in it: it shows what else could be selected.
    """

    active: View
    views: tuple[View, ...]
    selections: tuple[Selection, ...] = ()

    def check(self, columns: Mapping[str, Column]) -> None:
        """Raises BadRequest when it cannot be answered over these columns."""
        if len(self.views) + 1 > MOST_VIEWS:
            raise BadRequest(f"{len(self.views) + 1} views; at most {MOST_VIEWS} are shown at once")
        seen = (self.active, *self.views, *(selection.view for selection in self.selections))
        for name in {name for view in seen for name in view.names}:
            if name not in columns:
                raise BadRequest(f"no column {name!r}; there are {', '.join(columns)}")
        if len(set(self.views)) < len(self.views) or self.active in self.views:
            raise BadRequest("a view is asked for twice")
        for selection in self.selections:
            grid = selection.view.y is not None
            if selection.view == self.active or not selection.spans or (grid and len(selection.spans) != 2):
                raise BadRequest(f"what is selected in {' × '.join(selection.view.names)} cannot be read")


def passing(selection: Selection, columns: Mapping[str, Column]) -> list[tuple[str, npt.NDArray[np.bool_]]]:
    """For each column of a selection, which of its codes pass."""
    tables = []
    for place, name in enumerate(selection.view.names):
        column = columns[name]
        codes = np.arange(column.missing + 1)
        spans = selection.spans
        if selection.view.y is not None:
            codes, spans = codes >> column.coarse, (selection.spans[place],)
        table = np.zeros(len(codes), np.bool_)
        for span in spans:
            table |= (codes >= span.first) & (codes < span.end)
        tables.append((name, table))
    return tables
