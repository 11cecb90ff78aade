"""The demand model as one file, and what it forecasts: items of each series in the next hours, with intervals.

The network says quantiles; what is told are intervals that are moved by how far the newest outcomes lay outside what
the same network would have said of them (see `conformal.py`), in logs of 1 + items, each series and lead by
itself.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from tidemark.errors import TidemarkError
from tidemark.models import conformal, demand
from tidemark.models.champion import Champion
from tidemark.models.demand import LONG, Bools, Float32s, Floats, Found, Ints, Series, Table
from tidemark.models.forecasts import Forecast, Forecasts, Past
from tidemark.models.sales_model import LARGEST as LARGEST
from tidemark.models.sales_model import PARITY as PARITY
from tidemark.models.sales_model import fingerprint as fingerprint

FORMAT = 1
LEAST = 0.5
"""Items: a lower quantile that is less is nothing at all, and no outcome lies below it."""

Says = Callable[[Float32s, Float32s], dict[str, Float32s]]
"""A network: of `features` float32[n, k] and `level` float32[n, 1] its `mean` float32[n, 1], the log of items, and its
`quantiles` float32[n, 3], logs of 1 + items."""


class Probe(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Rows whose answer is known: `features` float[n][k], `level` float[n][1], and what the network said of them."""

    features: list[list[float]]
    level: list[list[float]]
    mean: list[list[float]]
    quantiles: list[list[float]]


class DemandModel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`features`: names of the network's inputs, in order. `series`, `hours`, `leads`: what it has learnt. `until`: the
    last day that it has learnt from. `tags`: what it was trained on, by which code, in which environment."""

    format: int
    version: str
    features: tuple[str, ...]
    series: tuple[str, ...]
    hours: tuple[int, ...]
    leads: tuple[int, ...]
    until: date
    network: bytes
    probe: Probe
    tags: dict[str, str]


def dumps(model: DemandModel) -> bytes:
    """The file of a model."""
    return msgspec.msgpack.encode(model)


def loads(content: bytes) -> DemandModel:
    """The model of a file. Raises TidemarkError where it is none, or too large."""
    if len(content) > LARGEST:
        raise TidemarkError(f"a demand model has at most {LARGEST:,} bytes; this file has {len(content):,}")
    try:
        model = msgspec.msgpack.decode(content, type=DemandModel)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise TidemarkError(f"this file is no demand model, or only a part of one: {error}") from None
    if model.format != FORMAT:
        raise TidemarkError(f"this file is a demand model of format {model.format}; this code reads format {FORMAT}")
    if not (model.features and model.series and model.hours and model.leads):
        raise TidemarkError("the model has no features, series, hours or leads")
    return model


def promoted(content: bytes, champion: Champion) -> DemandModel:
    """The champion's model. Raises TidemarkError where `content` is no model, or another than the one promoted."""
    if fingerprint(content) != champion.fingerprint:
        raise TidemarkError(f"the file of model {champion.fingerprint} is not the one that was promoted")
    return loads(content)


def must_fit(model: DemandModel, found: Series) -> None:
    """Raises TidemarkError where a model was trained on other open hours than these."""
    if list(model.hours) != found.hours.tolist():
        theirs, ours = (f"{hours[0]}:00 to {hours[-1] + 1}:00" for hours in (model.hours, found.hours.tolist()))
        raise TidemarkError(f"model {model.version} was trained on the hours {theirs}; these are {ours}")


def must_know(model: DemandModel, found: Series) -> None:
    """Raises TidemarkError where a model has not learnt all of these series."""
    if unknown := [name for name in found.names if name not in model.series]:
        raise TidemarkError(f"model {model.version} has not learnt {', '.join(unknown[:5])}")


# -- forecasting


