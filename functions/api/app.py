"""The API: its routes together, and how errors look. Each route parses, makes one call, and maps the answer."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, Response
from starlette.exceptions import HTTPException

from functions.api import feedback as remarks
from functions.api import sales
from functions.api.answers import MsgspecResponse, answers
from functions.api.callers import allowed
from functions.api.description import Health, described
from functions.api.pages import CONTENT_SECURITY, reference
from functions.responses import STATUS
from tidemark import __version__, errors
from tidemark.history.counters import Counters
from tidemark.ports import Feedback, Ledger
from tidemark.store import Store


def create_app(
    store: Store, ledger: Ledger, counters: Counters, feedback: Feedback, now_ms: Callable[[], int], *more: APIRouter
) -> FastAPI:
    """The API over a ledger, what was counted of it, and feedback, with `more` routes."""
    app = FastAPI(
        title="Tidemark",
        version=__version__,
        description="Live sales: exact counters, and the ledger behind them. Housing pipelines: what each run found,"
        " and prices from the model that serves. The sales model: who scores, and how well.",
        default_response_class=MsgspecResponse,
        docs_url=None,
        redoc_url=None,
        dependencies=[Depends(allowed(now_ms))],
        redirect_slashes=False,  # it would lead past the stage's name
    )
    app.openapi = lambda: described(app)  # type: ignore[method-assign]

    @app.get("/docs", include_in_schema=False)
    def docs() -> Response:
        """The API's pages; the description's address is relative: a stage's name stands before it."""
        page = reference(app.openapi(), "openapi.json")
        return HTMLResponse(page, headers={"Content-Security-Policy": CONTENT_SECURITY})

    @app.exception_handler(errors.TidemarkError)
    async def refused(request: Request, error: Exception) -> Response:
        status = next(code for kind, code in STATUS.items() if isinstance(error, kind))
        return MsgspecResponse({"error": str(error)}, status_code=status)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        problems = "; ".join(f"{e['loc'][-1]}: {e['msg']}" for e in error.errors())
        return MsgspecResponse({"error": problems}, status_code=400)

    @app.exception_handler(HTTPException)
    async def unknown(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return MsgspecResponse({"error": error.detail}, error.status_code, error.headers)

    @app.get("/healthz", responses=answers("It does", Health, example={"status": "ok", "version": __version__}))
    def healthz() -> Response:
        """Whether the API answers."""
        return MsgspecResponse(Health("ok", __version__))

    for router in (sales.routes(store, ledger, counters), remarks.routes(feedback, now_ms), *more):
        app.include_router(router)
    return app
