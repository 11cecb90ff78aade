"""One run of a flow from its begin to its report: who may work, what each step took, what is kept of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec
from prefect import get_client, get_run_logger
from prefect.artifacts import acreate_markdown_artifact, acreate_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.filters import FlowRunFilter
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.client.schemas.sorting import FlowRunSort
from prefect.runtime import deployment, flow_run
from prefect.states import Completed, Crashed
from prefect.tasks import task

from flows.parts import Parts, connect
from tidemark import emf
from tidemark.errors import NotFound
from tidemark.ports import Runs
from tidemark.runs import SALES_MODEL, WITH_RESULTS, Run, Status, Step, began, folder_of, run_id
from tidemark.settings import FlowSettings

HOLD_MS = 30_000  # a run that has not been heard of for so long is dead, and another may work
HEARTBEAT_S = 8.0
LOOKED_AT = 20  # of the newest runs, those that ended without a word are told of
RESULTS_STAND_MS = 80 * 86_400_000  # the bucket keeps a run's files for 90 days
LATE = 0.5  # of the schedule's interval: the next run is nearer than the one that was missed
T = TypeVar("T")


class Skipped(Exception):
    """This run has nothing to do; its text says why."""


class TakenOver(Exception):
    """This run was not heard of for too long, and another works in its place."""


class Work:
    """A run that works. `flow` is the flow's name, due every `seconds`; `id` is the run's in the index."""

    def __init__(self, flow: str, parts: Parts, seconds: int) -> None:
        self.flow = flow
        self.parts = parts
        self.seconds = seconds
        self.log = get_run_logger()
        self.started_at = _now_ms()
        self.flow_run = str(flow_run.get_id())
        self.scheduled: datetime = flow_run.get_scheduled_start_time()
        self.id = run_id(_ms(self.scheduled), self.flow_run)
        self.steps: list[Step] = []
        self.lines: list[str] = []
        self._done = threading.Event()
        self._taken_over: str | None = None
        self._beating: threading.Thread | None = None

    # -- who works

    async def begin(self) -> None:
        """Become the one run of the flow that works. Raises Skipped where this one comes too late, or another does."""
        late = (datetime.now(UTC) - self.scheduled).total_seconds()
        if late > LATE * self.seconds:
            raise Skipped(f"late by {late:,.0f} s: the next run does the work")
        other = self._hold(self.parts.runs)
        if other is not None:
            raise Skipped(f"run {other} is at work")
        self._beating = threading.Thread(target=self._beat, daemon=True)
        self._beating.start()
        await self._bury()

    def _hold(self, runs: Runs) -> str | None:
        now = _now_ms()
        return runs.begin(self.flow, self.id, now=now, until=now + HOLD_MS)

    def _beat(self) -> None:
        while self._taken_over is None and not self._done.wait(HEARTBEAT_S):
            try:
                self._taken_over = self._hold(self.parts.heartbeat)
            except Exception as error:  # noqa: BLE001  # the next beat may do; without any the run is taken for dead
                self.log.warning("cannot say that this run is at work: %s", error)

    def go_on(self) -> None:
        """Raises TakenOver where another run works by now: this one must touch nothing any more."""
        if self._taken_over is not None:
            raise TakenOver(f"this run was not heard of for {HOLD_MS // 1000} s, and run {self._taken_over} took over")

    def end(self) -> None:
        """Let another work."""
        self._done.set()
        if self._beating is not None:
            self._beating.join()
            self.parts.runs.end(self.flow, self.id)

    async def _bury(self) -> None:
        """Tell of runs that ended without a word, killed or cancelled. Prefect would show some as running for ever."""
        question = {"deployment_id": {"any_": [deployment.id or _NONE]}, "state": {"type": {"any_": list(_UNHEARD)}}}
        async with get_client() as client:
            found = await client.read_flow_runs(
                flow_run_filter=FlowRunFilter.model_validate(question),
                sort=FlowRunSort.EXPECTED_START_TIME_DESC,
                limit=LOOKED_AT,
            )
            for other in found:
                if str(other.id) == self.flow_run or other.expected_start_time is None or other.state is None:
                    continue
                words = other.state.message or "its process ended without a word"
                if other.state.type == StateType.RUNNING:
                    if _now_ms() - _ms(other.start_time or other.expected_start_time) < HOLD_MS:
                        continue
                    words = "its process ended without a word; what it had not finished, the next run does"
                    self.log.warning("run %s: %s", other.name, words)
                    await client.set_flow_run_state(other.id, Crashed(message=words), force=True)
                self._tell_of(other.start_time or other.expected_start_time, other, words)

    def _tell_of(self, started: datetime, other: FlowRun, words: str) -> None:
        """Add a run that left no entry in the index."""
        assert other.expected_start_time is not None
        identity = run_id(_ms(other.expected_start_time), str(other.id))
        ended = _ms(other.end_time) if other.end_time else _now_ms()
        try:
            self.parts.runs.get(self.flow, identity)
        except NotFound:
            self.parts.runs.add(Run(identity, self.flow, str(other.id), "failed", _ms(started), ended, words))

    # -- steps

    def say(self, text: str) -> None:
        """A line of the log, kept in the report too."""
        self.log.info(text)
        self.lines.append(f"{datetime.now(UTC):%H:%M:%S} {text}")

    @contextmanager
    def step(self, name: str, title: str) -> Iterator[None]:
        """Time and log a step."""
        self.go_on()
        began = time.perf_counter()
        yield
        self.took(name, title, time.perf_counter() - began)

    async def do(self, name: str, title: str, what: Callable[..., T], *given: Any) -> T:
        """A step that is a task in Prefect: run it, time it, log it."""
        with self.step(name, title):
            return task(name=title, cache_policy=NO_CACHE)(what)(*given)

    def took(self, name: str, title: str, seconds: float) -> None:
        """Log a step whose parts ran side by side; `seconds` of all of them together."""
        self.steps.append(Step(name, title, round(seconds, 3)))
        self.say(f"{title}: {seconds:.2f} s")
        emf.write({"flow": self.flow, "run": self.id, "step": name, "step_seconds": round(seconds, 3)})

    def same(self, fingerprint: str) -> Run | None:
        """The flow's newest run with results, where it looked at the same data with the same code."""
        for run in self.parts.runs.page(self.flow, limit=20).runs:
            if run.status in WITH_RESULTS:
                young = _now_ms() - began(run.reused_from or run.id) < RESULTS_STAND_MS
                return run if run.fingerprint == fingerprint and young else None
        return None

    def reuse(self, before: Run) -> str:
        """Log every step of an earlier run whose results stand; returns the run that they came from."""
        origin = before.reused_from or before.id
        done = {step.name for step in self.steps}
        for step in self.parts.runs.get(self.flow, origin).steps:
            if step.name not in done:
                self.steps.append(Step(step.name, step.title, 0.0, origin))
                self.say(f"{step.title}: unchanged, as in run {origin} (it took {step.seconds:.2f} s)")
        return origin

    # -- what is kept

    @property
    def folder(self) -> str:
        """Where this run's files are."""
        return folder_of(self.flow, self.id)

    def save(self, name: str, content: object) -> None:
        """Write a file of this run as JSON."""
        self.parts.objects.put(f"{self.folder}{name}", msgspec.json.encode(content), content_type="application/json")

    async def show(self, key: str, title: str, *, table: list[dict[str, Any]] | None = None, text: str = "") -> None:
        """An artifact in Prefect: a table, or Markdown."""
        key = f"{self.flow}-{key}".replace("_", "-")
        if table is not None:
            await acreate_table_artifact(table=table, key=key, description=title)
        else:
            await acreate_markdown_artifact(markdown=text, key=key, description=title)

    async def finish(
        self,
        status: Status,
        headline: str,
        *,
        report: dict[str, Any],
        text: Callable[[Run], str],
        fingerprint: str | None = None,
        reused_from: str | None = None,
        figures: dict[str, float] | None = None,
    ) -> Run:
        """Write the report and, last, the run into the index."""
        run = Run(
            id=self.id,
            flow=self.flow,
            flow_run=self.flow_run,
            status=status,
            started_at=self.started_at,
            ended_at=_now_ms(),
            headline=headline,
            fingerprint=fingerprint,
            reused_from=reused_from,
            figures=figures or {},
            steps=self.steps,
        )
        self.go_on()
        markdown = text(run)
        self.parts.objects.put(f"{self.folder}report.md", markdown.encode(), content_type="text/markdown")
        await self.show("report", "The run's report", text=markdown)
        self.say(headline)
        self.save("report.json", {"run": run, "log": self.lines, **report})
        self.parts.runs.add(run)
        _measure(run)
        return run

    def record(self, status: Status, words: str) -> None:
        """Keep a run that has no report: one that was skipped, or failed."""
        run = Run(self.id, self.flow, self.flow_run, status, self.started_at, _now_ms(), words, steps=self.steps)
        self.parts.runs.add(run)
        _measure(run)


