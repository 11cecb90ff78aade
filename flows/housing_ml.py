"""The ML flow: two algorithms beside two baselines, judged on blocks and on regions that they have not seen."""

from __future__ import annotations

import hashlib
import inspect
import os
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from mlflow.exceptions import MlflowException
from prefect import flow
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.futures import PrefectFuture
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner
from prefect.tasks import task

from flows.tracking import OF_HOUSING, Tracking
from flows.work import Skipped, Work, perform, timed
from tidemark import trees
from tidemark.errors import NotFound, TidemarkError
from tidemark.housing import champions, ml_report, training
from tidemark.housing.candidates import Forest, LightGbm
from tidemark.housing.charts import models as model_charts
from tidemark.housing.dataset import FOLDS_FILE, Dataset, from_frame
from tidemark.housing.price_model import Estimates
from tidemark.housing.training import Contender
from tidemark.models import promotion
from tidemark.models.champion import Champion, Decision
from tidemark.runs import HOUSING_ML, PRICE_MODEL, Run, folder_of
from tidemark.settings import variable

NAME = HOUSING_ML
CODE = Path(training.__file__).parent
T = TypeVar("T")


def task_runner(scheduler: str) -> TaskRunner[Any]:
    """Where models are trained: on two threads here, or on the workers of a Dask scheduler."""
    if not scheduler:
        return ThreadPoolTaskRunner(max_workers=2)
    from prefect_dask.task_runners import DaskTaskRunner

    return DaskTaskRunner(address=scheduler)


_SCHEDULER = os.environ.get(variable("dask_scheduler"), "")


@flow(name=NAME, task_runner=task_runner(_SCHEDULER), log_prints=False, persist_result=False)
async def housing_ml() -> State[Any]:
    """Train, judge, promote or refuse, report: every two minutes."""
    return await perform(NAME, _run)


async def _run(work: Work) -> Run:
    parts = work.parts
    try:
        dataset: Dataset = await work.do("read", "Read and split 70/30", lambda: from_frame(parts.housing.frame()))
        folds = training.folds_of(dataset)
    except TidemarkError as error:
        raise Skipped(str(error)) from None
    fingerprint = f"{dataset.fingerprint}-{_code()}"
    before, serving = work.same(fingerprint), parts.runs.champion(PRICE_MODEL)
    if serving is not None and not champions.whole(parts.objects, serving):
        work.say("the champion's files are gone or broken: what has not changed is trained again all the same")
    elif before is not None:
        return await _reuse(work, before, len(dataset))
    work.say(f"{len(dataset):,} blocks: {len(dataset.training):,} to learn from, {len(dataset.test):,} held out")
    contenders, spatial = await _train(work, dataset, folds)
    winner = training.choose(contenders, dataset.training)
    with work.step("judge", "Judge on rows and regions held out"):
        judgements = {name: training.judge(one, dataset, spatial[name]) for name, one in contenders.items()}
        advantages = training.advantages(winner, contenders, spatial, dataset)
        regions = training.errors_by_region(dataset, spatial[winner])
    figures = ml_report.figures(len(dataset), winner, judgements)
    with work.step("track", "Track in MLflow"):
        tracking = Tracking(OF_HOUSING)
        tracked = {
            name: tracking.log(work.id, name, one.candidate.settings, ml_report.flat(judgements[name]), work.started_at)
            for name, one in contenders.items()
        }
    with work.step("gate", "Promotion gate"):
        decision, champion = _gate(work, dataset, contenders, winner, partial(tracking.register, tracked[winner]))
        if champion is not None:
            tracking.crown(champion)
    with work.step("charts", "Charts and map of errors"):
        drawn = model_charts.specs(judgements, regions, winner)
        for name, spec in drawn.items():
            work.save(f"charts/{name}.vl.json", spec)
    with work.step("retention", "Retention"):
        deleted = tracking.retain(parts.settings.experiments_kept)
        if deleted:
            work.say(f"MLflow: {deleted} old runs deleted, the newest {parts.settings.experiments_kept} kept")
    await work.show("metrics", "Metrics of all algorithms", table=ml_report.metric_rows(judgements))
    await work.show("decision", "The gate's decision", text=f"**{decision.reason}**")
    results = ml_report.Results(judgements, winner, advantages, regions, decision, champion)
    run = await work.finish(
        "completed",
        ml_report.headline(results),
        report={
            "data": {"rows": len(dataset), "training": len(dataset.training), "held_out": len(dataset.test)},
            "algorithms": judgements,
            "winner": winner,
            "advantages": advantages,
            "regions": regions,
            "decision": decision,
            "champion": champion,
            "charts": list(drawn),
        },
        text=lambda run: ml_report.report(run, dataset, results),
        fingerprint=fingerprint,
        figures=figures,
    )
    try:
        tracking.attach(tracked[winner], "report.md", ml_report.report(run, dataset, results))
    except MlflowException as error:
        work.log.warning("MLflow has this run without its report: %s", error)
    return run


