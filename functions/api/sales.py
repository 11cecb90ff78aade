"""The routes of the sales: KPIs, cells, and the ledger."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query
from fastapi.responses import Response

from functions.api import sales_examples as examples
from functions.api.answers import MsgspecResponse, answers
from functions.api.callers import Asking
from tidemark import access, errors, sale
from tidemark.cells import Cell
from tidemark.conflicts import as_sent, differences
from tidemark.history.counters import Counters
from tidemark.kpis import Kpis, Selection
from tidemark.ledger import Entry
from tidemark.ports import Ledger, SalesPage
from tidemark.store import Store

Names = Annotated[list[str] | None, Query()]
Moment = Annotated[
    str | None,
    Query(description="RFC 3339 time of a whole minute, with a zone, or a day (YYYY-MM-DD, UTC)"),
]
PAGE = 500
SNAPSHOT = 5_000  # cells; 6 MB is what a Lambda may answer
CONFLICTS = 1_000


class CellRows(msgspec.Struct, frozen=True, omit_defaults=True):
    """A cell: each row is product line, customer type, payment, then the measures in units of 1/10,000.

    `writer`: `history` of what old cells were summed into. `within`: minute and version of the hour of history, of the
    same branch, in which a cell that is just being moved is counted from that version on.
    """

    minute: int
    branch: str
    writer: str
    version: int
    combos: list[list[str | int]]
    within: tuple[int, int] | None = None


class CellsOfRange(msgspec.Struct, frozen=True):
    """The cells of a range."""

    cells: list[CellRows]


class Snapshot(msgspec.Struct, frozen=True):
    """Some of all cells, and where to go on from, null at the end."""

    cells: list[CellRows]
    cursor: str | None


class CountedBy(msgspec.Struct, frozen=True):
    """The cell version that counted a sale."""

    writer: str
    version: int


class Came(msgspec.Struct, frozen=True):
    """What came with a sale's id and another content: the fields that differ, as [kept, came]."""

    received_at: int
    differences: dict[str, tuple[Any, Any]]


class OneSale(msgspec.Struct, frozen=True):
    """A sale with all that is known of it."""

    sale: Entry
    counted_by: CountedBy
    conflicts: list[Came]


def routes(store: Store, ledger: Ledger, counters: Counters) -> APIRouter:
    """The routes over a ledger and what was counted of it."""
    router = APIRouter(default_response_class=MsgspecResponse)

    @router.get("/v1/kpis", responses=answers("The KPIs", Kpis, example=examples.KPIS))
    def get_kpis(
        caller: Asking,
        branch: Names = None,
        product_line: Names = None,
        customer_type: Names = None,
        payment: Names = None,
        since: Annotated[Moment, Query(alias="from")] = None,
        until: Annotated[Moment, Query(alias="to")] = None,
    ) -> Response:
        """The KPIs of the selected sales; a parameter may be given several times; no from/to means all time."""
        selection = Selection(
            branch=access.chosen(_set(branch), caller.branches),
            product_line=_set(product_line),
            customer_type=_set(customer_type),
            payment=_set(payment),
            since=_minute("from", since),
            until=_minute("to", until),
        )
        return MsgspecResponse(counters.kpis(selection, store))

    @router.get("/v1/cells", responses=answers("The cells", CellsOfRange, example=examples.CELLS))
    def get_cells(
        caller: Asking,
        since: Annotated[str, Query(alias="from")],
        until: Annotated[str, Query(alias="to")],
    ) -> Response:
        """The cells of a range, every writer's; what was moved into history is a minute's sum over the writers."""
        found = counters.read(_minute("from", since), _minute("to", until), branches=caller.branches)
        return MsgspecResponse(CellsOfRange([_rows(cell) for cell in found]))

    @router.get("/v1/snapshot", responses=answers("Some cells", Snapshot, example=examples.SNAPSHOT))
    def get_snapshot(limit: Annotated[int, Query(ge=1, le=SNAPSHOT)] = SNAPSHOT, cursor: str | None = None) -> Response:
        """Every cell, in pages; go on with `cursor` until it is null. Of a cell seen twice the higher version holds.

        What was moved into history comes first, summed by the hour, in its first minute. A cell that is `within` such
        an hour is to be left out where that hour came in that version, or a higher one. 503: begin again.
        """
        page = counters.page(limit=limit, cursor=cursor)
        return MsgspecResponse(Snapshot([_rows(shown.cell, shown.within) for shown in page.cells], page.cursor))

    @router.get("/v1/sales", responses=answers("Some sales", SalesPage, example=examples.SALES))
    def get_sales(
        caller: Asking,
        branch: str,
        since: Annotated[str, Query(alias="from")],
        until: Annotated[str, Query(alias="to")],
        limit: Annotated[int, Query(ge=1, le=PAGE)] = 100,
        cursor: str | None = None,
    ) -> Response:
        """A branch's sales in a range, oldest first; go on with `cursor` until it is null."""
        access.chosen(frozenset((branch,)), caller.branches)
        first, last = _minute("from", since), _minute("to", until)
        assert first is not None
        assert last is not None
        return MsgspecResponse(ledger.sales(branch, first, last, limit=limit, cursor=cursor))

    @router.get("/v1/sales/{invoice_id}", responses=answers("The sale", OneSale, example=examples.SALE))
    def get_sale(caller: Asking, invoice_id: str) -> Response:
        """One sale, with its score, model, rule hits, and the cell version that counted it.

        `conflicts`: what came with the same id and another content (of very many 1,000), oldest first, each with the
        fields that differ as `{"field": [kept, came]}`.
        """
        counted = ledger.get(invoice_id)
        if counted is None or not access.may_see(counted.entry.branch, caller.branches):
            raise errors.NotFound(f"there is no sale {invoice_id!r}")
        kept = as_sent(counted)
        came = [
            Came(conflict.received_at, differences(kept, conflict.sale))
            for conflict in ledger.conflicts(invoice_id, limit=CONFLICTS)
            if access.may_see(conflict.sale.branch, caller.branches)
        ]
        return MsgspecResponse(OneSale(counted.entry, CountedBy(counted.writer, counted.version), came))

    @router.get("/v1/schema/sale", responses=answers("The schema", example=examples.SCHEMA))
    def get_schema() -> Response:
        """The JSON Schema of a sale."""
        return MsgspecResponse(sale.json_schema())

    return router


def _rows(cell: Cell, within: tuple[int, int] | None = None) -> CellRows:
    combos: list[list[str | int]] = [[*combo, *values] for combo, values in cell.combos.items()]
    return CellRows(cell.key.minute, cell.key.branch, cell.key.writer, cell.version, combos, within)


def _set(values: list[str] | None) -> frozenset[str] | None:
    return None if values is None else frozenset(values)


def _minute(name: str, text: str | None) -> int | None:
    """UTC minutes since 1970. Cells are by the minute: a time within one would cut it, so it is refused."""
    if text is None:
        return None
    try:
        if len(text) == len("YYYY-MM-DD"):
            moment = datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC)
        else:
            moment = datetime.fromisoformat(text.replace(" ", "+"))  # a '+' not escaped in a URL is a space
    except ValueError:
        raise errors.BadRequest(f"{name}: expected a time like 2019-01-05T13:08:00Z, got {text!r}") from None
    if moment.tzinfo is None:
        raise errors.BadRequest(f"{name}: expected a time with its zone, like 2019-01-05T13:08:00Z")
    seconds = moment.timestamp()
    if seconds % 60:
        raise errors.BadRequest(f"{name}: expected a whole minute, got {text!r}")
    return int(seconds) // 60
