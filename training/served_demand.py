"""The model that forecasts the next hours' items: `python -m training.served_demand --hourly FILE --out FOLDER`.

The first 60 % of the days that can be forecast teach, the next 20 % choose settings and for how long to learn, then
both teach; the last 20 % judge. A champion is judged on the same hours.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import keras
import msgspec
import numpy as np
import numpy.typing as npt
import pandas as pd

from tidemark.adapters.litert_demand import LiteRtDemand
from tidemark.errors import TidemarkError
from tidemark.models import demand_model
from tidemark.models.demand import (
    FEWEST,
    LONG,
    SERVED,
    Bools,
    Floats,
    Found,
    Series,
    Table,
    asked,
    loads,
    must_reach,
    of_rows,
    traded,
)
from tidemark.models.demand_model import FORMAT, DemandModel, Probe
from tidemark.models.sales_findings import Worth
from tidemark.store import Store
from training import demand, network
from training.evidence import Estimate, Evidence, compare, coverage, estimate, mae, rmse, spells
from training.search import Trials, search
from training.shops import Shop
from training.study import MEMBERS, SIMPLE

FIT, CHOOSE = 0.6, 0.8
PROBED = 16
TRIALS = 3
STEPS, LEAST_BATCH, MOST_BATCH = 40, 64, 1024
"""Batches of one epoch, as far as they are neither smaller nor larger: a shop of few series is taught as long."""
MOST_EPOCHS = 20
STANDING = demand.Settings(learning_rate=3e-3)
"""What is tried first."""


class Covered(msgspec.Struct, frozen=True):
    """Coverage of the 80 % intervals so many hours ahead; `as_learnt`: without recalibration."""

    lead: int
    recalibrated: Estimate
    as_learnt: float


class Result(msgspec.Struct, frozen=True):
    """What came of a training on `rows` series' hours, the newest `judged` of which judge, as often as they were
    forecast. `evidence`: RMSE and MAE over all hours ahead, then of the nearest and the farthest."""

    fingerprint: str
    version: str
    origin: str
    tags: dict[str, str]
    days: int
    series: tuple[str, ...]
    rows: int
    judged: int
    evidence: list[Evidence]
    covered: list[Covered]
    settings: dict[str, Any]
    epochs: int
    parity: float
    bytes: int
    worth: tuple[Worth, ...]


class Trained(NamedTuple):
    """A network, its file, and what was found of it. `losses`: float64[judged] by what and whose: squared errors, the
    mean over the hours ahead at which an hour was forecast."""

    network: keras.Model
    content: bytes
    result: Result
    losses: dict[str, Floats]


class _Parts(NamedTuple):
    """Rows of a table: `fit` teach at first, `before` in the end, `choose` and `judge`; `first`, `second`: days before
    which each of the first two ends."""

    fit: Bools
    before: Bools
    choose: Bools
    judge: Bools
    first: int
    second: int


def train(found: Series, origin: str, kept: Trials, *, trials: int = TRIALS, champion: bytes | None = None) -> Trained:
    """A model of some series. Raises TidemarkError where there are fewer than `FEWEST` trading days."""
    found = traded(found)
    must_reach(found.days, FEWEST)
    data = demand.table(found, SERVED)
    data = of_rows(data, asked(data, found.hours))
    parts = _parts(data, len(found.days))
    batch = int(np.clip(parts.fit.sum() // STEPS, LEAST_BATCH, MOST_BATCH))

    def loss(settings: demand.Settings) -> dict[str, float]:
        _, epochs, least = demand.fit(
            data, parts.fit, settings, 1, choose=parts.choose, epochs=MOST_EPOCHS, batch=batch
        )
        return {"loss": least, "epochs": epochs}

    settings, figures = search("demand, served", demand.ask, loss, STANDING, trials=trials, kept=kept)
    epochs = int(figures["epochs"])
    model = demand.averaged(
        [
            demand.fit(data, parts.before, settings, seed, epochs=epochs, batch=batch)[0]
            for seed in range(1, MEMBERS + 1)
        ]
    )
    judged = of_rows(data, parts.judge)
    content, parity = _file(model, found, judged, parts, {**kept.tags, "rows": origin})
    said = demand_model.said_by(LiteRtDemand(demand_model.loads(content)), judged)
    simple, usual = _usual(found, data, parts)
    evidence = _evidence(found, judged, said, simple, usual)
    losses = {"ours": said.mean, "baseline": usual}
    if champion is not None and (theirs := of_champion(champion, found, parts.judge)) is not None:
        losses["champion"] = theirs
    result = Result(
        fingerprint=demand_model.fingerprint(content),
        version=demand_model.loads(content).version,
        origin=origin,
        tags=kept.tags,
        days=len(found.days),
        series=found.names,
        rows=found.counts.size,
        judged=len(_by_hour(judged, judged.items)),
        evidence=evidence,
        covered=_covered(found, judged, said),
        settings=msgspec.structs.asdict(settings),
        epochs=epochs,
        parity=parity,
        bytes=len(content),
        worth=(Worth("Demand", evidence[0].better, evidence[0].verdict),),
    )
    squares = {
        f"demand/{whose}": _by_hour(judged, (foretold - judged.items) ** 2) for whose, foretold in losses.items()
    }
    return Trained(model, content, result, squares)


def _parts(data: Table, days: int) -> _Parts:
    first, second = (LONG + int(share * (days - LONG)) for share in (FIT, CHOOSE))
    fit, before = data.day < first, data.day < second
    return _Parts(fit, before, before & ~fit, ~before, first, second)


def _file(model: keras.Model, found: Series, judged: Table, parts: _Parts, tags: dict[str, str]) -> tuple[bytes, float]:
    """The model's file, and how far TFLite is from Keras."""
    content = network.to_tflite(model)
    rows = np.linspace(0, len(judged.items) - 1, PROBED).astype(np.int64)
    inputs = {"features": judged.matrix[rows], "level": judged.level[rows, None]}
    said = {name: np.asarray(tensor).tolist() for name, tensor in model(inputs, training=False).items()}
    file = DemandModel(
        format=FORMAT,
        version=f"demand-{datetime.now(UTC):%Y%m%d-%H%M%S}",
        features=tuple(feature.name for feature in judged.features),
        series=found.names,
        hours=tuple(found.hours.tolist()),
        leads=SERVED,
        until=found.days[parts.second - 1].item(),
        network=content,
        probe=Probe(inputs["features"].tolist(), inputs["level"].tolist(), said["mean"], said["quantiles"]),
        tags=tags,
    )
    some = {"features": judged.matrix[:500], "level": judged.level[:500, None]}
    return demand_model.dumps(file), network.parity(model, content, some)


