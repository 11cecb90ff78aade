"""The commit protocol: a batch becomes transactions that write each sale once and count it in the same breath.

A writer owns its cells: nobody else writes them, so it knows their state without reading. When it is in doubt
(an answer was lost; the old request may still land) or when it would hold too much, it takes a new name and starts
new cells at version 1; what it left behind stays true. See `docs/decisions.md` and idea 1 and 2 of the design.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from itertools import groupby
from random import random
from typing import Literal

import msgspec

from tidemark import cells
from tidemark.cells import Cell, CellKey, Combo, Measures
from tidemark.errors import Unavailable
from tidemark.ledger import Attempt, Cancelled, Counted, Entry, InDoubt
from tidemark.ports import Ledger

Status = Literal["accepted", "duplicate", "conflict"]

MAX_ITEMS = 100  # AWS, TransactWriteItems
MAX_BYTES = 3_500_000  # of 4 MB, AWS, TransactWriteItems; the rest is for names and framing
MAX_COMBOS = 250  # of one cell: 250 of the longest names and numbers stay below an item's 400 KB
MAX_HELD = 50_000  # combinations that one writer holds in memory: some 50 MB at the worst
ENTRY_BYTES = 5_000  # of the longest entry
COMBO_BYTES = 1_000  # of the longest combination


class Candidate(msgspec.Struct, frozen=True):
    """A sale that is to be committed, with what it adds to its cell."""

    entry: Entry
    digest: str
    combo: Combo
    measures: Measures

    @property
    def place(self) -> tuple[int, str]:
        """Minute and branch: with the writer's name, its cell."""
        return self.entry.minute, self.entry.branch

    def cell_of(self, writer: str) -> CellKey:
        """The cell that counts it where `writer` commits it."""
        return CellKey(self.entry.minute, self.entry.branch, writer)


class Outcome(msgspec.Struct, frozen=True):
    """What became of one sale; `ledger_digest` is of the sale that the ledger holds under its id."""

    status: Status
    ledger_digest: str


class Committed(msgspec.Struct, frozen=True):
    """What became of a batch: each sale's outcome in the order given, and the cells in their new state."""

    outcomes: list[Outcome]
    cells: list[Cell]


class Clock:
    """Time as a writer needs it. `remaining`: seconds until the caller's deadline."""

    def __init__(
        self,
        now_ms: Callable[[], int],
        sleep: Callable[[float], None],
        remaining: Callable[[], float],
    ) -> None:
        self.now_ms = now_ms
        self.sleep = sleep
        self.remaining = remaining


def new_name() -> str:
    """A name no writer has had: 60 random bits."""
    return secrets.token_urlsafe(8)[:10]


