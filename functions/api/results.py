"""What the pipelines' runs have left behind, read for the API: the index, and each run's files in the bucket."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import Any, TypeVar

import msgspec

from tidemark.errors import BadRequest, NotFound
from tidemark.models.champion import Champion, Decision
from tidemark.ports import Objects, Runs
from tidemark.runs import (
    FLOWS,
    HOUSING_DATA,
    HOUSING_ML,
    PRICE_MODEL,
    WITH_RESULTS,
    Batch,
    Run,
    RunPage,
    Status,
    Step,
    began,
    folder_of,
    read_cursor,
)

BARREN = 2_000  # runs in a row without results, almost three days of them, after which none is sought any more
_WHY = {"skipped": "it was skipped", "failed": "it failed"}
T = TypeVar("T")
_AGE = "it is not there any more, files are kept for 90 days"
_REPORTS = ("report.json", "report.md")
_STEPS, _CHARTS, _CHART = "steps/", "charts/", ".vl.json"
_FILE = re.compile(r"(steps/[a-zA-Z0-9][\w-]{0,99}\.json|charts/[a-zA-Z0-9][\w-]{0,99}\.vl\.json)", re.ASCII)


class Flow(msgspec.Struct, frozen=True):
    """A flow: it runs every `seconds`, null where no worker was ever started; `at_work`: the id of the run that works
    now, null where none does; `newest`: its newest run that has ended, null before the first."""

    name: str
    seconds: int | None
    at_work: str | None
    newest: Run | None


class Flows(msgspec.Struct, frozen=True):
    """All flows."""

    flows: list[Flow]


class RunReport(msgspec.Struct, frozen=True):
    """A run with its report; `report` is null where it wrote none, as one that was skipped or failed."""

    run: Run
    report: dict[str, Any] | None


class RunLog(msgspec.Struct, frozen=True):
    """What a run did: how long each step took, and the lines that it logged."""

    run: str
    status: Status
    headline: str
    steps: list[Step]
    log: list[str]


class RunFiles(msgspec.Struct, frozen=True):
    """The names of a run's files. `results_of`: the run that made its steps and charts, maybe an earlier one."""

    run: str
    results_of: str
    files: list[str]


class Summary(msgspec.Struct, frozen=True):
    """How the housing data stands.

    `run`: the newest data run with results, ended at `at` (ms since 1970); `results_of`: the run that made the tables
    and charts. `rows`: good rows of all batches; `batches` came in this run, of them `refused` whole, and
    `quarantined` rows of the others. `freshness_minutes`: how long ago the newest batch came, now; null where none
    ever came. `drift`: the largest population stability index. `monitoring`: what the run saw, in words.
    """

    run: str
    at: int
    results_of: str
    headline: str
    rows: int
    batches: int
    quarantined: int
    refused: int
    freshness_minutes: float | None
    drift: float
    newest_batch: Batch | None
    monitoring: dict[str, Any] | None


class EdaFile(msgspec.Struct, frozen=True):
    """A table or chart of the profile, read at `/v1/housing/eda/{name}`."""

    name: str
    title: str


class Eda(msgspec.Struct, frozen=True):
    """Tables and charts of the housing data, of the newest data run with results."""

    run: str
    results_of: str
    at: int
    tables: list[EdaFile]
    charts: list[EdaFile]


class Batches(msgspec.Struct, frozen=True):
    """The newest batches of housing data, newest first."""

    batches: list[Batch]


class Point(msgspec.Struct, frozen=True):
    """The figures of a training that began at `at`, ms since 1970."""

    run: str
    at: int
    figures: dict[str, float]


class Metrics(msgspec.Struct, frozen=True):
    """The figures of the newest trainings, oldest first."""

    metrics: list[Point]


class Models(msgspec.Struct, frozen=True):
    """Who serves, null before the first, and what the promotion gate said of the newest challengers, newest first."""

    champion: Champion | None
    decisions: list[Decision]


class _Report(msgspec.Struct, frozen=True):
    log: list[str] = []
    monitoring: dict[str, Any] | None = None


