"""What is known of the items that the next hours will sell: the same features in training and in serving.

A series is what is forecast by itself: a branch's product line, or a whole shop. Days are trading days; what is known
when a forecast is made is everything up to `lead` hours before its hour, so that the hour that has begun is one ahead.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt

from tidemark.errors import TidemarkError

if TYPE_CHECKING:
    import pandas as pd

Floats: TypeAlias = npt.NDArray[np.float64]
Float32s: TypeAlias = npt.NDArray[np.float32]
Ints: TypeAlias = npt.NDArray[np.int64]
Bools: TypeAlias = npt.NDArray[np.bool_]

LEADS = (1, 2, 3, 6)
"""Hours ahead that are judged where many shops are."""
SERVED = (1, 2, 3, 4, 5, 6)
"""Hours ahead that are forecast where a model serves."""
SHORT, LONG = 5, 20  # trading days
FEWEST = 28
"""Trading days that a model is learnt from: four weeks, of which the first `LONG` only say what is usual."""
WEEKS = 4
WEEKDAYS = 7
_MONDAY = 4  # of 1970: the first one, in days since its beginning


class Feature(NamedTuple):
    """`group`: features that say the same thing, whose relevance is told as one."""

    name: str
    group: str
    meaning: str


class Series(NamedTuple):
    """Items sold: `counts` float64[days, hours, series], the trading days `days` datetime64[D], open hours `hours`, and
    the `names` of the series."""

    days: npt.NDArray[np.datetime64]
    hours: Ints
    names: tuple[str, ...]
    counts: Floats


class Table(NamedTuple):
    """Of `n` hours to forecast: `matrix` float32[n, k] in the order of `features`; `level` float32[n]: log(1 + items)
    of this hour over the last weeks; `items` float64[n]; and which `day`, `hour`, `series` and `lead` each is of."""

    features: tuple[Feature, ...]
    matrix: Float32s
    level: Float32s
    items: Floats
    day: Ints
    hour: Ints
    series: Ints
    lead: Ints


class Found(NamedTuple):
    """Items of `n` hours: float64[n] and float64[n, 3]."""

    mean: Floats
    quantiles: Floats


# -- counts


class Hourly(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Items sold as they are handed on: `counts` of days × hours × series; `days` as ISO 8601 dates."""

    days: tuple[date, ...]
    hours: tuple[int, ...]
    names: tuple[str, ...]
    counts: list[list[list[float]]]


def dumps(found: Series) -> bytes:
    """A series as JSON."""
    days = tuple(day.item() for day in found.days)
    return msgspec.json.encode(Hourly(days, tuple(found.hours.tolist()), found.names, found.counts.tolist()))


def loads(content: bytes) -> Series:
    """A series from JSON. Raises TidemarkError where it is none."""
    try:
        told = msgspec.json.decode(content, type=Hourly)
        counts = np.array(told.counts, np.float64)
    except (msgspec.MsgspecError, ValueError) as error:
        raise TidemarkError(f"these are no items by day, hour and series: {error}") from None
    shape = len(told.days), len(told.hours), len(told.names)
    if counts.shape != shape or not counts.size:
        raise TidemarkError(f"items have the shape {counts.shape}; days, hours and names make it {shape}")
    if any(later <= earlier for earlier, later in itertools.pairwise(told.days)):
        raise TidemarkError("the days do not ascend")
    if any(later != earlier + 1 for earlier, later in itertools.pairwise(told.hours)):
        raise TidemarkError("the hours do not follow one another")
    if len(set(told.names)) < len(told.names):
        raise TidemarkError("two series have one name")
    if not (np.isfinite(counts).all() and counts.min() >= 0):
        raise TidemarkError("items are numbers of 0 or more")
    return Series(np.array(told.days, "datetime64[D]"), np.array(told.hours, np.int64), told.names, counts)


def series(at: pd.Series, name: pd.Series, items: pd.Series, hours: range) -> Series:
    """Count items by hour; days on which nothing was sold at all are no trading days.

    Raises TidemarkError where there are fewer than `LONG` + 1 trading days.
    """
    inside = at.dt.hour.isin(list(hours))
    at, name, items = at[inside], name[inside], items[inside]
    days, day = np.unique(at.dt.normalize().to_numpy("datetime64[D]"), return_inverse=True)
    names, which = np.unique(name.to_numpy(str), return_inverse=True)
    must_reach(days, LONG + 1)
    counts = np.zeros((len(days), len(hours), len(names)))
    np.add.at(counts, (day, at.dt.hour.to_numpy() - hours.start, which), items.to_numpy(np.float64))
    return Series(days, np.array(hours, np.int64), tuple(names.tolist()), counts)


