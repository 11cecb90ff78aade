"""What can be learnt of a shop: each model beside its baseline, on rows that came after all that it has learnt from.

The first 70 % of the time are learnt from, the next 10 % decide settings, the last 20 % judge. What judges is not
looked at before. Intervals are judged over the whole year, each quarter by a network that has seen only what came
before it.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from typing import Any, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt
import pandas as pd

from tidemark.features import Featurizer
from tidemark.models import conformal
from training import anomaly, baskets, demand, network, relevance, segments
from training.evidence import Estimate, Evidence, compare, coverage, estimate, mae, pinball, r2, rmse
from training.history import GUEST, History, history
from training.relevance import Relevance
from training.search import Trials, search
from training.segments import Segmentation
from training.shops import Shop

FIT, CHOOSE = 0.7, 0.8
FIRST = 0.1
"""Of the time: what the first network of the walk through the year has seen."""
MEMBERS = 2
TRIALS = 6
MOST_MEASURED = 4_000  # sales that anomalies are measured on

Floats: TypeAlias = npt.NDArray[np.float64]
Say = Callable[[str], object]


class Covered(msgspec.Struct, frozen=True):
    """Coverage of the 80 % intervals in one period; `as_learnt`: without recalibration."""

    period: str
    recalibrated: Estimate
    as_learnt: float
    rows: int


class Learnt(msgspec.Struct, frozen=True):
    """What was found of one model: its settings, its figures, its features and its intervals."""

    model: str
    settings: dict[str, Any]
    trials: int
    evidence: list[Evidence]
    relevance: list[Relevance]
    covered: list[Covered]
    parity: float
    bytes: int
    seconds: float


class Report(msgspec.Struct, frozen=True):
    """Everything that was found of a shop."""

    shop: str
    title: str
    origin: str
    tags: dict[str, str]
    rows: int
    first: str
    last: str
    baskets: Learnt
    demand: Learnt
    segments: list[Segmentation]
    anomaly: anomaly.Measured
    anomaly_settings: dict[str, Any]
    seconds: float


def study(shop: Shop, say: Say = print, *, trials: int = TRIALS) -> Report:
    """Learn everything about a shop, and judge it."""
    began = time.perf_counter()
    kept = Trials(shop.name, _hash(shop))
    found = history(shop.baskets, shop.codes)
    basket = _baskets(shop, found, kept, trials, say)
    hours = _demand(shop, kept, trials, say)
    kinds = [segments.learn("baskets", *segments.baskets(shop.baskets))]
    if (shop.baskets["customer"] != GUEST).any():
        kinds.append(segments.learn("customers", *segments.customers(shop.baskets)))
    say(f"{shop.name}: segments, {time.perf_counter() - began:.0f} s so far")
    odd, odd_settings = _anomaly(shop, kept, trials, say)
    return Report(
        shop=shop.name,
        title=shop.title,
        origin=shop.origin,
        tags=kept.tags,
        rows=len(shop.baskets),
        first=str(shop.baskets["at"].iloc[0]),
        last=str(shop.baskets["at"].iloc[-1]),
        baskets=basket,
        demand=hours,
        segments=kinds,
        anomaly=odd,
        anomaly_settings=msgspec.structs.asdict(odd_settings),
        seconds=round(time.perf_counter() - began, 1),
    )


def _hash(shop: Shop) -> str:
    hashed = pd.util.hash_pandas_object(shop.baskets, index=False).to_numpy()
    return hashlib.sha256(hashed.tobytes()).hexdigest()[:12]


# -- baskets


def _baskets(shop: Shop, found: History, kept: Trials, trials: int, say: Say) -> Learnt:
    began = time.perf_counter()
    count = len(found.log_value)
    fit, choose, judge = slice(0, int(FIT * count)), slice(int(FIT * count), int(CHOOSE * count)), int(CHOOSE * count)
    days = shop.baskets["at"].dt.normalize().to_numpy()
    told = relevance.relevance(
        found.features,
        (found.matrix[fit], found.log_value[fit]),
        (found.matrix[choose], found.log_value[choose]),
        days[choose],
    )
    matrix, value = found.matrix[:, relevance.kept(found.features, told)], found.log_value

    kind = (shop.baskets["customer"] == GUEST).to_numpy(np.int64)
    early = baskets.lesson(matrix[fit], value[fit], kind[fit])

    def loss(settings: baskets.Settings) -> dict[str, float]:
        model = baskets.fit(early, settings, 1, epochs=baskets.QUICK)
        return {"loss": baskets.loss(model, matrix[choose], value[choose])}

    settings, _ = search("basket", baskets.ask, loss, baskets.Settings(), trials=trials, kept=kept)
    say(f"{shop.name}: basket value, settings {settings}, {time.perf_counter() - began:.0f} s")
    whole = baskets.lesson(matrix[:judge], value[:judge], kind[:judge])
    members = [baskets.fit(whole, settings, seed) for seed in range(1, MEMBERS + 1)]
    model = baskets.averaged(members)
    said = baskets.predict(model, matrix[judge:])
    true, at = value[judge:], days[judge:]
    constant = np.broadcast_to(np.quantile(value[:judge], network.QUANTILES), said.quantiles.shape)
    simple = "the customer's own mean" if (shop.baskets["customer"] != GUEST).any() else "the mean"
    own = found.own_mean[judge:] if simple != "the mean" else np.full(len(true), value[:judge].mean())
    evidence = [
        compare("basket value, log-R²", r2(true, said.mean), simple, r2(true, own), at, more_is_better=True),
        compare(
            "basket value, pinball loss of the log",
            pinball(true, said.quantiles, network.QUANTILES),
            "constant quantiles",
            pinball(true, constant, network.QUANTILES),
            at,
        ),
    ]
    content = network.to_tflite(model)
    walked = _walk_baskets(matrix, value, kind, settings, days)
    learnt = Learnt(
        model="basket",
        settings=msgspec.structs.asdict(settings),
        trials=trials,
        evidence=evidence,
        relevance=told,
        covered=_covered(value, *walked, days),
        parity=network.parity(model, content, {"features": matrix[judge:][:500]}),
        bytes=len(content),
        seconds=round(time.perf_counter() - began, 1),
    )
    say(f"{shop.name}: basket value, {learnt.seconds:.0f} s; {evidence[0].ours.value:.3f} {evidence[0].verdict}")
    return learnt


def _walk_baskets(
    matrix: Any, value: Floats, kind: Any, settings: baskets.Settings, days: Any
) -> tuple[npt.NDArray[np.intp], Floats, Floats]:
    """Which rows were foretold by networks that had seen none of their quarter, and between which bounds."""
    rows, low, high = [], [], []
    for before, until in _quarters(days):
        learnt = baskets.lesson(matrix[:before], value[:before], kind[:before])
        model = baskets.fit(learnt, settings, 1, epochs=baskets.QUICK)
        said = baskets.predict(model, matrix[before:until])
        rows.append(np.arange(before, until))
        low.append(said.quantiles[:, 0])
        high.append(said.quantiles[:, 2])
    return np.concatenate(rows), np.concatenate(low), np.concatenate(high)


def _quarters(days: Any) -> list[tuple[int, int]]:
    """From where to where each quarter's rows go, from the first tenth on."""
    quarter = pd.PeriodIndex(pd.DatetimeIndex(days), freq="Q").astype("int64").to_numpy()
    first = int(FIRST * len(days))
    starts = [first, *(int(place) + 1 for place in np.flatnonzero(np.diff(quarter)) if place + 1 > first)]
    return list(zip(starts, [*starts[1:], len(days)], strict=True))


