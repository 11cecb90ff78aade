"""The API as the pages read it. Whatever goes wrong is one of Tidemark's own errors, with a sentence for the page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, TypeVar

import httpx
import msgspec

from tidemark.errors import BadRequest, NotFound, Unauthorized, Unavailable
from tidemark.housing.requests import Answer, Block
from tidemark.models.champion import Champion, Decision
from tidemark.runs import Batch, Run, RunPage, Status, Step

# A Lambda that has slept takes some seconds to its first answer, on a busy machine most of these.
TIMEOUT_S = 20.0
T = TypeVar("T")


class Flow(msgspec.Struct, frozen=True):
    """A flow, which runs every `seconds`, None where no worker was ever started; `at_work`: the run that works now."""

    name: str
    seconds: int | None
    at_work: str | None = None


class RunReport(msgspec.Struct, frozen=True):
    """A run; `report` is None where it wrote none."""

    run: Run
    report: dict[str, Any] | None


class RunLog(msgspec.Struct, frozen=True):
    """The steps of a run, and the lines that it logged."""

    steps: list[Step]
    log: list[str]


class RunFiles(msgspec.Struct, frozen=True):
    """The names of a run's files; `results_of`: the run that made its steps and charts."""

    results_of: str
    files: list[str]


class Judged(msgspec.Struct, frozen=True):
    """What a data run saw of the stream of batches: `status` is ok, warn or alert."""

    status: str
    words: str


class Monitoring(msgspec.Struct, frozen=True):
    """None where there was no batch to judge yet."""

    freshness: Judged | None = None
    quality: Judged | None = None
    volume: Judged | None = None
    drift: Judged | None = None


class Summary(msgspec.Struct, frozen=True):
    """How the housing data stands, as a run that ended at `at` (ms since 1970) saw it; `rows`: good rows of all."""

    at: int
    rows: int
    newest_batch: Batch | None
    monitoring: Monitoring | None


class EdaFile(msgspec.Struct, frozen=True):
    """A table or chart of the profile."""

    name: str
    title: str


class Eda(msgspec.Struct, frozen=True):
    """Tables and charts of the housing data, made by the run `results_of`."""

    results_of: str
    at: int
    tables: list[EdaFile]
    charts: list[EdaFile]


class Point(msgspec.Struct, frozen=True):
    """The figures of a training that began at `at`, ms since 1970."""

    run: str
    at: int
    figures: dict[str, float]


class Models(msgspec.Struct, frozen=True):
    """Who serves, None before the first, and the gate's newest decisions, newest first."""

    champion: Champion | None
    decisions: list[Decision]


class _Flows(msgspec.Struct):
    flows: list[Flow]


class _Batches(msgspec.Struct):
    batches: list[Batch]


class _Metrics(msgspec.Struct):
    metrics: list[Point]


class _Error(msgspec.Struct):
    error: str = ""


