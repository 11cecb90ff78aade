"""Is the sales model still right? The newest sales held against what it learnt from.

What it costs is independent of how many sales there were: some newest ones are read, and what the model was judged on
is a sketch in its file.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec
import numpy as np
import pandas as pd
from scipy import stats

from tidemark.ledger import Entry
from tidemark.models import shift
from tidemark.models.price_drift import Moved, moved
from tidemark.models.sales_findings import Finding, Status
from tidemark.models.sales_model import Reference, SalesModel
from tidemark.models.shift import Drift, Sketch, worst
from tidemark.store import MINUTES_PER_DAY, Store, local_minute

NEWEST = 1_000
"""Sales that are looked at."""
FEWEST = 100
CHANCE = 0.001
"""A share that chance gives more often, where the model is right, is told as none."""
OFF = (0.05, 0.1)
"""How far coverage may be from what it was, and quantiles from what they say: from the first on a warning."""
ALARMS = (3.0, 10.0)
"""Times the usual share of alarms."""
PRECISION = (0.5, 0.2)
"""Share of alarms that were right, of those whose truth is known: below the first a warning."""
LEVELS = (0.1, 0.5, 0.9)
DAYS = 2
"""Over fewer days the hours that sales come at say nothing."""
PROMPT_MS = 60_000
"""Within this time those that score take a new champion."""


class Column(msgspec.Struct, frozen=True):
    """A column whose values are counted."""

    name: str
    title: str
    kind: Literal["number", "category"] = "number"
    low: float = 0.0
    high: float = 1.0
    scale: Literal["linear", "log"] = "linear"
    categories: tuple[str, ...] = ()


class Watched(msgspec.Struct, frozen=True):
    """What is watched: the model that serves, since when (milliseconds since 1970), the one in its shadow, and what
    scoring one sale takes now, in microseconds."""

    model: SalesModel
    since: int
    shadow: SalesModel | None
    microseconds: float


class Watch(msgspec.Struct, frozen=True):
    """What is seen of `sales` sales, sold from `first` to `last`, ISO 8601."""

    sales: int
    judged: bool
    first: str | None
    last: str | None
    status: Status
    findings: list[Finding]
    drift: Drift | None
    prices: Moved | None


def columns(store: Store) -> tuple[Column, ...]:
    """What is counted of a sale."""
    codes = {
        "branch": ("Branch", store.branches),
        "product_line": ("Product line", store.product_lines),
        "customer_type": ("Customer type", store.customer_types),
        "payment": ("Payment", store.payments),
    }
    return (
        Column("unit_price", "Price", low=0.01, high=1e6, scale="log"),
        Column("quantity", "Quantity", low=1.0, high=1e5, scale="log"),
        Column("hour", "Hour", high=24.0),
        Column("rating", "Rating", high=10.0),
        Column("score", "Score"),
        *(Column(name, title, "category", categories=known) for name, (title, known) in codes.items()),
    )


def counts(values: Mapping[str, Sequence[object]], rows: int, store: Store) -> dict[str, list[int]]:
    """The counts of some sales, by column; an absent value is None."""
    series = {column.name: pd.Series(list(values[column.name])) for column in columns(store)}
    for column in columns(store):
        if column.kind == "number":
            series[column.name] = pd.to_numeric(series[column.name])
    return shift.sketch(series, rows, columns(store)).counts


def watch(newest: Sequence[Entry], watched: Watched, store: Store, truth: Mapping[str, bool]) -> Watch:
    """What is seen of the newest sales, oldest first, as far as the model that serves has scored them.

    `truth`: of the sales whose truth is known, whether they were anomalies.
    """
    model = watched.model
    sales = [entry for entry in newest if entry.kind == "sale" and entry.model == model.version]
    reference = model.reference
    first, last = (sales[0].sold_at.isoformat(), sales[-1].sold_at.isoformat()) if sales else (None, None)
    speed = Finding("latency", "Speed", "ok", f"One sale is scored in {watched.microseconds:,.0f} µs.")
    always = [_serves(newest, watched), _precision(sales, truth), speed]
    if watched.shadow is not None:
        always.append(_shadow(sales, watched.shadow, model))
    if len(sales) < FEWEST:
        words = f"{len(sales)} of the newest sales were scored by {model.version}: too few to say, {FEWEST} are needed."
        found = [Finding("features", "Sales", "ok", words), *always]
        return Watch(len(sales), False, first, last, worst(one.status for one in found), found, None, None)
    counted = [column for column in columns(store) if column.name != "hour" or _days(sales) >= DAYS]
    drift = shift.drift(Sketch(reference.rows, reference.counts), Sketch(len(sales), _counts(sales, store)), counted)
    prices = moved(
        [entry.product_line for entry in sales],
        np.array([float(entry.unit_price) for entry in sales]),
        reference.prices,
    )
    found = [
        _features(drift),
        _scores(drift),
        _prices(prices),
        _calibration(sales, reference),
        _alarms(sales, reference),
        *always,
    ]
    return Watch(len(sales), True, first, last, worst(one.status for one in found), found, drift, prices)


def _days(sales: Sequence[Entry]) -> float:
    return (sales[-1].minute - sales[0].minute) / MINUTES_PER_DAY


def _serves(newest: Sequence[Entry], watched: Watched) -> Finding:
    """Whether the sales that come are scored by the one that is meant to."""
    came = max(newest, key=lambda entry: entry.received_at, default=None)
    version = watched.model.version
    if came is None or came.model == version or came.received_at < watched.since + PROMPT_MS:
        return Finding("serves", "Champion", "ok", f"{version} serves.")
    words = f"{version} is meant to serve, and the newest sale was scored by {came.model}: see the log of ingest."
    return Finding("serves", "Champion", "alert", words)


def _shadow(sales: Sequence[Entry], shadow: SalesModel, model: SalesModel) -> Finding:
    both = [entry for entry in sales if entry.shadow == shadow.version and not entry.flags]
    theirs = sum(entry.shadow_score is not None and entry.shadow_score >= shadow.threshold for entry in both)
    ours = sum(entry.anomaly for entry in both)
    words = f"Beside it {shadow.version} would have alarmed at {theirs:,} of {len(both):,} sales; {ours:,} alarmed."
    return Finding("shadow", "Shadow", "ok", words)


def _counts(sales: Sequence[Entry], store: Store) -> dict[str, list[int]]:
    values: dict[str, list[object]] = {
        name: [getattr(entry, name) for entry in sales]
        for name in ("quantity", "score", "branch", "product_line", "customer_type", "payment")
    }
    values["unit_price"] = [float(entry.unit_price) for entry in sales]
    values["rating"] = [None if entry.rating is None else float(entry.rating) for entry in sales]
    values["hour"] = [local_minute(store.zone, entry.minute) % MINUTES_PER_DAY / 60 for entry in sales]
    return counts(values, len(sales), store)


def _features(drift: Drift) -> Finding:
    own = [one for one in drift.columns if one.column != "score"]
    said = [one.words for one in own if one.status != "ok"]
    words = " ".join(said) or "No column has moved beyond chance from what the model learnt."
    return Finding("features", "Sales", worst(one.status for one in own), words)


def _scores(drift: Drift) -> Finding:
    found = next((one for one in drift.columns if one.column == "score"), None)
    if found is None:
        return Finding("scores", "Scores", "ok", "Nothing is scored by a model.")
    words = found.words if found.status != "ok" else "The scores are spread as they were."
    return Finding("scores", "Scores", found.status, words)


def _prices(prices: Moved | None) -> Finding:
    if prices is None:
        return Finding("prices", "Prices", "ok", "Prices are what they were.")
    change = f"{abs(prices.factor - 1):.0%} {'dearer' if prices.factor > 1 else 'cheaper'}"
    words = f"Prices have moved: {change} than when the model learnt, seen {prices.at - prices.since + 1} sales after."
    return Finding("prices", "Prices", "alert", words)


def _calibration(sales: Sequence[Entry], reference: Reference) -> Finding:
    told = [(float(entry.total), entry.basket_quantiles) for entry in sales if entry.basket_quantiles is not None]
    if len(told) < FEWEST:
        return Finding("calibration", "Quantiles", "ok", "Too few baskets have quantiles to say.")
    totals, quantiles = np.array([total for total, _ in told]), np.array([said for _, said in told])
    inside = float(np.mean((totals >= quantiles[:, 0]) & (totals <= quantiles[:, 2])))
    below = (totals[:, None] <= quantiles).mean(axis=0)
    off = max(abs(inside - reference.coverage), float(np.abs(below - np.array(LEVELS)).max()))
    error = math.sqrt(0.25 / len(told) + 0.25 / max(reference.rows, 1))
    chance = 2 * stats.norm.sf(off / error) * (1 + len(LEVELS))
    status: Status = shift.status_of(off, OFF) if chance < CHANCE else "ok"
    shares = ", ".join(f"{share:.0%}" for share in below)
    words = (
        f"{inside:.0%} of baskets lie in their interval ({reference.coverage:.0%} when it was judged); {shares} below"
    )
    return Finding("calibration", "Quantiles", status, f"{words} the quantiles 10, 50 and 90.")


def _alarms(sales: Sequence[Entry], reference: Reference) -> Finding:
    alarms = sum(entry.anomaly and not entry.flags for entry in sales)
    flagged = sum(bool(entry.flags) for entry in sales)
    usual = max(reference.alarms, 1 / max(reference.rows, 1))
    chance = float(stats.binom.sf(alarms - 1, len(sales), usual))
    status: Status = shift.status_of(alarms / len(sales) / usual, ALARMS) if chance < CHANCE else "ok"
    words = f"{alarms:,} of {len(sales):,} sales alarmed by the score alone ({reference.alarms:.2%} of clean ones do)"
    return Finding("alarms", "Alarms", status, f"{words}; a rule hit {flagged:,}.")


def _precision(sales: Sequence[Entry], truth: Mapping[str, bool]) -> Finding:
    known = [truth[entry.invoice_id] for entry in sales if entry.anomaly and entry.invoice_id in truth]
    if not known:
        return Finding("precision", "Right alarms", "ok", "Of no alarm is the truth known yet.")
    right = sum(known)
    low = float(stats.beta.ppf(1 - CHANCE, right + 1, len(known) - right)) if right < len(known) else 1.0
    status: Status = "alert" if low < PRECISION[1] else "warn" if low < PRECISION[0] else "ok"
    return Finding(
        "precision", "Right alarms", status, f"{right} of {len(known)} alarms whose truth is known were right."
    )