def _measure(run: Run) -> None:
    """A run's metrics, for a dashboard."""
    failed = run.status == "failed"
    metrics: dict[str, tuple[emf.Value, emf.Unit]] = {"runs": (1, "Count"), "runs_failed": (int(failed), "Count")}
    if run.status in WITH_RESULTS:
        metrics["seconds"] = ((run.ended_at - run.started_at) / 1000, "Seconds")
    emf.tell("flows", metrics, flow=run.flow)


async def perform(flow: str, what: Callable[[Work], Awaitable[Run]]) -> State[Any]:
    """One run of a flow: let it work where it may, and keep how it ended, whichever way."""
    parts = connect()
    work = Work(flow, parts, every(flow, parts.settings))
    try:
        await work.begin()
        run = await what(work)
    except Skipped as reason:
        work.say(f"skipped: {reason}")
        work.record("skipped", str(reason))
        return Completed(name="Skipped", message=str(reason))
    except BaseException as error:  # one that was told to end, too
        work.record("failed", f"{type(error).__name__}: {error}".removesuffix(": "))
        raise
    finally:
        work.end()
    return Completed(name=run.status.capitalize(), message=run.headline)


def every(flow: str, settings: FlowSettings) -> int:
    """Seconds between two runs of a flow that are due."""
    return settings.train_seconds if flow == SALES_MODEL else settings.flow_seconds


def timed(what: Callable[..., T]) -> Callable[..., tuple[T, float]]:
    """The same, whose result comes with the seconds that it took."""

    def both(*given: Any, **named: Any) -> tuple[T, float]:
        began = time.perf_counter()
        return what(*given, **named), time.perf_counter() - began

    return both


_UNHEARD = ("RUNNING", "CRASHED", "CANCELLED", "FAILED")
_NONE = "00000000-0000-0000-0000-000000000000"


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
