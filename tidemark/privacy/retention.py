"""Retention: a sale names its customer for so many days after its receipt, and then nobody any more.

What is due is found by listing the lake's days: an object's name says when the oldest of its sales that name a customer
was received. What is due is read, and nothing else. Each of these sales is blanked in the ledger, the object is written
anew, and only then the one before is removed with its former versions: whoever is killed in between leaves an object
that is due still. A sale that comes late, and what comes back to the lake, has its own receipt in its object's name and
is due in the next round. What never reached the lake (the audit names it) is due once it is there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec

from tidemark.adapters.s3_lake import LakeObject, S3Lake, read_bought
from tidemark.errors import NotFound
from tidemark.ledger import Entry
from tidemark.ports import Conflict, Ledger, Objects, Runs
from tidemark.privacy import receipt as receipts
from tidemark.privacy.personal import blank_entry, blank_sale
from tidemark.privacy.receipt import Held
from tidemark.privacy.selection import Erased, Selection
from tidemark.store import MINUTES_PER_DAY, day_number

FLOW = "retention"
MS_A_DAY = 86_400_000
AGAIN_MS = 23 * 3_600_000  # after a round before the next: whoever asks each hour works once a day
AT_ONCE_BYTES = 500_000  # of objects that are written as one: some 3,000 sales, a quarter of a minute's work
AT_ONCE = 1_000  # objects
CONFLICTS_AT_ONCE = 100
THREADS = 8
RECEIPT_S = 30.0  # a receipt is kept so often while work goes on: whoever is killed has left one

_entry = msgspec.json.Decoder(Entry).decode
_encode = msgspec.json.Encoder().encode


class Progress(msgspec.Struct, frozen=True):
    """`day`: of the lake, from which this round goes on; empty: from the first. `done_at`: when the last round was
    done, milliseconds since 1970."""

    day: str = ""
    done_at: int = 0


class Outcome(msgspec.Struct, frozen=True):
    """What a run did. `done`: whether it came to the lake's end; `receipt`: its key, where anything was erased."""

    erased: Erased
    done: bool
    receipt: str | None


class Parts(NamedTuple):
    """What a run works on. `held`: who holds still what is erased at some time. `runs`: where it is kept how far the
    round has come; None: this run is one by itself, from the lake's first day.
    """

    ledger: Ledger
    lake: S3Lake
    objects: Objects
    runs: Runs | None
    held: Callable[[datetime], Sequence[Held]]


def is_due(runs: Runs, now_ms: int) -> bool:
    """Whether a round has been begun, or the last was done long enough ago."""
    progress = _progress(runs)
    return bool(progress.day) or now_ms >= progress.done_at + AGAIN_MS


def retain(parts: Parts, before: int, remaining: Callable[[], float], *, now: Callable[[], float]) -> Outcome:
    """Go on with a round, as long as time remains (seconds): erase who bought in what was received before some time
    (milliseconds since 1970). One at a time; killed, or at the end of its time, the next goes on.

    `now`: seconds since 1970.
    """
    work = _Work(parts, before, now)
    with ThreadPoolExecutor(THREADS) as pool:
        done = work.conflicts(remaining) and work.lake(pool, remaining, _progress(parts.runs))
    return Outcome(work.erased, done, work.tell())


def allowed_since(days: float, now_ms: int) -> int:
    """Before which time (milliseconds since 1970) what was received names nobody any more, by a policy of some days."""
    return now_ms - int(days * MS_A_DAY)


def _progress(runs: Runs | None) -> Progress:
    kept = runs.progress(FLOW) if runs else None
    return msgspec.json.decode(kept, type=Progress) if kept else Progress()