class Results:
    """Reads runs and their files. Every name that a caller gives is checked before it becomes part of a key."""

    def __init__(self, runs: Runs, objects: Objects) -> None:
        self._runs, self._objects = runs, objects

    def flows(self, now_ms: int) -> Flows:
        """Every flow as it stands at `now_ms`."""
        return Flows([self._flow(name, now_ms) for name in FLOWS])

    def _flow(self, name: str, now_ms: int) -> Flow:
        state = self._runs.state(name, now=now_ms)
        return Flow(name, state.seconds, state.at_work, next(iter(self._runs.page(name, limit=1).runs), None))

    def page(self, flow: str, *, limit: int, cursor: str | None, status: Status | None) -> RunPage:
        """Some runs, newest first. Raises NotFound for another flow, BadRequest for a made-up cursor."""
        _known(flow)
        if cursor is not None:
            read_cursor(cursor)
        return self._runs.page(flow, limit=limit, cursor=cursor, status=status)

    def run(self, flow: str, run: str) -> Run:
        """One run. Raises NotFound where there is none."""
        _known(flow)
        try:
            return self._runs.get(flow, read_cursor(run))
        except BadRequest:
            raise NotFound(f"there is no run {run[:80]!r} of {flow}") from None

    def report(self, flow: str, run: str) -> RunReport:
        """A run with its report, null where it has none."""
        found = self.run(flow, run)
        try:
            return RunReport(found, msgspec.json.decode(self._read(found, _REPORTS[0]), type=dict[str, Any]))
        except (NotFound, msgspec.DecodeError):
            return RunReport(found, None)

    def log(self, flow: str, run: str) -> RunLog:
        """What a run did."""
        found = self.run(flow, run)
        lines = self._parts(found).log
        return RunLog(found.id, found.status, found.headline, found.steps, lines)

    def files(self, flow: str, run: str) -> RunFiles:
        """The names that `file` takes."""
        found = self.run(flow, run)
        return RunFiles(found.id, found.reused_from or found.id, [*self._reports(found), *self._made(found)])

    def file(self, flow: str, run: str, name: str) -> bytes:
        """A file of a run. Raises NotFound where it has none of this name."""
        return self._read(self.run(flow, run), name)

    def summary(self, now_ms: int) -> Summary:
        """How the housing data stands at `now_ms`. Raises NotFound before the first run with results."""
        run = self._newest(HOUSING_DATA)
        figures = run.figures
        newest = self._runs.batches(limit=1)
        return Summary(
            run=run.id,
            at=run.ended_at,
            results_of=run.reused_from or run.id,
            headline=run.headline,
            rows=int(figures.get("rows", 0)),
            batches=int(figures.get("batches", 0)),
            quarantined=int(figures.get("quarantined", 0)),
            refused=int(figures.get("refused", 0)),
            freshness_minutes=round(max(now_ms - newest[0].arrived_at, 0) / 60_000, 1) if newest else None,
            drift=figures.get("drift", 0.0),
            newest_batch=newest[0] if newest else None,
            monitoring=self._parts(run).monitoring,
        )

    def eda(self) -> Eda:
        """The tables and charts of the newest profile. Raises NotFound before the first."""
        run = self._newest(HOUSING_DATA)
        titles = {step.name: step.title for step in run.steps}
        tables: list[EdaFile] = []
        charts: list[EdaFile] = []
        for name in self._made(run):
            short = name.partition("/")[2]
            of = short.removesuffix(_CHART).removesuffix(".json")
            title = titles.get(of) or of.replace("-", " ").capitalize()
            (charts if name.startswith(_CHARTS) else tables).append(EdaFile(short, title))
        return Eda(run.id, run.reused_from or run.id, run.ended_at, tables, charts)

    def eda_file(self, name: str) -> bytes:
        """A table or chart of the newest profile. Raises NotFound where there is none of this name."""
        folder = _CHARTS if name.endswith(_CHART) else _STEPS
        return self._read(self._newest(HOUSING_DATA), folder + name)

    def batches(self, *, limit: int) -> Batches:
        """The newest batches."""
        return Batches(self._runs.batches(limit=limit))

    def metrics(self, *, limit: int) -> Metrics:
        """The figures of the newest trainings; a run that reused another's is none."""
        trained = islice(self._with_results(HOUSING_ML), limit)
        points = [Point(origin := run.reused_from or run.id, began(origin), run.figures) for run in trained]
        return Metrics(points[::-1])

    def models(self, *, limit: int) -> Models:
        """Who serves, and the newest decisions."""
        return Models(self._runs.champion(PRICE_MODEL), self._runs.decisions(PRICE_MODEL, limit=limit))

    def newest_report(self, flow: str, kind: type[T]) -> tuple[Run, T] | None:
        """A flow's newest run with results, and what its report says; None where there is none that can be read."""
        run = next(self._with_results(flow), None)
        try:
            return None if run is None else (run, msgspec.json.decode(self._read(run, _REPORTS[0]), type=kind))
        except (NotFound, msgspec.DecodeError):
            return None

    def _newest(self, flow: str) -> Run:
        found = next(self._with_results(flow), None)
        if found is None:
            raise NotFound(f"no run of {flow} has completed yet")
        return found

    def _with_results(self, flow: str) -> Iterator[Run]:
        """Newest first, and of those that share results the newest alone.

        A run reuses the results of the newest that has some: between it and the one it took them from, all only repeat
        them.
        """
        seen: set[str] = set()
        cursor: str | None = None
        limit, barren = 5, 0
        while barren < BARREN:
            page = self._runs.page(flow, limit=limit, cursor=cursor)
            cursor = page.cursor
            barren += len(page.runs)
            for run in page.runs:
                origin = run.reused_from or run.id
                if run.status in WITH_RESULTS and origin not in seen:
                    seen.add(origin)
                    barren, cursor = 0, cursor and min(cursor, origin)
                    yield run
            if cursor is None:
                return
            limit = 40

    def _parts(self, run: Run) -> _Report:
        try:
            return msgspec.json.decode(self._read(run, _REPORTS[0]), type=_Report)
        except (NotFound, msgspec.DecodeError):
            return _Report()

    def _reports(self, run: Run) -> list[str]:
        own = folder_of(run.flow, run.id)
        names = [found.key.removeprefix(own) for found in self._objects.find(own + "report.")]
        return [name for name in names if name in _REPORTS]

    def _made(self, run: Run) -> list[str]:
        names = [
            found.key.removeprefix(run.folder)
            for part in (_CHARTS, _STEPS)
            for found in self._objects.find(run.folder + part)
        ]
        return [name for name in names if _FILE.fullmatch(name)]

    def _read(self, run: Run, name: str) -> bytes:
        if name in _REPORTS:
            key = folder_of(run.flow, run.id) + name
        elif _FILE.fullmatch(name):
            key = run.folder + name
        else:
            raise NotFound(f"run {run.id} has no file {name[:80]!r}")
        try:
            return self._objects.get(key)
        except NotFound:
            raise NotFound(f"run {run.id} has no file {name!r}: {_WHY.get(run.status, _AGE)}") from None


def _known(flow: str) -> None:
    if flow not in FLOWS:
        raise NotFound(f"there is no flow {flow[:80]!r}; there are {', '.join(FLOWS)}")
