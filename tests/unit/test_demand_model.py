"""What a demand model forecasts, by networks whose law is known; and the files that are refused."""

from __future__ import annotations

from datetime import date

import msgspec
import numpy as np
import pytest

from tidemark.adapters.litert_demand import LiteRtDemand
from tidemark.errors import TidemarkError
from tidemark.models import demand, demand_model
from tidemark.models.champion import Champion
from tidemark.models.demand import LONG, SERVED, Float32s, Series
from tidemark.models.demand_model import FORMAT, DemandModel, Probe, forecast
from tidemark.models.forecasts import Forecasts

HOURS = np.arange(10, 21)
FIRST = np.datetime64("2026-03-02")  # a Monday
NAMES = ("A Food", "A Sports", "B Food")


def sold(days: int = 41, level: float = 20.0, names: tuple[str, ...] = NAMES, seed: int = 1) -> Series:
    counts = np.random.default_rng(seed).poisson(level, (days, len(HOURS), len(names))).astype(np.float64)
    return Series(FIRST + np.arange(days), HOURS, names, counts)


def said(mean: np.ndarray, middle: np.ndarray, half: float) -> dict[str, Float32s]:
    quantiles = middle + half * np.array([-1, 0, 1], np.float32)
    return {"mean": mean.astype(np.float32), "quantiles": quantiles.astype(np.float32)}


def usual(features: Float32s, level: Float32s) -> dict[str, Float32s]:
    """A network that says what is usual, give or take a tenth."""
    return said(np.log(np.expm1(level) + 1e-9), level, 0.1)


def lively(features: Float32s, level: Float32s) -> dict[str, Float32s]:
    """A network that uses whatever it is told."""
    factor = np.sin(features @ np.arange(1, features.shape[1] + 1, dtype=np.float32))[:, None] / 4
    return said(level + factor, level + factor, 0.3)


def model(found: Series, until: int = 25) -> DemandModel:
    data = demand.table(found, SERVED)
    return DemandModel(
        format=FORMAT,
        version="demand-1",
        features=tuple(feature.name for feature in data.features),
        series=found.names,
        hours=tuple(found.hours.tolist()),
        leads=SERVED,
        until=found.days[until].item(),
        network=b"",
        probe=Probe([], [], [], []),
        tags={},
    )


def coming(found: Forecasts, series: str = "A Food") -> list[tuple[int, int]]:
    return [(one.hour, one.lead) for one in found.coming if one.series == series]


def test_the_next_six_hours_are_forecast_from_the_one_that_has_begun() -> None:
    found = sold()
    said = forecast(model(found), usual, found, 13)
    assert coming(said) == [(13, 1), (14, 2), (15, 3), (16, 4), (17, 5), (18, 6)]
    assert len(said.coming) == 18
    assert said.day == said.today == date(2026, 4, 11)
    assert [(one.forecast.hour, one.forecast.lead) for one in said.past if one.forecast.series == "B Food"] == [
        (hour, 1) for hour in (10, 11, 12)
    ]
    assert [one.sold for one in said.past if one.forecast.series == "B Food"] == found.counts[-1, :3, 2].tolist()
    assert all(one.low <= one.median <= one.high for one in said.coming)


def test_before_opening_the_first_hours_and_after_closing_the_next_day_s() -> None:
    found = sold()
    for at in (0, 9, 10):
        said = forecast(model(found), usual, found, at)
        assert coming(said) == [(hour, hour - 9) for hour in range(10, 16)]
        assert said.day == date(2026, 4, 11)
        assert said.past == ()
    assert coming(forecast(model(found), usual, found, 20)) == [(20, 1)]
    closed = forecast(model(found), lively, found, 21)
    assert closed.day == date(2026, 4, 12)
    assert closed.today == date(2026, 4, 11)
    assert len(closed.past) == 33
    assert coming(closed) == [(hour, hour - 9) for hour in range(10, 16)]
    counts = np.concatenate([found.counts, np.zeros((1, 11, 3))])
    morning = forecast(model(found), lively, found._replace(days=FIRST + np.arange(42), counts=counts), 9)
    assert morning.coming == closed.coming