async def _train(work: Work, dataset: Dataset, folds: list[int]) -> tuple[dict[str, Contender], dict[str, Estimates]]:
    """Every algorithm on the training rows, then on all regions but one in turn: two at a time, or on Dask."""
    alone = (LightGbm.name,) if _SCHEDULER else ()  # Dask's learner itself takes every worker
    fitting = {
        name: _begin(f"Fit {name}", training.contend, name, dataset)
        for name in (LightGbm.name, Forest.name, *training.BASELINES)
        if name not in alone
    }
    contenders: dict[str, Contender] = {}
    for name in training.MAKERS:
        if name in alone:
            contenders[name], seconds = timed(training.contend)(name, dataset, workers=_SCHEDULER)
        else:
            contenders[name], seconds = fitting[name].result()
        work.took(f"fit {name}", f"Fit {name}, and judge it on training rows left out in turn", seconds)
    leaving_out = {
        name: [
            _begin(f"{name} without fold {fold}", training.elsewhere, name, fold, dataset, contender) for fold in folds
        ]
        for name, contender in contenders.items()
    }
    spatial = {}
    for name, futures in leaving_out.items():
        parts = [future.result() for future in futures]
        spatial[name] = training.joined([part for part, _ in parts], dataset)
        work.took(f"regions {name}", f"Learn {name} without one region after another", sum(took for _, took in parts))
    return contenders, spatial


def _begin(title: str, what: Callable[..., T], *given: Any, **named: Any) -> PrefectFuture[tuple[T, float]]:
    """Start a task beside others; its result comes with the seconds that it took."""
    begun: PrefectFuture[tuple[T, float]] = task(name=title, cache_policy=NO_CACHE)(timed(what)).submit(*given, **named)
    return begun


def _gate(
    work: Work,
    dataset: Dataset,
    contenders: dict[str, Contender],
    winner: str,
    register: Callable[[str, bytes], str],
) -> tuple[Decision, Champion | None]:
    """Let the winner serve, or not; either way the decision is recorded with its reason.

    Where a run is killed in between, the next does it once more: what is written is the same again, and a crown and the
    decision behind it are written together.
    """
    objects, runs = work.parts.objects, work.parts.runs
    champion = runs.champion(PRICE_MODEL)
    facts = {"algorithm": winner, "rows": len(dataset.training)}
    model = training.serving(contenders[winner], dataset, facts).dumps()
    fingerprint = hashlib.sha256(model).hexdigest()[:16]
    verdict = champions.challenge(objects, champion, contenders[winner], contenders, dataset.training)
    promoted, reason = verdict.promoted, verdict.reason
    if champion is not None and champion.fingerprint == fingerprint:
        promoted, reason = False, "refused: it is the champion itself, bit for bit"
        if not champions.whole(objects, champion):
            champions.keep(objects, fingerprint, model, dataset.training, contenders[winner])
            reason += "; its files were gone or broken, and were written again"
    decision = Decision(
        at=work.started_at,
        model=PRICE_MODEL,
        run=work.id,
        challenger=fingerprint,
        champion=champion.fingerprint if champion else None,
        promoted=promoted,
        reason=reason,
        rows=len(dataset.training),
        over_baseline=verdict.over_baseline,
        over_champion=verdict.over_champion,
    )
    if promoted:
        champions.keep(objects, fingerprint, model, dataset.training, contenders[winner])
        crowned = Champion(
            model=PRICE_MODEL,
            fingerprint=fingerprint,
            algorithm=winner,
            key=champions.model_key(fingerprint),
            run=work.id,
            at=work.started_at,
            version=register(fingerprint, model),
            previous=champion.fingerprint if champion else None,
        )
        work.go_on()
        if runs.crown(crowned, replacing=champion, decision=decision):
            work.say(reason)
            return decision, crowned
        champion = runs.champion(PRICE_MODEL)
        decision = msgspec.structs.replace(
            decision,
            champion=champion.fingerprint if champion else None,
            promoted=False,
            reason="refused: another run has promoted a model meanwhile",
        )
    runs.add_decision(decision)
    work.say(decision.reason)
    return decision, champion


def _code() -> str:
    """The same while the code that trains is the same."""
    hasher = hashlib.sha256()
    beside = (Path(inspect.getfile(module)) for module in (promotion, trees))
    for path in sorted((*CODE.glob("*.py"), FOLDS_FILE, *beside)):
        hasher.update(path.read_bytes())
    hasher.update("".join(version(package) for package in ("lightgbm", "numpy", "scikit-learn")).encode())
    return hasher.hexdigest()[:8]


async def _reuse(work: Work, before: Run, rows: int) -> Run:
    origin = work.reuse(before)
    words = f"no new block since run {origin}: its models and figures stand"
    try:
        story = work.parts.objects.get(f"{folder_of(NAME, origin)}report.md").decode()
    except NotFound:
        story = "It is no longer kept.\n"
    return await work.finish(
        "reused",
        words,
        report={"data": {"rows": rows}, "reused_from": origin},
        text=lambda run: ml_report.reused(run, origin, story),
        fingerprint=before.fingerprint,
        reused_from=origin,
        figures=before.figures,
    )