# -- what judges it


def _usual(found: Series, data: Table, parts: _Parts) -> tuple[str, Floats]:
    """The baseline that is the harder to beat on the hours that settings are chosen on, and what it says of those that
    judge."""
    shop = Shop("served", "", "", Store(), [], pd.DataFrame(), (), found)
    errors = {
        name: float(np.mean((foretell(shop, data, parts.first) - data.items)[parts.choose] ** 2))
        for name, foretell in SIMPLE.items()
    }
    simple = min(errors, key=errors.__getitem__)
    return simple, SIMPLE[simple](shop, data, parts.second)[parts.judge]


def _evidence(found: Series, judged: Table, said: Found, simple: str, usual: Floats) -> list[Evidence]:
    evidence, when = [], _spells(found, judged)
    for lead in (None, SERVED[0], SERVED[-1]):
        rows = np.full(len(judged.items), True) if lead is None else judged.lead == lead
        ahead = f"{SERVED[0]} to {SERVED[-1]} h ahead" if lead is None else f"{lead} h ahead"
        for name, figure in (("RMSE", rmse), ("MAE", mae)):
            ours, theirs = (figure(judged.items[rows], foretold[rows]) for foretold in (said.mean, usual))
            evidence.append(compare(f"items an hour, {ahead}, {name}", ours, simple, theirs, when[rows]))
    return evidence


def _covered(found: Series, judged: Table, said: Found) -> list[Covered]:
    bounds = demand_model.intervals(judged, said, found.hours, np.full(len(judged.items), True))
    when = _spells(found, judged)
    covered = []
    for lead in SERVED:
        of = judged.lead == lead
        moved = coverage(judged.items[of], bounds[of, 0], bounds[of, 1])
        learnt = coverage(judged.items[of], said.quantiles[of, 0], said.quantiles[of, 2])
        covered.append(Covered(lead, estimate(moved, when[of]), round(float(learnt.above.mean()), 4)))
    return covered


def _spells(found: Series, data: Table) -> npt.NDArray[np.str_]:
    """What is resampled whole: days, or hours where the days are few."""
    days = np.datetime_as_string(found.days)
    return spells([f"{days[day]}T{hour:02}" for day, hour in zip(data.day.tolist(), data.hour.tolist(), strict=True)])


def _by_hour(data: Table, values: Floats) -> Floats:
    """The mean of what was said of each series' hour, however far ahead: the same hour is no news the second time."""
    keys = np.column_stack([data.day, data.hour, data.series])
    _, place, count = np.unique(keys, axis=0, return_inverse=True, return_counts=True)
    found: Floats = np.bincount(place, values) / count
    return found


