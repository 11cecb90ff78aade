"""The routes of the API. Each parses, makes one call into `tidemark/`, and maps the answer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from http import HTTPStatus
from typing import Annotated, Any

import msgspec
from fastapi import Depends, FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.openapi.utils import get_openapi
from fastapi.responses import Response

from functions.responses import STATUS
from tidemark import __version__, errors, sale
from tidemark import feedback as messages
from tidemark.cells import Cell
from tidemark.conflicts import as_sent, differences
from tidemark.kpis import Selection, kpis
from tidemark.ports import Cells, Feedback, Ledger
from tidemark.store import Store

Names = Annotated[list[str] | None, Query()]
Moment = Annotated[
    str | None,
    Query(description="RFC 3339 time of a whole minute, with a zone, or a day (YYYY-MM-DD, UTC)"),
]
PAGE = 500
SNAPSHOT = 5_000  # cells; 6 MB is what a Lambda may answer
CONFLICTS = 1_000
REMARKS = 100


class MsgspecResponse(Response):
    """JSON of msgspec structs."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """The bytes of the body."""
        return msgspec.json.encode(content)


class Caller(msgspec.Struct, frozen=True):
    """Who asks, as the authorizer says."""

    name: str | None = None
    scope: str | None = None


def _caller(request: Request) -> Caller:
    told = request.scope.get("aws.event", {}).get("requestContext", {}).get("authorizer") or {}
    return Caller(told.get("principalId"), told.get("scope"))


async def _body(request: Request) -> bytes:
    return await request.body()


def create_app(store: Store, ledger: Ledger, cells: Cells, feedback: Feedback, now_ms: Callable[[], int]) -> FastAPI:
    """The API over a ledger, its cells, and feedback."""
    app = FastAPI(
        title="Tidemark",
        version=__version__,
        description="Live sales: exact counters, and the ledger behind them.",
        default_response_class=MsgspecResponse,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # it would lead past the stage's name
    )
    app.openapi = lambda: _described(app)  # type: ignore[method-assign]

    @app.get("/docs", include_in_schema=False)
    def docs() -> Response:
        """The API's pages; the description's address is relative: a stage's name stands before it."""
        return get_swagger_ui_html(openapi_url="openapi.json", title="Tidemark API")

    @app.exception_handler(errors.TidemarkError)
    async def refused(request: Request, error: Exception) -> Response:
        status = next(code for kind, code in STATUS.items() if isinstance(error, kind))
        return MsgspecResponse({"error": str(error)}, status_code=status)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        problems = "; ".join(f"{e['loc'][-1]}: {e['msg']}" for e in error.errors())
        return MsgspecResponse({"error": problems}, status_code=400)

    @app.get("/healthz")
    def healthz() -> Response:
        """Whether the API answers."""
        return MsgspecResponse({"status": "ok", "version": __version__})

    @app.get("/v1/kpis")
    def get_kpis(
        branch: Names = None,
        product_line: Names = None,
        customer_type: Names = None,
        payment: Names = None,
        since: Annotated[Moment, Query(alias="from")] = None,
        until: Annotated[Moment, Query(alias="to")] = None,
    ) -> Response:
        """The KPIs of the selected sales; a parameter may be given several times; no from/to means all time."""
        selection = Selection(
            branch=_set(branch),
            product_line=_set(product_line),
            customer_type=_set(customer_type),
            payment=_set(payment),
            since=_minute("from", since),
            until=_minute("to", until),
        )
        return MsgspecResponse(kpis(cells.read(selection.since, selection.until), selection, store))

    @app.get("/v1/cells")
    def get_cells(
        since: Annotated[str, Query(alias="from")],
        until: Annotated[str, Query(alias="to")],
    ) -> Response:
        """The cells of a range, every writer's, as JSON."""
        found = cells.read(_minute("from", since), _minute("to", until))
        return MsgspecResponse({"cells": [_cell(cell) for cell in found]})

    @app.get("/v1/snapshot")
    def get_snapshot(limit: Annotated[int, Query(ge=1, le=SNAPSHOT)] = SNAPSHOT, cursor: str | None = None) -> Response:
        """Every cell, in pages; go on with `cursor` until it is null. Of a cell seen twice the higher version holds."""
        page = cells.page(limit=limit, cursor=cursor)
        return MsgspecResponse({"cells": [_cell(cell) for cell in page.cells], "cursor": page.cursor})

    @app.get("/v1/sales")
    def get_sales(
        branch: str,
        since: Annotated[str, Query(alias="from")],
        until: Annotated[str, Query(alias="to")],
        limit: Annotated[int, Query(ge=1, le=PAGE)] = 100,
        cursor: str | None = None,
    ) -> Response:
        """A branch's sales in a range, oldest first; go on with `cursor` until it is null."""
        first, last = _minute("from", since), _minute("to", until)
        assert first is not None
        assert last is not None
        return MsgspecResponse(ledger.sales(branch, first, last, limit=limit, cursor=cursor))

    @app.get("/v1/sales/{invoice_id}")
    def get_sale(invoice_id: str) -> Response:
        """One sale, with its score, model, rule hits, and the cell version that counted it.

        `conflicts`: what came with the same id and another content (of very many 1,000), oldest first, each with the
        fields that differ as `{"field": [kept, came]}`.
        """
        counted = ledger.get(invoice_id)
        if counted is None:
            raise errors.NotFound(f"there is no sale {invoice_id!r}")
        kept = as_sent(counted)
        return MsgspecResponse(
            {
                "sale": counted.entry,
                "counted_by": {"writer": counted.writer, "version": counted.version},
                "conflicts": [
                    {"received_at": conflict.received_at, "differences": differences(kept, conflict.sale)}
                    for conflict in ledger.conflicts(invoice_id, limit=CONFLICTS)
                ],
            }
        )

    @app.post(
        "/v1/feedback",
        status_code=HTTPStatus.CREATED,
        openapi_extra={
            "requestBody": {"required": True, "content": {"application/json": {"schema": messages.json_schema()}}}
        },
        responses={
            400: {"description": "What is wrong, and where; nothing is kept"},
            413: {"description": "The body is longer than any message"},
            503: {"description": "Not now; send it again"},
        },
    )
    def post_feedback(body: Annotated[bytes, Depends(_body)], caller: Annotated[Caller, Depends(_caller)]) -> Response:
        """Say something of a page."""
        message = messages.decode(body)
        remark = messages.receive(message, now_ms=now_ms(), sender=caller.name, scope=caller.scope)
        feedback.add(remark)
        return MsgspecResponse({"id": remark.id}, status_code=HTTPStatus.CREATED)

    @app.get("/v1/feedback", responses={403: {"description": "Only an admin token may read feedback"}})
    def get_feedback(
        caller: Annotated[Caller, Depends(_caller)],
        limit: Annotated[int, Query(ge=1, le=REMARKS)] = 50,
        cursor: str | None = None,
    ) -> Response:
        """Feedback, newest first, for an admin; go on with `cursor` until it is null."""
        if caller.scope != "admin":
            raise errors.Forbidden(f"this token may {caller.scope or 'do nothing here'}; admin is needed")
        return MsgspecResponse(feedback.page(limit=limit, cursor=cursor))

    @app.get("/v1/schema/sale")
    def get_schema() -> Response:
        """The JSON Schema of a sale."""
        return MsgspecResponse(sale.json_schema())

    return app