class _Work:
    """One run."""

    def __init__(self, parts: Parts, before: int, now: Callable[[], float]) -> None:
        self._ledger, self._lake, self._objects, self._runs, self._held = parts
        self._now = now
        self._selection = Selection(before)
        self._sales = self._conflicts = 0
        self._days: set[str] = set()
        self._name = receipts.name_of(self._at())
        self._told_at = 0.0

    @property
    def erased(self) -> Erased:
        return Erased(self._sales, self._conflicts, len(self._days))

    def conflicts(self, remaining: Callable[[], float]) -> bool:
        """Those of the quarantine: few, so all are looked at. Returns whether time remained."""
        due: list[Conflict] = []
        for found in self._ledger.quarantined():
            if remaining() <= 0:
                return False
            if self._selection.holds(found.sale.customer_id, found.received_at):
                due.append(found)
            if len(due) == CONFLICTS_AT_ONCE:
                self._blank_conflicts(due)
                due = []
        self._blank_conflicts(due)
        return True

    def _blank_conflicts(self, due: list[Conflict]) -> None:
        if due:
            self._ledger.quarantine([msgspec.structs.replace(found, sale=blank_sale(found.sale)) for found in due])
            self._conflicts += len(due)
            self._tell_now_and_then()

    def lake(self, pool: ThreadPoolExecutor, remaining: Callable[[], float], progress: Progress) -> bool:
        """The lake's days, from where the last run stopped. Returns whether time remained."""
        for day in self._lake.days():
            if day < progress.day:
                continue
            due = [found for found in self._lake.objects(day) if found.oldest < self._selection.before]
            for group in groups(due):
                if remaining() <= 0:
                    self._keep(Progress(day, progress.done_at))
                    return False
                self._write_anew(pool, day, [found.key for found in group])
            over = remaining() <= 0
            if due or over:
                self._keep(Progress(day, progress.done_at))
            if over:
                return False
        self._keep(Progress("", int(self._now() * 1000)))
        return True

    def _keep(self, progress: Progress) -> None:
        if self._runs:
            self._runs.keep_progress(FLOW, _encode(progress).decode())

    def _write_anew(self, pool: ThreadPoolExecutor, day: str, keys: list[str]) -> None:
        """Some objects of a day as one, without those who bought what is due."""
        documents = list(dict.fromkeys(line for found in pool.map(self._read, keys) for line in found))
        due: dict[str, Entry] = {}
        for document in documents:
            bought = read_bought(document)
            if self._selection.holds(bought.customer_id, bought.received_at):
                due[document] = _entry(document)
        for _ in pool.map(self._blank, {entry.invoice_id for entry in due.values()}):
            pass
        kept = dict.fromkeys(_blanked(due[line]) if line in due else line for line in documents)
        new = {self._lake.put(day_number(day) * MINUTES_PER_DAY, kept)} if kept else set()
        for _ in pool.map(lambda key: self._lake.purge([key]), set(keys) - new):
            pass
        if due:
            self._sales += len({entry.invoice_id for entry in due.values()})
            self._days.add(day)
            self._tell_now_and_then()

    def _read(self, key: str) -> list[str]:
        with suppress(NotFound):  # a repair has replaced it
            return self._lake.read(key)
        return []

    def _blank(self, invoice_id: str) -> None:
        """By what the ledger says of it: the lake may have been changed by others."""
        found = self._ledger.get(invoice_id)
        if found is not None and blank_entry(found.entry) != found.entry:
            self._ledger.blank(found.entry)

    def _tell_now_and_then(self) -> None:
        if self._now() - self._told_at >= RECEIPT_S:
            self.tell()

    def tell(self) -> str | None:
        """Keep the receipt of what has been erased so far. Returns its key; None where that is nothing."""
        if self.erased == Erased(0, 0, 0):
            return None
        self._told_at, at = self._now(), self._at()
        return receipts.keep(
            self._objects,
            receipts.write(
                self.erased,
                name=self._name,
                customer=None,
                before=self._selection.before,
                at=at,
                still_held=self._held(at),
            ),
        )

    def _at(self) -> datetime:
        return datetime.fromtimestamp(self._now(), UTC)


def _blanked(entry: Entry) -> str:
    return str(_encode(blank_entry(entry)), "utf-8")


def groups(objects: Iterable[LakeObject]) -> Iterator[list[LakeObject]]:
    """Objects in groups that there is room and time for; each has one at least."""
    group: list[LakeObject] = []
    size = 0
    for found in objects:
        if group and (size + found.size > AT_ONCE_BYTES or len(group) == AT_ONCE):
            yield group
            group, size = [], 0
        group.append(found)
        size += found.size
    if group:
        yield group
