"""What is forecast, as reports, the API and pages tell it."""

from __future__ import annotations

from datetime import date

import msgspec

from tidemark.models.champion import Champion
from tidemark.models.sales_findings import Worth

ALL = "all"
"""The series of everything that the store sells."""


class Forecast(msgspec.Struct, frozen=True):
    """Items that a series will sell from `hour` to the next one, `lead` hours ahead (the hour that has begun is one
    ahead); `low` to `high` holds 80 % of outcomes. Neither bounds nor medians of several series may be added."""

    series: str
    hour: int
    lead: int
    mean: float
    low: float
    median: float
    high: float


class Past(msgspec.Struct, frozen=True):
    """An hour of today that is over: what was forecast when it began, and what was `sold`."""

    forecast: Forecast
    sold: float


class Forecasts(msgspec.Struct, frozen=True):
    """What a model says at one moment. `day`: of the hours to come, the next trading day where the shop has closed.
    `today`: the day of those that are over. `unknown`: series that the model has not learnt, and does not forecast."""

    version: str
    day: date
    coming: tuple[Forecast, ...]
    today: date
    past: tuple[Past, ...]
    unknown: tuple[str, ...]


class Outlook(msgspec.Struct, frozen=True):
    """What is forecast, or `why` nothing is; by the champion, and what that is worth beside its baseline."""

    forecasts: Forecasts | None
    why: str | None
    champion: Champion | None
    worth: tuple[Worth, ...]