def _described(app: FastAPI) -> dict[str, Any]:
    """The API's description, with what the ingest Lambda answers beside it."""
    if app.openapi_schema is None:
        described = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        described["paths"]["/v1/sales"]["post"] = {
            "summary": "Take 1 to 500 sales",
            "description": "Sending a sale again is safe: it is answered `duplicate` and counted once.",
            "requestBody": {
                "required": True,
                "content": {
                    "application/json": {
                        "schema": {
                            "type": "object",
                            "required": ["sales"],
                            "additionalProperties": False,
                            "properties": {
                                "sales": {
                                    "type": "array",
                                    "minItems": 1,
                                    "maxItems": sale.MAX_SALES,
                                    "items": {k: v for k, v in sale.json_schema().items() if k[0] != "$"},
                                }
                            },
                        }
                    }
                },
            },
            "responses": {
                "200": {"description": "A result for each sale, in the order sent"},
                "400": {"description": "The envelope is wrong; nothing is taken"},
                "413": {"description": "The body is over 1 MiB"},
                "503": {"description": "Not now; send the same again"},
            },
        }
        app.openapi_schema = described
    return app.openapi_schema


def _cell(cell: Cell) -> dict[str, Any]:
    """A cell as JSON: each row is product line, customer type, payment, then the measures in units of 1/10,000."""
    return {
        "minute": cell.key.minute,
        "branch": cell.key.branch,
        "writer": cell.key.writer,
        "version": cell.version,
        "combos": [[*combo, *values] for combo, values in cell.combos.items()],
    }


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