def test_what_is_served_is_told_what_training_was_told() -> None:
    whole = sold()
    told: list[Float32s] = []

    def listening(features: Float32s, level: Float32s) -> dict[str, Float32s]:
        told.append(np.concatenate([features, level], axis=1))
        return usual(features, level)

    data = demand.table(whole, SERVED)
    for at in (10, 14, 20):
        cut = whole._replace(counts=whole.counts.copy())
        cut.counts[-1, at - 10 :] = 0
        forecast(model(whole), listening, cut, at)
        learnt = (data.day == 40) & (data.hour - data.lead == at - 1)
        assert learnt.sum() == 3 * min(6, 21 - at)
        served = told[-1][-learnt.sum() :]
        assert np.array_equal(served, np.concatenate([data.matrix[learnt], data.level[learnt, None]], axis=1))


@pytest.mark.parametrize("at", [9, 12, 20])
def test_nothing_that_comes_later_changes_a_forecast(at: int) -> None:
    found = sold()
    later = found._replace(counts=found.counts.copy())
    later.counts[-1, max(at - 10, 0) :] = 999
    assert forecast(model(found), lively, later, at) == forecast(model(found), lively, found, at)
    earlier = forecast(model(found), lively, later, at)
    now = forecast(model(found), lively, found, 21)
    assert earlier.past == tuple(one for one in now.past if one.forecast.hour < at), "and what was said stays said"
    if at > 10:
        found.counts[-1, at - 11] += 50
        assert forecast(model(found), lively, found, at).coming != earlier.coming


def test_older_days_than_the_window_change_nothing() -> None:
    found = sold(100)
    short = found._replace(days=found.days[20:], counts=found.counts[20:])
    trained = model(found, 30)
    assert forecast(trained, lively, found, 15) == forecast(trained, lively, short, 15)


def test_a_constant_series_is_forecast_as_that_constant() -> None:
    found = sold()
    found.counts[:] = 12
    said = forecast(model(found), usual, found, 14)
    for one in (*said.coming, *(one.forecast for one in said.past)):
        assert (one.mean, one.median) == (12, 12), "to a thousandth"
        assert one.low <= 12 <= one.high
    assert all(one.high - one.low < 0.01 for one in said.coming), "and the interval has closed on it"


def test_a_series_that_was_not_learnt_has_no_forecast() -> None:
    found = sold(names=(*NAMES, "C Food", "A Books"))
    learnt = sold()
    said = forecast(model(learnt), usual, found, 14)
    assert said.unknown == ("C Food", "A Books")
    assert {one.series for one in said.coming} == set(NAMES)
    alone = found._replace(names=NAMES, counts=found.counts[:, :, :3])
    assert forecast(model(learnt), usual, alone, 14).coming == said.coming
    none = found._replace(names=("X", "Y", "Z"), counts=found.counts[:, :, :3])
    assert forecast(model(learnt), usual, none, 14) == Forecasts(
        "demand-1", date(2026, 4, 11), (), date(2026, 4, 11), (), ("X", "Y", "Z")
    )
    some = found._replace(names=("B Food",), counts=found.counts[:, :, 2:3])
    assert forecast(model(learnt), lively, some, 14).coming == tuple(
        one for one in forecast(model(learnt), lively, alone, 14).coming if one.series == "B Food"
    )


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_intervals_hold_what_they_should_while_demand_drifts(seed: int) -> None:
    draw, days = np.random.default_rng(seed), 90
    day = np.arange(days)[:, None, None]
    busy = 15 * np.exp(day / 60) * (1 + 0.5 * np.sin(np.arange(11) / 2))[None, :, None] * np.array([1, 2, 0.7])
    calm, wild = draw.poisson(busy), draw.negative_binomial(3, 3 / (3 + busy))
    found = Series(FIRST + np.arange(days), HOURS, NAMES, np.where(day < 50, calm, wild).astype(np.float64))
    data = demand.table(found, SERVED)
    data = demand.of_rows(data, demand.asked(data, HOURS))
    said = demand_model.said_by(usual, data)
    bounds = demand_model.intervals(data, said, HOURS, np.full(len(data.items), True))
    inside = (data.items >= bounds[:, 0]) & (data.items <= bounds[:, 1])
    plain = (data.items >= said.quantiles[:, 0]) & (data.items <= said.quantiles[:, 2])
    assert plain.mean() < 0.3
    for lead in SERVED:
        assert 0.77 <= inside[data.lead == lead].mean() <= 0.83
    for series in range(3):
        assert 0.77 <= inside[data.series == series].mean() <= 0.83