def _covered(
    true: Floats,
    rows: npt.NDArray[np.intp],
    low: Floats,
    high: Floats,
    days: Any,
    *,
    known_after: npt.NDArray[np.intp] | None = None,
    window: int = conformal.WINDOW,
) -> list[Covered]:
    margin = conformal.recalibrated(true[rows], low, high, known_after=known_after, window=window)
    period = pd.PeriodIndex(pd.DatetimeIndex(days[rows]), freq="Q").astype(str).to_numpy()
    found = []
    for one in dict.fromkeys(period.tolist()):
        of = period == one
        inside = coverage(true[rows][of], (low - margin)[of], (high + margin)[of])
        plain = coverage(true[rows][of], low[of], high[of]).above.mean()
        found.append(Covered(one, estimate(inside, days[rows][of]), round(float(plain), 4), int(of.sum())))
    return found


# -- demand


def _demand(shop: Shop, kept: Trials, trials: int, say: Say) -> Learnt:
    began = time.perf_counter()
    data = demand.table(shop.demand)
    count = len(shop.demand.days)
    fit, before = data.day < int(FIT * count), data.day < int(CHOOSE * count)
    choose, judge = before & ~fit, ~before
    days = shop.demand.days[data.day]
    told = relevance.relevance(
        data.features,
        (data.matrix[fit], data.items[fit]),
        (data.matrix[choose], data.items[choose]),
        days[choose],
        loss="poisson",
    )
    data = data._replace(matrix=data.matrix[:, relevance.kept(data.features, told)])

    def loss(settings: demand.Settings) -> dict[str, float]:
        _, epochs, least = demand.fit(data, fit, settings, 1, choose=choose)
        return {"loss": least, "epochs": epochs}

    settings, figures = search("demand", demand.ask, loss, demand.Settings(), trials=trials, kept=kept)
    say(f"{shop.name}: demand, settings {settings}, {time.perf_counter() - began:.0f} s")
    epochs = int(figures["epochs"])
    members = [demand.fit(data, before, settings, seed, epochs=epochs)[0] for seed in range(1, MEMBERS + 1)]
    model = demand.averaged(members)
    simple = _simple(shop, data, int(FIT * count), choose)
    usual = SIMPLE[simple](shop, data, int(CHOOSE * count))
    evidence: list[Evidence] = []
    for lead in (demand.LEADS[0], demand.LEADS[-1]):
        rows = judge & (data.lead == lead)
        said, true, ahead = demand.predict(model, data, rows), data.items[rows], f"{lead} h ahead"
        for name, figure in (("RMSE", rmse), ("MAE", mae)):
            mine = figure(true, said.mean)
            other = figure(true, usual[rows])
            evidence.append(compare(f"items an hour, {ahead}, {name}", mine, simple, other, days[rows]))
    content = network.to_tflite(model)
    learnt = Learnt(
        model="demand",
        settings=msgspec.structs.asdict(settings),
        trials=trials,
        evidence=evidence,
        relevance=told,
        covered=_walk_demand(shop, data, settings, epochs),
        parity=network.parity(model, content, {"features": data.matrix[:500], "level": data.level[:500, None]}),
        bytes=len(content),
        seconds=round(time.perf_counter() - began, 1),
    )
    say(f"{shop.name}: demand, {learnt.seconds:.0f} s; RMSE {evidence[0].ours.value:.4g} {evidence[0].verdict}")
    return learnt


