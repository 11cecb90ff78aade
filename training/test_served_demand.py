"""The model that forecasts: what it learns, and that the file which serves says what the network says."""

from __future__ import annotations

import sys
from pathlib import Path

import keras
import msgspec
import numpy as np
import pytest

from tidemark.adapters.litert_demand import AT_ONCE, LiteRtDemand
from tidemark.errors import TidemarkError
from tidemark.models import demand_model
from tidemark.models.demand import FEWEST, SERVED, Series, dumps, table
from tidemark.models.demand_model import DemandModel
from training import network, served_demand
from training.search import Trials
from training.served_demand import Result, Trained, train

HOURS = np.arange(10, 21)
NAMES = ("A Food", "B Food")
FIRST = np.datetime64("2026-03-02")


class Untold(Trials):
    """Trials of which nothing is kept."""

    def __init__(self) -> None:
        self.tags = {"shop": "served", "data": "d", "code": "c", "environment": "e"}

    def log(self, model: str, settings: msgspec.Struct, figures: dict[str, float]) -> None:
        pass


def planted(days: int = 75, seed: int = 1) -> Series:
    """Each hour and weekday has its own level, and nothing else happens."""
    draw = np.random.default_rng(seed)
    weekday = np.array([0.7, 0.7, 0.8, 0.9, 1.2, 1.6, 1.1])[np.arange(days) % 7]
    level = 12 * weekday[:, None, None] * (1 + 0.6 * np.sin(np.arange(11)))[None, :, None] * np.array([1, 2.5])
    return Series(FIRST + np.arange(days), HOURS, NAMES, draw.poisson(level).astype(np.float64))


@pytest.fixture(scope="module")
def trained() -> Trained:
    return train(planted(), "planted, seed 1", Untold(), trials=1)


@pytest.fixture(scope="module")
def model(trained: Trained) -> DemandModel:
    return demand_model.loads(trained.content)


def test_what_is_planted_is_learnt_no_worse_than_the_baseline_knows_it(trained: Trained) -> None:
    found = trained.result
    assert {one.baseline for one in found.evidence} == {"the mean of hour and weekday"}
    for one in found.evidence:
        assert one.gain.high > 0, one.metric
        assert one.ours.value < 1.1 * one.theirs.value
    assert found.worth[0].part == "Demand"
    assert found.worth[0].words == found.evidence[0].verdict
    assert [one.lead for one in found.covered] == list(SERVED)
    assert all(0.72 < one.recalibrated.value < 0.88 for one in found.covered)


def test_keras_and_the_file_say_the_same(trained: Trained, model: DemandModel) -> None:
    data = table(planted(seed=2), SERVED, model.features)
    inputs = {"features": data.matrix, "level": data.level[:, None]}
    assert trained.result.parity <= 1e-5
    assert network.parity(trained.network, model.network, inputs) <= 1e-5
    served = LiteRtDemand(model)
    many = {name: np.resize(rows, (AT_ONCE + 7, rows.shape[1])) for name, rows in inputs.items()}
    for name, said in served(**many).items():
        assert np.allclose(said[: len(data.level)], served(**inputs)[name][: len(said)], atol=1e-6)
        assert len(said) == AT_ONCE + 7


def test_a_constant_is_forecast_as_that_constant() -> None:
    found = planted(40)
    found.counts[:] = np.array([8.0, 30.0])
    content = train(found, "constant", Untold(), trials=1).content
    said = LiteRtDemand(demand_model.loads(content)).forecast(found, 14)
    assert len(said.coming) == 12
    for one in said.coming:
        constant = 8 if one.series == "A Food" else 30
        assert one.mean == pytest.approx(constant, rel=0.03)
        assert one.low - 0.1 <= constant <= one.high + 0.1