def test_a_series_that_sells_next_to_nothing_begins_at_none() -> None:
    found = sold(60, level=0.3)
    said = forecast(model(found), usual, found, 14)
    assert all(one.low == 0 <= one.high for one in said.coming)


def test_hours_and_days_that_do_not_do_are_refused() -> None:
    found = sold()
    longer = found._replace(hours=np.arange(9, 20))
    with pytest.raises(TidemarkError, match="trained on the hours 10:00 to 21:00; these are 9:00 to 20:00"):
        forecast(model(found), usual, longer, 14)
    few = found._replace(days=found.days[-LONG:], counts=found.counts[-LONG:])
    with pytest.raises(TidemarkError, match="20 trading days are too few to forecast from: 21 are needed"):
        forecast(model(found), usual, few, 14)
    assert forecast(model(found), usual, few, 21).coming, "today counts once it is over"
    with pytest.raises(TidemarkError, match="0 trading days are too few to forecast from: 20 are needed"):
        forecast(model(found), usual, found._replace(counts=0 * found.counts), 21)
    odd = msgspec.structs.replace(model(found), features=("hour=10", "moon"))
    with pytest.raises(TidemarkError, match="do not have all features: moon"):
        forecast(odd, usual, found, 14)


def test_a_file_that_was_cut_off_or_is_something_else_is_refused() -> None:
    good = model(sold())
    content = demand_model.dumps(good)
    assert demand_model.loads(content) == good
    for cut in (0, 1, 100, -1):
        with pytest.raises(TidemarkError, match="no demand model, or only a part of one"):
            demand_model.loads(content[:cut])
    for other in (b"TFL3 and more", msgspec.msgpack.encode({**msgspec.to_builtins(good), "threshold": 0.5})):
        with pytest.raises(TidemarkError, match="no demand model"):
            demand_model.loads(other)
    with pytest.raises(TidemarkError, match="at most 300,000"):
        demand_model.loads(b"x" * 300_001)
    with pytest.raises(TidemarkError, match="of format 2"):
        demand_model.loads(demand_model.dumps(msgspec.structs.replace(good, format=2)))
    with pytest.raises(TidemarkError, match="no features, series, hours or leads"):
        demand_model.loads(demand_model.dumps(msgspec.structs.replace(good, series=())))


def test_a_file_that_was_altered_since_it_was_promoted_is_refused() -> None:
    content = demand_model.dumps(model(sold()))
    champion = Champion("demand", demand_model.fingerprint(content), "keras", "", "run", 0)
    assert demand_model.promoted(content, champion) == demand_model.loads(content)
    with pytest.raises(TidemarkError, match="is not the one that was promoted"):
        demand_model.promoted(content.replace(b"A Food", b"A Wood"), champion)


def test_a_network_that_is_none_is_refused() -> None:
    for network in (b"", b"TFL3 nonsense" * 99):
        with pytest.raises(TidemarkError, match="network of model demand-1 does not run"):
            LiteRtDemand(msgspec.structs.replace(model(sold()), network=network))
