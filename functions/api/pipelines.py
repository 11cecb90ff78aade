"""The routes of the pipelines: flows, their runs and files, and what the housing runs found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response

from functions.api import examples
from functions.api.answers import MARKDOWN, FileResponse, MarkdownResponse, MsgspecResponse, answers, refused
from functions.api.results import Batches, Eda, Flows, Metrics, Models, Results, RunFiles, RunLog, RunReport, Summary
from tidemark.runs import FLOWS, RunPage, Status

PAGE = 200
Flow = Annotated[str, Path(description="the flow's name", json_schema_extra={"enum": list(FLOWS)}, examples=[FLOWS[0]])]
RunId = Annotated[str, Path(description="the run's id", examples=[examples.DATA_RUN])]
FileName = Annotated[str, Path(description="one of the run's files", examples=["charts/map.vl.json"])]
EdaName = Annotated[str, Path(description="one of those that /v1/housing/eda names", examples=["summary.json"])]
Limit = Annotated[int, Query(ge=1, le=PAGE)]
CURSOR = "^[0-9]{13}-[0-9a-f-]{1,64}$"
Cursor = Annotated[str | None, Query(description="where the page before ended", json_schema_extra={"pattern": CURSOR})]


def routes(results: Results, now_ms: Callable[[], int]) -> APIRouter:
    """The routes."""
    router = APIRouter(default_response_class=MsgspecResponse)

    def get(path: str, what: str, kind: type | None = None, **told: Any) -> Callable[..., Any]:
        return router.get(path, summary=what, responses=answers(what, kind, **told))

    @get("/v1/flows", "The flows, each with its newest run", Flows, example=examples.FLOWS)
    def get_flows() -> Response:
        """How often each runs, the run that is at work, and the newest that has ended; null where there is none."""
        return MsgspecResponse(results.flows(now_ms()))

    @get("/v1/flows/{flow}/runs", "A flow's runs, newest first", RunPage, example=examples.RUNS)
    def get_runs(flow: Flow, limit: Limit = 50, cursor: Cursor = None, status: Status | None = None) -> Response:
        """Go on with `cursor` until it is null. With `status`, those alone that ended so."""
        return MsgspecResponse(results.page(flow, limit=limit, cursor=cursor, status=status))

    @get("/v1/flows/{flow}/runs/{run}", "A run with its report", RunReport, example=examples.REPORT)
    def get_run(flow: Flow, run: RunId) -> Response:
        """`report` is null where the run wrote none: it was skipped, failed, or is older than 90 days."""
        return MsgspecResponse(results.report(flow, run))

    too_large: dict[int | str, Any] = {413: refused("The file is larger than can be sent")}
    words = {**answers("The report", example=examples.REPORT_TEXT, media=MARKDOWN), **too_large}

    @router.get(
        "/v1/flows/{flow}/runs/{run}/report.md",
        summary="A run's report in words",
        responses=words,
        response_class=MarkdownResponse,
    )
    def get_report_text(flow: Flow, run: RunId) -> Response:
        """Markdown, tables as GitHub has them."""
        return MarkdownResponse(results.file(flow, run, "report.md"))

    @get("/v1/flows/{flow}/runs/{run}/logs", "What a run did, step by step", RunLog, example=examples.LOG)
    def get_log(flow: Flow, run: RunId) -> Response:
        """The steps with their durations in seconds, and the lines logged; no lines where there is no report."""
        return MsgspecResponse(results.log(flow, run))

    @get("/v1/flows/{flow}/runs/{run}/files", "The names of a run's files", RunFiles, example=examples.FILES)
    def get_files(flow: Flow, run: RunId) -> Response:
        """The steps and charts of a run that reused another's results are that one's."""
        return MsgspecResponse(results.files(flow, run))

    files = {**answers("The file", example=examples.FILE), **too_large}
    files[200]["content"] |= words[200]["content"]

    @router.get("/v1/flows/{flow}/runs/{run}/files/{name:path}", summary="A file of a run", responses=files)
    def get_file(flow: Flow, run: RunId, name: FileName) -> Response:
        """A step's table as JSON, a chart as a Vega-Lite spec with its data, or the report."""
        kind = MarkdownResponse if name.endswith(".md") else FileResponse
        return kind(results.file(flow, run, name))

    @get("/v1/housing/summary", "How the housing data stands", Summary, example=examples.SUMMARY)
    def get_summary() -> Response:
        """Rows, batches, quarantine, freshness and drift, of the newest data run with results; 404 before the first."""
        return MsgspecResponse(results.summary(now_ms()))

    @get("/v1/housing/eda", "Tables and charts of the housing data", Eda, example=examples.EDA)
    def get_eda() -> Response:
        """Those of the newest data run with results; 404 before the first."""
        return MsgspecResponse(results.eda())

    table = {**answers("The table or chart", example=examples.TABLE), **too_large}

    @router.get("/v1/housing/eda/{name}", summary="A table or chart of the housing data", responses=table)
    def get_eda_file(name: EdaName) -> Response:
        """A table as JSON, or a chart (`.vl.json`) as a Vega-Lite spec with its data."""
        return FileResponse(results.eda_file(name))

    @get("/v1/housing/batches", "The newest batches of housing data", Batches, example=examples.BATCHES)
    def get_batches(limit: Limit = 50) -> Response:
        """What came, what was taken, and what is in quarantine and why; newest first."""
        return MsgspecResponse(results.batches(limit=limit))

    @get("/v1/housing/metrics", "The figures of the price models over time", Metrics, example=examples.METRICS)
    def get_metrics(limit: Limit = 50) -> Response:
        """Of each training, oldest first; a run that reused a training is not counted again."""
        return MsgspecResponse(results.metrics(limit=limit))

    @get("/v1/housing/models", "The champion, and the gate's decisions", Models, example=examples.MODELS)
    def get_models(limit: Limit = 50) -> Response:
        """The newest decisions first; `champion` is null before the first promotion."""
        return MsgspecResponse(results.models(limit=limit))

    return router