def forecast(model: DemandModel, network: Says, found: Series, at: int) -> Forecasts:
    """What each series will sell in the next hours, and what was said of those of today that are over.

    `found`: whole days, and today as the last one, of which the hours from `at` on count for nothing; `at`: the hour of
    the store's clock. Before the shop opens today's first hours are forecast, once it has closed those of the next day
    whose weekday it trades on. Raises TidemarkError where there are fewer than `LONG` trading days before those
    hours, or other open hours than the model's.
    """
    must_fit(model, found)
    unknown = tuple(name for name in found.names if name not in model.series)
    places = [place for place, name in enumerate(found.names) if name in model.series]
    names = tuple(found.names[place] for place in places)
    found = found._replace(names=names, counts=_until(found, at)[:, :, places])
    today = found.days[-1].item()
    if not places:
        return Forecasts(model.version, today, (), today, (), unknown)
    clock = _clock(found, at)
    data, known = _rows(model, clock)
    said = said_by(network, data)
    bounds = intervals(data, said, clock.found.hours, known)

    def told(row: np.intp) -> Forecast:
        numbers = (said.mean[row], bounds[row, 0], said.quantiles[row, 1], bounds[row, 1])
        mean, low, median, high = (round(float(number), 3) for number in numbers)
        return Forecast(names[data.series[row]], int(data.hour[row]), int(data.lead[row]), mean, low, median, high)

    over = known & (clock.found.days[data.day] == found.days[-1]) & (data.lead == 1)
    return Forecasts(
        version=model.version,
        day=clock.found.days[-1].item(),
        coming=tuple(told(row) for row in np.flatnonzero(~known)),
        today=today,
        past=tuple(Past(told(row), float(data.items[row])) for row in np.flatnonzero(over)),
        unknown=unknown,
    )


class _Clock(NamedTuple):
    """Trading days, the last of which has the hours to come: `done` of its hours are over."""

    found: Series
    done: int


def _clock(found: Series, at: int) -> _Clock:
    done = int((found.hours < at).sum())
    closed = done == len(found.hours)
    found = demand.traded(found, today=not closed)
    demand.must_reach(found.days, LONG if closed else LONG + 1)
    return _Clock(demand.after(found), 0) if closed else _Clock(found, done)


def _until(found: Series, at: int) -> Floats:
    """The counts that are known: of today none from `at` on."""
    counts = found.counts.copy()
    counts[-1, found.hours >= at] = 0
    return counts


def _rows(model: DemandModel, clock: _Clock) -> tuple[Table, Bools]:
    """The hours to come, today's that are over, and those that recalibrate: the newest that the model has not learnt
    from; and whose outcome is known."""
    found = clock.found
    data = demand.table(found, model.leads, model.features)
    place, last = data.hour - found.hours[0], len(found.days) - 1
    known = (data.day < last) | (place < clock.done)
    coming = ~known & (data.lead == place - clock.done + 1)
    learnt = int((found.days <= np.datetime64(model.until)).sum())
    first = min(max(learnt, last - _days(found)), last - 1)
    rows = coming | (known & (data.day >= first) & demand.asked(data, found.hours))
    return demand.of_rows(data, rows), known[rows]


def _days(found: Series) -> int:
    """As many days as `conformal.WINDOW` hours have."""
    return -(-conformal.WINDOW // len(found.hours))


def said_by(network: Says, data: Table) -> Found:
    """What a network says of some hours, in items."""
    said = network(data.matrix, data.level[:, None])
    return demand.in_items(said["mean"], said["quantiles"])


def intervals(data: Table, said: Found, hours: Ints, known: Bools) -> Floats:
    """The 80 % intervals in items, float64[n, 2], each moved by those outcomes of its series and lead that were known
    when it was forecast: what is right for many series together would be wrong for each.

    Rows are in the order of time; `known`: whose outcome is known by now.
    """
    true, low, high = np.log1p(data.items), np.log1p(said.quantiles[:, 0]), np.log1p(said.quantiles[:, 2])
    low = np.where(said.quantiles[:, 0] < LEAST, -np.inf, low)
    forecast_at, known_at = _moments(data, hours, known)
    margin = np.zeros(len(true))
    for of in _apart(data):
        known_after = np.searchsorted(forecast_at[of], known_at[of])
        margin[of] = conformal.recalibrated(true[of], low[of], high[of], known_after=known_after)
    middle = said.quantiles[:, 1]
    moved = np.minimum(np.expm1(low - margin), middle), np.maximum(np.expm1(high + margin), middle)
    bounds: Floats = np.maximum(np.column_stack(moved), 0)
    return bounds


def _apart(data: Table) -> list[npt.NDArray[np.intp]]:
    """The rows of each series and lead."""
    key = data.series * (data.lead.max() + 1) + data.lead
    order = np.argsort(key, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(key[order])) + 1)


def _moments(data: Table, hours: Ints, known: Bools) -> tuple[Ints, Ints]:
    """When each row was forecast, and when its outcome was known, in open hours that were over since the first day."""
    place, day = data.hour - hours[0], data.day * (len(hours) + 1)
    never = np.iinfo(np.int64).max
    return day + np.maximum(place - data.lead + 1, 0), np.where(known, day + place + 1, never)