def must_reach(days: npt.NDArray[np.datetime64], needed: int) -> None:
    """Raises TidemarkError where there are fewer trading days than are needed."""
    if len(days) < needed:
        raise TidemarkError(f"{len(days)} trading days are too few to forecast from: {needed} are needed")


def traded(found: Series, *, today: bool = False) -> Series:
    """Without the days on which nothing was sold at all; `today`: but for the last day, which has not ended."""
    kept: Bools = np.asarray(found.counts.any(axis=(1, 2)))
    kept[-1] |= today
    return found._replace(days=found.days[kept], counts=found.counts[kept])


def after(found: Series) -> Series:
    """With one more day, of which nothing is known: the next one on a weekday that has been traded on lately."""
    traded_on = set(weekday(found.days[-LONG:]).tolist())
    day = found.days[-1:] + 1
    while int(weekday(day)[0]) not in traded_on:
        day = day + 1
    return found._replace(
        days=np.concatenate([found.days, day]),
        counts=np.concatenate([found.counts, np.zeros((1, *found.counts.shape[1:]))]),
    )


def weekday(days: npt.NDArray[np.datetime64]) -> Ints:
    """The weekday of each day, Monday is 0. Shape (n,)."""
    return (days.astype("datetime64[D]").astype(np.int64) - _MONDAY) % WEEKDAYS


# -- features


def table(found: Series, leads: tuple[int, ...] = LEADS, features: Sequence[str] | None = None) -> Table:
    """Every hour to forecast, from the first day that has `LONG` before it, in the order of time.

    `features`: those that are computed, in this order; by default all but those that are the same everywhere. They may
    be of series that are not here. Raises TidemarkError where there is no such feature.
    """
    shape = (len(leads), *found.counts.shape)
    columns: dict[str, tuple[Feature, Floats]] = {}

    def add(name: str, group: str, meaning: str, values: Any, *, differs: bool = True) -> None:
        if differs if features is None else name in features:
            columns[name] = Feature(name, group, meaning), np.broadcast_to(values, shape)

    usual = _before(found.counts, LONG)
    level = np.log1p(usual)
    _of_level(add, found, level)
    add("today", "today so far", "items of today against the usual until then, log", _today(found.counts, usual, leads))
    add("last_hour", "today so far", "the last known hour against its usual, log", _last(found.counts, level, leads))
    _of_calendar(add, found)
    for place, name in enumerate([*found.names, *_others(found.names, features)]):
        of = np.arange(len(found.names)) == place
        add(f"series={name}", "series", f"of {name}", of, differs=len(found.names) > 1)
    add("lead", "lead", "hours ahead", np.array(leads)[:, None, None, None], differs=len(leads) > 1)
    chosen = [columns[name] for name in _known(columns, features)]
    lead, day, hour, which = np.meshgrid(leads, np.arange(shape[1]), found.hours, np.arange(shape[3]), indexing="ij")
    order = np.lexsort((which.ravel(), lead.ravel(), hour.ravel(), day.ravel()))
    rows = order[day.ravel()[order] >= LONG]
    return Table(
        features=tuple(feature for feature, _ in chosen),
        matrix=np.column_stack([values.ravel()[rows].astype(np.float32) for _, values in chosen]),
        level=np.broadcast_to(level, shape).ravel()[rows].astype(np.float32),
        items=np.broadcast_to(found.counts, shape).ravel()[rows],
        day=day.ravel()[rows],
        hour=hour.ravel()[rows],
        series=which.ravel()[rows],
        lead=lead.ravel()[rows],
    )


def of_lead(data: Table, lead: int) -> Table:
    """The rows of one lead alone."""
    return of_rows(data, data.lead == lead)


def of_rows(data: Table, rows: Bools) -> Table:
    """Some rows alone."""
    return data._replace(
        matrix=data.matrix[rows],
        level=data.level[rows],
        items=data.items[rows],
        day=data.day[rows],
        hour=data.hour[rows],
        series=data.series[rows],
        lead=data.lead[rows],
    )