class Api:
    """A client. Every call raises Unavailable where the API does not answer, Unauthorized where it does not accept the
    token, NotFound and BadRequest where it says so."""

    def __init__(
        self,
        url: str,
        token: str,
        transport: httpx.BaseTransport | None = None,
        token_now: Callable[[], str] | None = None,
    ) -> None:
        """`token_now`: reads the token again, where the API does not take the one that was given."""
        self._http = httpx.Client(base_url=url, timeout=TIMEOUT_S, transport=transport)
        self._token, self._token_now = token, token_now

    def flows(self) -> list[Flow]:
        """Every flow."""
        return self._get("/v1/flows", _Flows).flows

    def runs(self, flow: str, *, limit: int, cursor: str | None = None, status: Status | None = None) -> RunPage:
        """Some runs of a flow, newest first."""
        return self._get(f"/v1/flows/{flow}/runs", RunPage, limit=limit, cursor=cursor, status=status)

    def run(self, flow: str, run: str) -> RunReport:
        """A run with its report."""
        return self._get(f"/v1/flows/{flow}/runs/{run}", RunReport)

    def report(self, flow: str, run: str) -> str:
        """A run's report, Markdown."""
        return self._ask("GET", f"/v1/flows/{flow}/runs/{run}/report.md").text

    def log(self, flow: str, run: str) -> RunLog:
        """What a run did."""
        return self._get(f"/v1/flows/{flow}/runs/{run}/logs", RunLog)

    def files(self, flow: str, run: str) -> RunFiles:
        """The names of a run's files."""
        return self._get(f"/v1/flows/{flow}/runs/{run}/files", RunFiles)

    def file(self, flow: str, run: str, name: str) -> dict[str, Any]:
        """A table or chart of a run."""
        return self._get(f"/v1/flows/{flow}/runs/{run}/files/{name}", dict[str, Any])

    def summary(self) -> Summary | None:
        """How the data stands; None before the first run."""
        return self._get_or_none("/v1/housing/summary", Summary)

    def eda(self) -> Eda | None:
        """What there is of the newest profile; None before the first."""
        return self._get_or_none("/v1/housing/eda", Eda)

    def batches(self, limit: int) -> list[Batch]:
        """The newest batches, newest first."""
        return self._get("/v1/housing/batches", _Batches, limit=limit).batches

    def metrics(self, limit: int) -> list[Point]:
        """The newest trainings, oldest first."""
        return self._get("/v1/housing/metrics", _Metrics, limit=limit).metrics

    def models(self, limit: int) -> Models:
        """Who serves, and what the gate decided."""
        return self._get("/v1/housing/models", Models, limit=limit)

    def predict(self, block: Block) -> Answer:
        """The price of one block."""
        return self._read(self._ask("POST", "/v1/housing/predict", content=msgspec.json.encode(block)), Answer)

    def _get(self, path: str, kind: type[T], **query: Any) -> T:
        given = {name: value for name, value in query.items() if value is not None}
        return self._read(self._ask("GET", path, params=given), kind)

    def _get_or_none(self, path: str, kind: type[T]) -> T | None:
        try:
            return self._get(path, kind)
        except NotFound:
            return None

    def _ask(self, method: str, path: str, **given: Any) -> httpx.Response:
        try:
            answer = self._send(method, path, given)
            if answer.status_code == HTTPStatus.UNAUTHORIZED and self._has_another_token():
                answer = self._send(method, path, given)
        except httpx.HTTPError:
            raise Unavailable("The API does not answer.") from None
        if answer.is_success:
            return answer
        words = _words(answer)
        match answer.status_code:
            case HTTPStatus.UNAUTHORIZED | HTTPStatus.FORBIDDEN:
                raise Unauthorized(
                    "The API does not accept this page's token. Starting Tidemark again gives a new one."
                )
            case HTTPStatus.NOT_FOUND:
                raise NotFound(words or "There is no such thing.")
            case HTTPStatus.BAD_REQUEST | HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
                raise BadRequest(words or "The API does not understand what was asked.")
        said = (
            f"{words[:1].upper()}{words[1:]}"
            if words
            else f"The API cannot answer just now: it says {answer.status_code}"
        )
        raise Unavailable(f"{said}.")

    def _send(self, method: str, path: str, given: Mapping[str, Any]) -> httpx.Response:
        return self._http.request(method, path, headers={"Authorization": f"Bearer {self._token}"}, **given)

    def _has_another_token(self) -> bool:
        """Whether the token was changed meanwhile, as it is with the key that signs it."""
        if self._token_now is None:
            return False
        try:
            token, before = self._token_now(), self._token
        except Exception:  # noqa: BLE001  # AWS's clients raise many things; the one that we have is all there is then
            return False
        self._token = token
        return token != before

    @staticmethod
    def _read(answer: httpx.Response, kind: type[T]) -> T:
        try:
            return msgspec.json.decode(answer.content, type=kind)
        except msgspec.MsgspecError:
            raise Unavailable("The API answers something else than this page expects.") from None


def _words(answer: httpx.Response) -> str:
    try:
        return msgspec.json.decode(answer.content, type=_Error).error.rstrip(".")
    except msgspec.MsgspecError:
        return ""
