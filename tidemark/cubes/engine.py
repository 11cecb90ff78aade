"""Answers questions about a table: at once from a sample, then exactly."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from tidemark.cubes import kernels
from tidemark.cubes.columns import Codes
from tidemark.cubes.counts import Stopped
from tidemark.cubes.cube import Counts, Cube, lay_out, summed
from tidemark.cubes.kept import Kept
from tidemark.cubes.table import Table
from tidemark.cubes.views import CELLS_ACROSS, Question, View, passing

CHUNK = 1 << 20
"""Rows at a time: enough that calling the kernels costs nothing, few enough that stopping is at once."""


JOINED_BITS = 7
"""Bits of bins that are counted together: with 500 places, 256 kB of counters."""


class Engine:
    """Counts on `threads` threads."""

    def __init__(self, table: Table, threads: int = 2) -> None:
        self.table = table
        self._kept = Kept(table)
        self._threads = threads
        self._pool = ThreadPoolExecutor(threads, "cubes")
        self._started = ThreadPoolExecutor(threads, "questions")

    def sampled(self, question: Question) -> Cube:
        """An answer from the sample. Raises BadRequest."""
        question.check(self.table.columns)
        return self._answer(question, self.table.sample, self.table.sampled, threading.Event())

    def known(self, question: Question) -> Cube | None:
        """The exact answer, where it was given before. Raises BadRequest."""
        question.check(self.table.columns)
        return self._kept.find(question)

    def exact(self, question: Question, stop: threading.Event | None = None) -> Cube:
        """An answer from all rows, and kept. Raises BadRequest; Stopped once `stop` is set."""
        known = self.known(question)
        if known is not None:
            return known
        cube = self._answer(question, self.table.codes, self.table.rows, stop or threading.Event())
        self._kept.keep(cube)
        return cube

    def start(self, question: Question, stop: threading.Event) -> Future[Cube]:
        """Begin to count all rows; the caller goes on meanwhile."""
        return self._started.submit(self.exact, question, stop)

    def close(self) -> None:
        """End the threads."""
        self._started.shutdown()
        self._pool.shutdown()

    def _answer(self, question: Question, codes: Callable[[str], Codes], rows: int, stop: threading.Event) -> Cube:
        pass_ = _Pass(question, self.table, codes)
        share = max(1, -(-rows // self._threads))
        spans = [(first, min(first + share, rows)) for first in range(0, rows, share)]
        counts, *others = self._pool.map(lambda span: pass_.count(span[0], span[1], stop), spans or [(0, 0)])
        for other in others:
            counts += other
        return Cube(
            question, summed(counts, question.active), lay_out(question, self.table.columns), rows, self.table.rows
        )


class _Member(NamedTuple):
    """A column within a group: its code is halved `shift` times and then has `bits` bits."""

    name: str
    shift: int
    bits: int


class _Group(NamedTuple):
    """Views that are counted as one: their bins joined to one number, of which each view is a margin.

    `others`: the bits of the selections that hold in them.
    """

    views: tuple[View, ...]
    others: int
    bits: int


class _Pass:
    """One question over rows of codes. Several threads count with one, each its own rows."""

    def __init__(self, question: Question, table: Table, codes: Callable[[str], Codes]) -> None:
        columns = table.columns
        self._columns = columns
        self._codes = codes
        self._active = question.active
        self._places = CELLS_ACROSS**2 if question.active.y else columns[question.active.x].missing + 1
        self._selections = [
            (name, passes, 1 << place)
            for place, selection in enumerate(question.selections)
            for name, passes in passing(selection, columns)
        ]
        self._bits = {selection.view: 1 << place for place, selection in enumerate(question.selections)}
        self._all = sum(self._bits.values())
        self._parts = lay_out(question, columns)
        self._members = {view: self._members_of(view) for view in (question.active, *question.views)}
        self._groups = self._grouped(question.views)

    def count(self, first: int, end: int, stop: threading.Event) -> Counts:
        """Counts of these rows, shape (places, bins). Raises Stopped."""
        tables = [np.zeros(self._places << group.bits, np.uint32) for group in self._groups]
        bins, places, fails = (np.empty(min(CHUNK, end - first), np.uint16) for _ in range(3))
        for begin in range(first, end, CHUNK):
            if stop.is_set():
                raise Stopped
            rows = slice(begin, min(begin + CHUNK, end))
            length = rows.stop - rows.start
            self._fail(rows, fails[:length])
            active = self._active_places(rows, places[:length])
            for group, counts in zip(self._groups, tables, strict=True):
                codes, shift = self._joined(group.views, rows, bins[:length])
                if group.others:
                    kernels.count_passing(active, codes, shift, group.bits, fails[:length], group.others, counts)
                else:
                    kernels.count(active, codes, shift, group.bits, counts)
        return self._margins(tables)

    def _grouped(self, views: tuple[View, ...]) -> list[_Group]:
        """Few groups that each fit a core's cache; one in which all selections hold tells how many rows pass."""
        singles = [_Group((view,), self._all & ~self._bits.get(view, 0), self._bits_of(view)) for view in views]
        if all(single.others != self._all for single in singles):
            singles.append(_Group((), self._all, 0))
        groups: list[_Group] = []
        for single in sorted(singles, key=lambda one: -one.bits):
            for place, group in enumerate(groups):
                bits = group.bits + single.bits
                if group.others == single.others and bits <= JOINED_BITS:
                    groups[place] = group._replace(views=group.views + single.views, bits=bits)
                    break
            else:
                groups.append(single)
        return groups

    def _members_of(self, view: View) -> tuple[_Member, ...]:
        """A view's columns; of a grid, the one upwards first."""
        x = self._columns[view.x]
        if view.y is None:
            return (_Member(view.x, x.fine, (x.missing >> x.fine).bit_length()),)
        across = CELLS_ACROSS.bit_length() - 1
        return (_Member(view.y, self._columns[view.y].coarse, across), _Member(view.x, x.coarse, across))

    def _bits_of(self, view: View) -> int:
        return sum(member.bits for member in self._members[view])

    def _joined(self, views: tuple[View, ...], rows: slice, bins: npt.NDArray[np.uint16]) -> tuple[Any, int]:
        """Codes, and how many times they are halved to be bins: of one column as they are, of more joined."""
        members = [member for view in views for member in self._members[view]]
        if not members:
            bins[:] = 0
            return bins, 0
        first, *others = members
        codes, shift = self._codes(first.name)[rows], first.shift
        for member in others:
            kernels.pair(codes, shift, self._codes(member.name)[rows], member.shift, member.bits, bins)
            codes, shift = bins, 0
        return codes, shift

    def _active_places(self, rows: slice, places: npt.NDArray[np.uint16]) -> Any:
        """The codes of a column, the cells of a grid."""
        if self._active.y is None:
            return self._codes(self._active.x)[rows]
        return self._joined((self._active,), rows, places)[0]

    def _fail(self, rows: slice, fails: npt.NDArray[np.uint16]) -> None:
        if self._selections:
            fails[:] = 0
        for name, passes, bit in self._selections:
            kernels.fail(self._codes(name)[rows], passes, bit, fails)

    def _margins(self, tables: list[Counts]) -> Counts:
        """Every view's counts side by side, behind those of all rows that pass."""
        margins: dict[View, Counts] = {}
        total = np.zeros(self._places, np.uint32)
        for group, counts in zip(self._groups, tables, strict=True):
            if group.others == self._all:
                total = counts.reshape(self._places, -1).sum(axis=1, dtype=np.uint32)
            behind = group.bits
            for view in group.views:
                bits = self._bits_of(view)
                behind -= bits
                shape = (self._places, -1, 1 << bits, 1 << behind)
                margins[view] = counts.reshape(shape).sum(axis=(1, 3), dtype=np.uint32)
        found = [margins[part.view][:, : part.end - part.first] for part in self._parts]
        return np.concatenate([total[:, None], *found], axis=1)