def asked(data: Table, hours: Ints) -> Bools:
    """Which rows somebody asks for: before the shop opens, its first hour is one ahead. Shape (n,)."""
    found: Bools = data.hour - hours[0] >= data.lead - 1
    return found


def in_items(mean: npt.NDArray[Any], quantiles: npt.NDArray[Any]) -> Found:
    """Items from what a network says: `mean` [n, 1] and `quantiles` [n, 3], logs of items and of 1 + items."""
    said = np.exp(np.asarray(mean, np.float64)[:, 0])
    return Found(said, np.maximum(np.expm1(np.asarray(quantiles, np.float64)), 0))


def _others(names: Sequence[str], features: Sequence[str] | None) -> list[str]:
    """Series that features are of, beside these."""
    of = [name.removeprefix("series=") for name in features or () if name.startswith("series=")]
    return [name for name in of if name not in names]


def _known(columns: dict[str, Any], features: Sequence[str] | None) -> Sequence[str]:
    if features is None:
        return list(columns)
    if missing := [name for name in features if name not in columns]:
        raise TidemarkError(f"these hours do not have all features: {', '.join(missing[:5])}")
    return features


def _before(counts: Floats, days: int) -> Floats:
    """The mean over the days before each, at most `days` of them; 0 on the first. Over the first axis."""
    sums = np.concatenate([np.zeros((1, *counts.shape[1:])), np.cumsum(counts, axis=0)])
    ends = np.arange(len(counts))
    begins = np.maximum(ends - days, 0)
    count = np.maximum(ends - begins, 1).reshape(-1, *[1] * (counts.ndim - 1))
    found: Floats = (sums[ends] - sums[begins]) / count
    return found


def _of_level(add: Any, found: Series, level: Floats) -> None:
    on = weekday(found.days)
    of_weekday = np.zeros_like(found.counts)
    for one in set(on.tolist()):
        of_weekday[on == one] = _before(found.counts[on == one], WEEKS)
    total = found.counts.sum(axis=1)
    of_day = np.log1p(_before(total, LONG))
    hour, day = "level of the hour", "level of the day"
    add("hour_level", hour, f"log of 1 + items in this hour over {LONG} days", level)
    add(
        "hour_short", hour, f"the last {SHORT} days against {LONG}, log", np.log1p(_before(found.counts, SHORT)) - level
    )
    add("hour_weekday", hour, f"the last {WEEKS} such weekdays against {LONG} days, log", np.log1p(of_weekday) - level)
    for name, days in (("day_short", SHORT), ("day_last", 1)):
        lately = np.log1p(_before(total, days)) - of_day
        add(name, day, f"the last {days} days against {LONG}, log", lately[:, None, :])


def _today(counts: Floats, usual: Floats, leads: tuple[int, ...]) -> Floats:
    """How today went until what is known, against the usual: shape (leads, days, hours, series)."""
    least = 0.2 * usual.sum(axis=1, keepdims=True) + 1
    found = np.zeros((len(leads), *counts.shape))
    so_far = np.log((np.cumsum(counts, axis=1) + least) / (np.cumsum(usual, axis=1) + least))
    for place, lead in enumerate(leads):
        found[place, :, lead:] = so_far[:, : max(counts.shape[1] - lead, 0)]
    return found


def _last(counts: Floats, level: Floats, leads: tuple[int, ...]) -> Floats:
    found = np.zeros((len(leads), *counts.shape))
    for place, lead in enumerate(leads):
        found[place, :, lead:] = (np.log1p(counts) - level)[:, : max(counts.shape[1] - lead, 0)]
    return found


def _of_calendar(add: Any, found: Series) -> None:
    for place, hour in enumerate(found.hours):
        add(f"hour={hour}", "hour", f"from {hour}:00", (np.arange(len(found.hours)) == place)[:, None])
    on = weekday(found.days)
    for day in range(WEEKDAYS):
        of = (on == day)[:, None, None]
        add(f"weekday={day}", "weekday", f"weekday {day}, Monday is 0", of, differs=bool(of.any()))
    day_of_year = (found.days - found.days.astype("datetime64[Y]").astype("datetime64[D]")).astype(np.int64) + 1
    christmas = np.clip(359 - day_of_year, 0, 120)
    differs = len(set(christmas.tolist())) > 1
    add("to_christmas", "season", "days to Christmas, at most 120", christmas[:, None, None], differs=differs)