def of_champion(content: bytes, found: Series, judge: Bools) -> Floats | None:
    """What the champion says of the hours that judge, a part of those that are asked for; None where it cannot be
    compared."""
    try:
        model = demand_model.loads(content)
        demand_model.must_fit(model, found)
        demand_model.must_know(model, found)
        data = demand.table(found, SERVED, model.features)
        judged = of_rows(of_rows(data, asked(data, found.hours)), judge)
        return demand_model.said_by(LiteRtDemand(model), judged).mean
    except TidemarkError as error:
        sys.stderr.write(f"the champion cannot be compared: {error}\n")
        return None


# -- its card


def text(result: Result) -> str:
    """The card, in Markdown."""
    judged = [
        f"| {one.metric} | {one.ours.value:.4g} ({_span(one.ours)}) | {one.theirs.value:.4g} | **{one.verdict}** |"
        for one in result.evidence
    ]
    covered = [
        f"| {one.lead} h | {one.recalibrated.value:.1%} ({one.recalibrated.low:.1%} to {one.recalibrated.high:.1%}) | "
        f"{one.as_learnt:.1%} |"
        for one in result.covered
    ]
    return "\n".join(
        [
            f"# Model card: {result.version}",
            "",
            "Written by `python -m training.served_demand`; every figure is from that run. Fingerprint "
            f"`{result.fingerprint}`, {result.bytes:,} bytes (float32 TFLite with its probe); Keras and TFLite differ "
            f"by {result.parity:.1e} at most.",
            "",
            f"Items an hour of {len(result.series)} series on {result.days} trading "
            f"days, {result.origin}: mean and quantiles 10/50/90, {SERVED[0]} to {SERVED[-1]} open hours ahead. The "
            f"first {LONG} days only say what is usual; of the others 60 % taught at first, 20 % chose settings and "
            f"{result.epochs} epochs, then both taught; the last 20 % judged ({result.judged:,} hours of a series). "
            f"Data {result.tags['data']}, code {result.tags['code']}; {result.tags['environment']}.",
            "",
            f"Settings chosen: {', '.join(f'{name} {value:.4g}' for name, value in result.settings.items())}.",
            "",
            f"| | the model | {result.evidence[0].baseline} | |",
            "| --- | --- | ---: | --- |",
            *judged,
            "",
            "The baseline is the one that was the harder to beat on the days that chose settings.",
            "",
            "## Intervals",
            "",
            "80 % is meant. Recalibrated: each moved by the outcomes of its series that were known when it was "
            "forecast, as serving does it. Where a series sells an item in an hour or less, an interval from none on "
            "holds more than meant.",
            "",
            "| hours ahead | recalibrated | as learnt |",
            "| --- | --- | ---: |",
            *covered,
            "",
            "## What it must not be used for",
            "",
            "Hours farther ahead, money, single customers, or series that it has not learnt; bounds and medians of "
            "several series may not be added. It knows nothing of holidays, promotions or stock: what they change it "
            "learns from the hours that are over.",
            "",
        ]
    )


def _span(found: Estimate) -> str:
    return f"{found.low:.4g} to {found.high:.4g}"


# -- the command


def write(trained: Trained, folder: Path) -> None:
    """Write the model, the network that it was made from, what was found of it, its losses and its card."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "demand.model").write_bytes(trained.content)
    trained.network.save(folder / "model.keras")
    (folder / "result.json").write_bytes(msgspec.json.format(msgspec.json.encode(trained.result)) + b"\n")
    np.savez_compressed(folder / "losses.npz", **trained.losses)  # type: ignore[arg-type]
    (folder / "CARD.md").write_text(text(trained.result))


def main() -> None:
    """Learn from the items of a file, and write a folder."""
    parser = argparse.ArgumentParser(prog="python -m training.served_demand", description=__doc__)
    parser.add_argument("--hourly", type=Path, required=True, help="items by day, hour and series: JSON")
    parser.add_argument("--champion", type=Path, help="a model's file that is judged on the same hours")
    parser.add_argument("--trials", type=int, default=TRIALS, help="settings that are tried")
    parser.add_argument("--out", type=Path, required=True, help="folder to write")
    given = parser.parse_args()
    try:
        content = given.hourly.read_bytes()
        found = traded(loads(content))
        must_reach(found.days, FEWEST)
        hashed = hashlib.sha256(content).hexdigest()[:12]
        champion = given.champion.read_bytes() if given.champion else None
        trained = train(found, f"sha256 {hashed}", Trials("served", hashed), trials=given.trials, champion=champion)
        write(trained, given.out)
    except (TidemarkError, OSError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