def _hour_by_weekday(shop: Shop, data: demand.Table, before: int) -> Floats:
    """The mean of each series, weekday and hour over the days before the judged ones; of all days, where none was."""
    weekday = pd.DatetimeIndex(shop.demand.days).day_of_week.to_numpy()
    counts = shop.demand.counts
    means = np.stack(
        [
            counts[:before][weekday[:before] == one].mean(axis=0)
            if (weekday[:before] == one).any()
            else counts[:before].mean(axis=0)
            for one in range(7)
        ]
    )
    found: Floats = means[weekday[data.day], data.hour - shop.demand.hours[0], data.series]
    return found


def _mean_of_series(shop: Shop, data: demand.Table, before: int) -> Floats:
    """The mean of each series over all hours of the days before the judged ones."""
    found: Floats = shop.demand.counts[:before].mean(axis=(0, 1))[data.series]
    return found


SIMPLE: dict[str, Callable[[Shop, demand.Table, int], Floats]] = {
    "the mean of hour and weekday": _hour_by_weekday,
    "the mean": _mean_of_series,
}


def _simple(shop: Shop, data: demand.Table, before: int, choose: npt.NDArray[np.bool_]) -> str:
    """The baseline that is the harder to beat, on the rows that settings are chosen on."""
    errors = {
        name: np.mean((foretell(shop, data, before) - data.items)[choose] ** 2) for name, foretell in SIMPLE.items()
    }
    return min(errors, key=lambda name: float(errors[name]))


def _walk_demand(shop: Shop, data: demand.Table, settings: demand.Settings, epochs: int) -> list[Covered]:
    data = demand.of_lead(data, demand.LEADS[0])
    days = shop.demand.days[data.day]
    rows, low, high = [], [], []
    for before, until in _quarters(days):
        learn, ahead = np.zeros(len(days), np.bool_), np.zeros(len(days), np.bool_)
        learn[:before], ahead[before:until] = True, True
        model, _, _ = demand.fit(data, learn, settings, 1, epochs=epochs)
        said = demand.predict(model, data, ahead)
        rows.append(np.arange(before, until))
        low.append(np.log1p(said.quantiles[:, 0]))
        high.append(np.log1p(said.quantiles[:, 2]))
    at = np.concatenate(rows)
    moment = data.day[at] * 24 + data.hour[at]
    return _covered(
        np.log1p(data.items),
        at,
        np.concatenate(low),
        np.concatenate(high),
        days,
        known_after=np.searchsorted(moment, moment, side="right"),
        window=conformal.WINDOW * len(shop.demand.names),
    )


# -- anomalies


def _anomaly(shop: Shop, kept: Trials, trials: int, say: Say) -> tuple[anomaly.Measured, anomaly.Settings]:
    began = time.perf_counter()
    featurize, rows = Featurizer(shop.store), shop.sales
    first, second = int(0.6 * len(rows)), int(0.8 * len(rows))
    learnt, chosen, held_out = rows[:first], rows[first:second], rows[second:]
    model, settings = anomaly.best(learnt, chosen, featurize, shop.store, kept, max(2, trials // 2))
    at = anomaly.threshold(model, anomaly.seen(chosen, featurize, shop.store))
    some = held_out[:: max(1, len(held_out) // MOST_MEASURED)]
    found = anomaly.measure(model, at, learnt, some, featurize, shop.store)
    say(f"{shop.name}: anomalies, {time.perf_counter() - began:.0f} s; {found.false_alarms.value:.2%} false alarms")
    return found, settings