def test_it_forecasts_what_was_planted(model: DemandModel) -> None:
    found, served = planted(seed=3), LiteRtDemand(model)
    true, said = planted(days=76, seed=4), served.forecast(found, 21)
    level = np.mean([planted(76, seed).counts[-1] for seed in range(200)], axis=0)
    assert true.days[-1] == np.datetime64(said.day)
    for one in said.coming:
        assert one.mean == pytest.approx(level[one.hour - 10, NAMES.index(one.series)], rel=0.35)
    assert len(said.past) == 22


def test_a_champion_is_judged_on_the_same_hours(trained: Trained, capsys: pytest.CaptureFixture[str]) -> None:
    again = train(planted(), "again", Untold(), trials=1, champion=trained.content)
    assert set(again.losses) == {"demand/ours", "demand/baseline", "demand/champion"}
    assert {len(losses) for losses in again.losses.values()} == {again.result.judged}
    assert again.result.judged == 11 * 11 * 2, "the last fifth of 55 days, each hour once"
    assert np.allclose(again.losses["demand/ours"], again.losses["demand/champion"], rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(("broken", "why"), [(0, "only a part of one"), (1, "has not learnt B Food")])
def test_a_champion_that_cannot_be_compared_is_left_out_and_told(
    broken: int, why: str, trained: Trained, model: DemandModel, capsys: pytest.CaptureFixture[str]
) -> None:
    renamed = demand_model.dumps(msgspec.structs.replace(model, series=("A Food", "B Wood")))
    assert served_demand.of_champion((trained.content[:-9], renamed)[broken], planted(), np.ones(3, np.bool_)) is None
    assert why in capsys.readouterr().err


def test_a_network_that_is_another_is_refused(model: DemandModel) -> None:
    def refused(match: str, **changed: object) -> None:
        with pytest.raises(TidemarkError, match=match):
            LiteRtDemand(msgspec.structs.replace(model, **changed))

    def probe(**changed: object) -> demand_model.Probe:
        return msgspec.structs.replace(model.probe, **changed)

    LiteRtDemand(model)
    refused("does not run", network=model.network[: len(model.network) // 2])
    wrong = [[said[0] + 0.01] for said in model.probe.mean]
    refused("something else than when it was trained: mean is off by", probe=probe(mean=wrong))
    refused("off by nan", probe=probe(quantiles=[[float("nan")] * 3] * len(wrong)))
    refused("the shape", probe=probe(quantiles=[]))
    refused("no probe of its", probe=probe(features=[]))
    refused("no probe of its", features=(*model.features, "moon"))


@pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning")  # Keras, when it saves
def test_the_command_writes_what_the_flow_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(served_demand, "Trials", lambda shop, hashed: Untold())
    (tmp_path / "hourly.json").write_bytes(dumps(planted(FEWEST)))
    words = ["served_demand", "--hourly", str(tmp_path / "hourly.json"), "--out", str(tmp_path / "out")]
    monkeypatch.setattr(sys, "argv", [*words, "--trials", "1"])
    served_demand.main()
    out = tmp_path / "out"
    result = msgspec.json.decode((out / "result.json").read_bytes(), type=Result)
    model = demand_model.loads((out / "demand.model").read_bytes())
    assert demand_model.fingerprint((out / "demand.model").read_bytes()) == result.fingerprint
    assert model.until.isoformat() == "2026-03-27", "the newest fifth has not been learnt from"
    assert result.version in (out / "CARD.md").read_text()
    data = table(planted(), SERVED, model.features)
    inputs = {"features": data.matrix[:100], "level": data.level[:100, None]}
    assert network.parity(keras.models.load_model(out / "model.keras"), model.network, inputs) <= 1e-5
    with np.load(out / "losses.npz") as losses:
        assert set(losses) == {"demand/ours", "demand/baseline"}
    (tmp_path / "hourly.json").write_bytes(dumps(planted(FEWEST - 1)))
    with pytest.raises(SystemExit, match="27 trading days are too few to forecast from: 28 are needed"):
        served_demand.main()
