"""The ports in memory, for tests: they pass the same contract tests as the real adapters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from tidemark import feedback
from tidemark.cells import Cell, CellKey
from tidemark.errors import NotFound
from tidemark.feedback import Remark
from tidemark.ledger import Attempt, Cancelled, Counted, Entry
from tidemark.ports import Cells, CellsPage, Conflict, Feedback, FeedbackPage, Ledger, LiveStream, SalesPage
from tidemark.privacy.personal import blank_entry


class MemoryLedger(Ledger, Cells):
    """Ledger and cells with DynamoDB's conditions."""

    def __init__(self) -> None:
        self.sold: dict[str, tuple[Counted, str]] = {}
        self.cells: dict[CellKey, Cell] = {}
        self.kept_apart: dict[tuple[str, str], Conflict] = {}

    def commit(self, attempt: Attempt) -> None:
        ids = [counted.entry.invoice_id for counted in attempt.sales]
        keys = [cell.key for cell in attempt.cells]
        assert len(set(ids)) == len(ids), "DynamoDB refuses a transaction that names an item twice"
        assert len(set(keys)) == len(keys), "DynamoDB refuses a transaction that names an item twice"
        assert len(ids) + len(keys) <= 100, "DynamoDB takes 100 items"
        present = {i: (self.sold[i][0].digest, self.sold[i][1]) for i in ids if i in self.sold}
        moved = any(self._version(cell.key) != cell.version - 1 for cell in attempt.cells)
        if present or moved:
            raise Cancelled(present, moved=moved)
        self.sold.update((c.entry.invoice_id, (c, attempt.token)) for c in attempt.sales)
        self.cells.update((cell.key, cell) for cell in attempt.cells)

    def _version(self, key: CellKey) -> int:
        return self.cells[key].version if key in self.cells else 0

    def blank(self, entry: Entry) -> None:
        if entry.invoice_id not in self.sold:
            raise NotFound(f"there is no sale {entry.invoice_id!r}")
        counted, token = self.sold[entry.invoice_id]
        self.sold[entry.invoice_id] = msgspec.structs.replace(counted, entry=blank_entry(counted.entry)), token

    def quarantine(self, conflicts: Sequence[Conflict]) -> None:
        self.kept_apart.update(((c.sale.invoice_id, c.digest), c) for c in conflicts)

    def quarantined(self) -> Iterator[Conflict]:
        return iter(list(self.kept_apart.values()))

    def conflicts(self, invoice_id: str, *, limit: int) -> list[Conflict]:
        found = [c for (held, _), c in sorted(self.kept_apart.items()) if held == invoice_id]
        return sorted(found[:limit], key=lambda c: c.received_at)

    def get(self, invoice_id: str) -> Counted | None:
        held = self.sold.get(invoice_id)
        return held[0] if held else None

    def sales(self, branch: str, since: int, until: int, *, limit: int, cursor: str | None = None) -> SalesPage:
        entries = sorted(
            (c.entry for c, _ in self.sold.values() if c.entry.branch == branch and since <= c.entry.minute < until),
            key=lambda entry: (entry.minute, entry.invoice_id),
        )
        start = int(cursor or 0)
        more = start + limit < len(entries)
        return SalesPage(entries[start : start + limit], str(start + limit) if more else None)

    def scan(self) -> Iterator[Counted]:
        return iter([counted for counted, _ in self.sold.values()])

    def page(self, *, limit: int, cursor: str | None = None) -> CellsPage:
        start = int(cursor or 0)
        found = list(self.cells.values())
        more = start + limit < len(found)
        return CellsPage(found[start : start + limit], str(start + limit) if more else None)

    def get_cells(self, keys: Iterable[CellKey]) -> list[Cell]:
        return [self.cells[key] for key in keys if key in self.cells]

    def read(self, since: int | None = None, until: int | None = None) -> Iterator[Cell]:
        return iter(
            [
                cell
                for key, cell in self.cells.items()
                if (since is None or key.minute >= since) and (until is None or key.minute < until)
            ]
        )


class MemoryStream(LiveStream):
    """Keeps what was published, in order."""

    def __init__(self) -> None:
        self.published: list[tuple[list[Cell], list[Entry]]] = []

    def publish(
        self, cells: Iterable[Cell], anomalies: Iterable[Entry], *, request: str = "", committed_at: int = 0
    ) -> None:
        self.published.append((list(cells), list(anomalies)))


class MemoryFeedback(Feedback):
    """Remarks by id."""

    def __init__(self) -> None:
        self.kept: dict[str, Remark] = {}

    def add(self, remark: Remark) -> None:
        self.kept[remark.id] = remark

    def page(self, *, limit: int, cursor: str | None = None) -> FeedbackPage:
        before = feedback.read_cursor(cursor) if cursor else None
        found = [self.kept[i] for i in sorted(self.kept, reverse=True) if before is None or i < before]
        return FeedbackPage(found[:limit], found[limit - 1].id if len(found) > limit else None)