class Writer:
    """One writer: not thread-safe, one a process."""

    def __init__(self, ledger: Ledger, name: Callable[[], str] = new_name) -> None:
        self._ledger = ledger
        self._new_name = name
        self._take_new_name()

    def _take_new_name(self) -> None:
        self.name = self._new_name()
        self._cells: dict[CellKey, Cell] = {}
        self._held = 0

    def _hold(self, cell: Cell) -> None:
        before = self._cells.get(cell.key)
        self._held += len(cell.combos) - (len(before.combos) if before else 0)
        self._cells[cell.key] = cell

    def commit(self, batch: list[Candidate], clock: Clock, request: str = "") -> Committed:
        """Commit a batch, exactly once whatever is retried or repeated.

        Raises Unavailable when the deadline comes first: some of the batch may be in the ledger then, and sending
        the same batch again is right.
        """
        firsts: dict[str, Candidate] = {}
        for candidate in batch:  # the store refuses a transaction that names an item twice
            firsts.setdefault(candidate.entry.invoice_id, candidate)
        ordered = sorted(firsts.values(), key=lambda candidate: candidate.place)
        outcomes: dict[str, Outcome] = {}
        moved: dict[CellKey, Cell] = {}
        while ordered:
            chunk = self._cut(ordered)
            del ordered[: len(chunk)]
            for cell in self._commit_chunk(chunk, outcomes, clock, request):
                moved[cell.key] = cell
        return Committed([_outcome(c, firsts, outcomes) for c in batch], list(moved.values()))

    def _cut(self, ordered: list[Candidate]) -> list[Candidate]:
        """As many of the first candidates, which are in the order of their cells, as one transaction holds."""
        if self._held > MAX_HELD:
            self._take_new_name()
        chunk: list[Candidate] = []
        items = size = 0
        for place, group in groupby(ordered, key=lambda candidate: candidate.place):
            held = self._cells.get(CellKey(place[0], place[1], self.name))
            combos = set(held.combos) if held else set()
            items += 1
            size += COMBO_BYTES * len(combos)
            for candidate in group:
                combos.add(candidate.combo)
                items += 1
                size += ENTRY_BYTES + COMBO_BYTES
                if items > MAX_ITEMS or size > MAX_BYTES or len(combos) > MAX_COMBOS:
                    if chunk:
                        return chunk
                    self._take_new_name()  # this one cell is full: go on in a new one
                    return [candidate]
                chunk.append(candidate)
        return chunk

    def _commit_chunk(
        self, chunk: list[Candidate], outcomes: dict[str, Outcome], clock: Clock, request: str
    ) -> list[Cell]:
        pending = chunk
        tokens: set[str] = set()
        failures = 0
        while pending:
            attempt = self._attempt(pending, clock, request)
            tokens.add(attempt.token)
            try:
                self._ledger.commit(attempt)
            except Cancelled as refusal:
                pending = _settle(pending, refusal, tokens, outcomes)
                if refusal.moved:
                    self._take_new_name()
                if not refusal.busy and (refusal.present or refusal.moved):
                    continue
            except InDoubt:
                self._take_new_name()
            else:
                for cell in attempt.cells:
                    self._hold(cell)
                for candidate in pending:
                    outcomes[candidate.entry.invoice_id] = Outcome("accepted", candidate.digest)
                return attempt.cells
            failures += 1
            if clock.remaining() <= 0:
                raise Unavailable("the ledger does not answer; nothing is lost if the same request is sent again")
            clock.sleep(min(clock.remaining(), random() * 0.025 * 2 ** min(failures, 7)))
        return []

    def _attempt(self, pending: list[Candidate], clock: Clock, request: str) -> Attempt:
        now = clock.now_ms()
        new: dict[CellKey, dict[Combo, Measures]] = {}
        for candidate in pending:
            key = candidate.cell_of(self.name)
            if key not in new:
                held = self._cells.get(key)
                new[key] = dict(held.combos) if held else {}
            combos = new[key]
            combos[candidate.combo] = cells.add(combos.get(candidate.combo, cells.ZERO), candidate.measures)
        states = {
            key: Cell(key, self._cells[key].version + 1 if key in self._cells else 1, now, combos)
            for key, combos in new.items()
        }
        return Attempt(
            token=secrets.token_hex(16),
            sales=[Counted(c.entry, c.digest, self.name, states[c.cell_of(self.name)].version) for c in pending],
            cells=list(states.values()),
            request=request,
        )


def _settle(
    pending: list[Candidate], refusal: Cancelled, tokens: set[str], outcomes: dict[str, Outcome]
) -> list[Candidate]:
    """Note the outcome of every sale that the ledger already holds; the others are still to be committed."""
    left: list[Candidate] = []
    for candidate in pending:
        held = refusal.present.get(candidate.entry.invoice_id)
        if held is None:
            left.append(candidate)
            continue
        digest, token = held
        # Put there by an attempt of this very call whose answer was lost: it was accepted after all.
        status: Status = "accepted" if token in tokens else "duplicate" if digest == candidate.digest else "conflict"
        outcomes[candidate.entry.invoice_id] = Outcome(status, digest)
    return left


def _outcome(candidate: Candidate, firsts: dict[str, Candidate], outcomes: dict[str, Outcome]) -> Outcome:
    outcome = outcomes[candidate.entry.invoice_id]
    if firsts[candidate.entry.invoice_id] is candidate:
        return outcome
    same = candidate.digest == outcome.ledger_digest
    return Outcome("duplicate" if same else "conflict", outcome.ledger_digest)
