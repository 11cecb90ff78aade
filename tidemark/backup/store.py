"""A deployment, as a backup sees it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from tidemark.adapters.s3_lake import PREFIX as SALES
from tidemark.adapters.s3_lake import S3Lake
from tidemark.backup.items import key_of
from tidemark.backup.notes import NOTES
from tidemark.history.counters import Counters
from tidemark.ports import Cells, Found, History, Item, Items, Ledger, Objects

LEDGER, CELLS, HISTORY, QUARANTINE = "ledger", "cells", "history", "quarantine"
FEEDBACK, RUNS = "feedback", "runs"
COPIED = (QUARANTINE, FEEDBACK, RUNS, LEDGER)
"""The tables that cannot be made again, in the order in which they are read: a conflict's sale came before it."""
DERIVED = (CELLS, HISTORY)
AT_WORK, CHAMPIONS, PARTS = "at-work", "champions", "parts#"
"""Lists of the table of runs (`tidemark/adapters/dynamodb_runs.py`)."""

RESTORED = "restored.json"
# The lake is made of the ledger; Athena's answers are gone after a day; the others are of this deployment alone.
NOT_COPIED = (SALES, "athena/", NOTES, RESTORED)


class Store(NamedTuple):
    """Its tables by name, its bucket, what counts and what archives.

    `where`: what it is called. `zone`: its store's. `mirror`: a folder for what is read of the lake.
    `known_as`: see `Manifest`.
    """

    where: str
    tables: Mapping[str, Items]
    objects: Objects
    ledger: Ledger
    cells: Cells
    history: History
    lake: S3Lake
    zone: str
    mirror: Path
    known_as: str = ""

    @property
    def counters(self) -> Counters:
        """What was counted."""
        return Counters(self.cells, self.history, self.zone)

    def items(self, table: str) -> Iterator[Item]:
        """Every item of a table that is worth keeping, in an order in which what is referred to comes after."""
        if table != RUNS:
            yield from self.tables[table].scan()
            return
        # Who serves first, as a model is kept before it is crowned. The names of a list's parts last, as a part is
        # named before its first entry. Who is at work is so no more where it is brought back.
        yield from (item for item in self.tables[RUNS].scan() if _list(item) == CHAMPIONS)
        yield from (item for item in self.tables[RUNS].scan() if not _apart(item))
        yield from (item for item in self.tables[RUNS].scan() if _list(item).startswith(PARTS))

    def files(self) -> list[Found]:
        """The bucket's files that are worth keeping."""
        return [found for found in self.objects.find("") if not found.key.startswith(NOT_COPIED)]

    def held(self) -> list[str]:
        """What is in it, in words; nothing of an empty one."""
        tables = [
            f"the table of the {name} has items" for name in (*COPIED, *DERIVED) if _any(self.tables[name].scan())
        ]
        found = [one.key for one in self.objects.find("") if not one.key.startswith((NOTES, RESTORED))]
        return [*tables, *([f"the bucket has {len(found):,} files, {found[0]} the first"] if found else [])]

    def name_of(self, table: str, item: Item) -> str:
        """An item's key, for people."""
        return key_of(item, self.tables[table].keys)


def _any(items: Iterator[Item]) -> bool:
    return next(items, None) is not None


def _list(item: Item) -> str:
    return str(item["list"]["S"])


def _apart(item: Item) -> bool:
    return _list(item) in (CHAMPIONS, AT_WORK) or _list(item).startswith(PARTS)
