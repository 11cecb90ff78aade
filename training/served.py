"""The model that scores each sale as it comes: `python -m training.served --out FOLDER`.

One network of three towers: the anomaly score, the quantiles of the basket's value from what is known before the basket
is, and the segment. The first 60 % of the sales teach, the next 20 % choose settings and the threshold, the last 20 %
judge; a champion is judged on the same rows.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import keras
import msgspec
import numpy as np
import numpy.typing as npt

from simulator.sources import Row
from tidemark import money, settings
from tidemark.errors import TidemarkError
from tidemark.features import SALE, Features, Featurizer
from tidemark.models import price_drift, sales_model, sales_watch
from tidemark.models.sales_findings import Worth
from tidemark.models.sales_model import FORMAT, Probe, Reference, SalesModel
from tidemark.settings import StoreSettings
from tidemark.store import MINUTES_PER_DAY, Store
from training import anomaly, baskets, card, network, segments
from training.anomaly import Measured
from training.evidence import Estimate, Evidence, compare, coverage, estimate, pinball, spells
from training.search import Trials, search
from training.segments import Segmentation
from training.shops import SHOPS

FOLDER = Path(__file__).resolve().parent.parent / "models" / "sales"
FIT, CHOOSE = 0.6, 0.8
FEWEST = 500
PROBED = 16
TRIALS = 6
_SEGMENTED = ("log_price", "log_quantity", "hour_in_day")
ANY = "any"
"""The one segment of a shop where the sales do not fall into kinds."""


class Result(msgspec.Struct, frozen=True):
    """What came of a training, of `rows` sales, the newest `judged` of which judge."""

    fingerprint: str
    version: str
    origin: str
    tags: dict[str, str]
    rows: int
    judged: int
    anomaly: Measured
    basket: Evidence
    covered: Estimate
    segmentation: Segmentation
    segments: tuple[str, ...]
    settings: dict[str, dict[str, Any]]
    parity: float
    bytes: int
    worth: tuple[Worth, ...]


class Trained(NamedTuple):
    """A network, its file, and what was found of it. `losses`: float64[rows] by whose they are and of what."""

    network: keras.Model
    content: bytes
    result: Result
    losses: dict[str, npt.NDArray[np.float64]]


def train(
    rows: Sequence[Row],
    store: Store,
    origin: str,
    kept: Trials,
    *,
    trials: int = TRIALS,
    champion: bytes | None = None,
) -> Trained:
    """A model of some sales, in the order of time. Raises TidemarkError where they are too few."""
    if len(rows) < FEWEST:
        raise TidemarkError(f"{len(rows)} sales are too few to learn from: {FEWEST} are needed")
    featurize = Featurizer(store)
    first, second = int(FIT * len(rows)), int(CHOOSE * len(rows))
    learnt, chosen, held_out = rows[:first], rows[first:second], rows[second:]
    odd, odd_settings = anomaly.best(learnt, chosen, featurize, store, kept, trials)
    at = anomaly.threshold(odd, anomaly.seen(chosen, featurize, store))
    worth, worth_settings = _worth(learnt, chosen, featurize, store, kept, trials)
    kinds = segments.learn("baskets", _SEGMENTED, _segmented(featurize(anomaly.batch(learnt, store))))
    names = segments.names(kinds) if kinds.silhouette.better else (ANY,)
    features, value = featurize(anomaly.batch(held_out, store)), _log_value(held_out, store)
    model = joined(odd, worth, kinds if kinds.silhouette.better else None, featurize)
    said = np.log(network.run_keras(model, features.sale, features.context)["quantiles"])
    reference = _reference(model, at, learnt, held_out, featurize, store)
    version = f"sales-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    content, parity = _file(model, version, at, names, reference, featurize, features, {**kept.tags, "rows": origin})
    judged = _judge(content, champion, learnt, held_out, featurize, store)
    days = spells([row["sold_at"] for row in held_out])
    constant = np.broadcast_to(np.quantile(_log_value(learnt, store), network.QUANTILES), said.shape)
    odd_found = anomaly.measure(odd, at, learnt, held_out, featurize, store)
    basket = compare(
        "basket value, pinball loss of the log",
        pinball(value, said, network.QUANTILES),
        "constant quantiles",
        pinball(value, constant, network.QUANTILES),
        days,
    )
    result = Result(
        fingerprint=sales_model.fingerprint(content),
        version=version,
        origin=origin,
        tags=kept.tags,
        rows=len(rows),
        judged=len(held_out),
        anomaly=odd_found,
        basket=basket,
        covered=estimate(coverage(value, said[:, 0], said[:, 2]), days),
        segmentation=kinds,
        segments=names,
        settings={
            "anomaly": msgspec.structs.asdict(odd_settings),
            "basket": msgspec.structs.asdict(worth_settings),
        },
        parity=parity,
        bytes=len(content),
        worth=_worth_of(odd_found, basket, kinds),
    )
    return Trained(model, content, result, judged)


def _worth_of(odd: Measured, basket: Evidence, kinds: Segmentation) -> tuple[Worth, ...]:
    """What each part of the model is worth, in words."""
    unseen = [fault.auc for fault in odd.faults if not fault.known]
    better = sum(auc.better for auc in unseen)
    words = f"better than {unseen[0].baseline} at {better} of {len(unseen)} kinds of fault that it has not seen"
    return (
        Worth("Anomaly score", 2 * better > len(unseen), words),
        Worth("Basket value", basket.better, basket.verdict),
        Worth("Segment", kinds.silhouette.better, kinds.silhouette.verdict),
    )


def _worth(
    learnt: Sequence[Row], chosen: Sequence[Row], featurize: Featurizer, store: Store, kept: Trials, trials: int
) -> tuple[keras.Model, baskets.Settings]:
    learn = featurize(anomaly.batch(learnt, store)).context, _log_value(learnt, store)
    choose = featurize(anomaly.batch(chosen, store)).context, _log_value(chosen, store)
    given = baskets.lesson(*learn, np.zeros(len(learn[1]), np.int64))
    models: dict[baskets.Settings, keras.Model] = {}

    def loss(settings: baskets.Settings) -> dict[str, float]:
        models[settings] = baskets.fit(given, settings, 1)
        return {"loss": baskets.loss(models[settings], *choose)}

    settings, _ = search("basket, context alone", baskets.ask, loss, baskets.Settings(), trials=trials, kept=kept)
    return models[settings], settings


def _log_value(rows: Sequence[Row], store: Store) -> npt.NDArray[np.float64]:
    found: npt.NDArray[np.float64] = np.log(anomaly.batch(rows, store).total / money.SCALE)
    return found


def _segmented(features: Features) -> np.ndarray:
    return features.sale[:, [SALE.index(name) for name in _SEGMENTED]]


def joined(odd: keras.Model, worth: keras.Model, kinds: Segmentation | None, featurize: Featurizer) -> keras.Model:
    """The network that serves: `sale` float32[n, s] and `context` float32[n, c] to `anomaly` float32[n, 1] in 0 to 1,
    `quantiles` float32[n, 3] in currency units and `segment` float32[n, segments]."""
    sale = keras.Input((len(SALE),), name="sale")
    context = keras.Input((len(featurize.context_names),), name="context")
    score = odd(keras.layers.Concatenate()([sale, context]))
    logs = worth(context)["quantiles"]
    told = network.Columns([SALE.index(name) for name in _SEGMENTED])(sale)
    if kinds is None:
        one = keras.layers.Dense(1, kernel_initializer="zeros", bias_initializer="ones", name="segment")
        segment = one(told)
    else:
        segment = segments.network_of(kinds)(told)["segment"]
    return keras.Model(
        {"sale": sale, "context": context},
        {
            "anomaly": keras.layers.Identity()(score),
            "quantiles": keras.layers.Activation("exponential")(logs),
            "segment": keras.layers.Identity()(segment),
        },
        name="sales",
    )


def _file(
    model: keras.Model,
    version: str,
    at: float,
    names: tuple[str, ...],
    reference: Reference,
    featurize: Featurizer,
    features: Features,
    tags: dict[str, str],
) -> tuple[bytes, float]:
    """The model's file, and how far TFLite is from Keras."""
    content = network.to_tflite(model)
    parity = network.parity(model, content, {"sale": features.sale[:500], "context": features.context[:500]})
    sale, context = features.sale[:PROBED], features.context[:PROBED]
    said = network.run_keras(model, sale, context)
    return (
        sales_model.dumps(
            SalesModel(
                format=FORMAT,
                version=version,
                threshold=round(at, 6),
                sale_features=SALE,
                context_features=featurize.context_names,
                segments=names,
                network=content,
                probe=Probe(sale.tolist(), context.tolist(), *(said[name].tolist() for name in _SAID)),
                reference=reference,
                tags=tags,
            )
        ),
        parity,
    )


def _reference(
    model: keras.Model,
    at: float,
    learnt: Sequence[Row],
    held_out: Sequence[Row],
    featurize: Featurizer,
    store: Store,
) -> Reference:
    """What the sales are like that judge the model, and what it says of them; prices are those that it learnt."""
    table = anomaly.batch(held_out, store)
    features = featurize(table)
    said = network.run_keras(model, features.sale, features.context)
    score, total = said["anomaly"][:, 0], table.total / money.SCALE
    values: dict[str, Sequence[object]] = {
        "unit_price": (table.unit_price / money.SCALE).tolist(),
        "quantity": table.quantity.tolist(),
        "hour": (table.local_minute % MINUTES_PER_DAY / 60).tolist(),
        "rating": np.where(table.rated, table.rating / money.SCALE, np.nan).tolist(),
        "score": score.tolist(),
        **table.text,
    }
    before = anomaly.batch(learnt, store)
    return Reference(
        prices=price_drift.learn(before.text["product_line"], before.unit_price / money.SCALE),
        rows=len(held_out),
        counts=sales_watch.counts(values, len(held_out), store),
        alarms=float(np.mean(score >= at)),
        coverage=float(np.mean((total >= said["quantiles"][:, 0]) & (total <= said["quantiles"][:, 2]))),
    )


_SAID = ("anomaly", "quantiles", "segment")


# -- what the gate is told


def _judge(
    content: bytes,
    champion: bytes | None,
    learnt: Sequence[Row],
    held_out: Sequence[Row],
    featurize: Featurizer,
    store: Store,
) -> dict[str, npt.NDArray[np.float64]]:
    """The loss of each held-out row: `anomaly` of clean and corrupted ones (cross entropy), `quantiles` of clean ones
    (pinball of the log); of ours, of the champion where there is one that fits, and of the baseline: the rules alone,
    and constant quantiles."""
    bad = anomaly.others(held_out, learnt, store, seed=3)
    matrix, labels = anomaly.labelled(held_out, bad, featurize, store)
    value = _log_value(held_out, store)
    context = matrix[: len(held_out), len(SALE) :]
    found = {}
    for whose, file in (("ours", content), ("champion", champion)):
        if file is None:
            continue
        try:
            model = sales_model.loads(file)
            sales_model.must_fit(model, store)
            said = network.run_tflite(model.network, sale=matrix[:, : len(SALE)], context=matrix[:, len(SALE) :])
        except (TidemarkError, ValueError, RuntimeError) as error:
            sys.stderr.write(f"the champion cannot be compared: {error}\n")
            continue
        found[f"anomaly/{whose}"] = _entropy(said["anomaly"][:, 0], labels[:, 0])
        logs = np.log(said["quantiles"][: len(context)])
        found[f"quantiles/{whose}"] = pinball(value, logs, network.QUANTILES).above
    constant = np.broadcast_to(np.quantile(_log_value(learnt, store), network.QUANTILES), (len(value), 3))
    found["quantiles/baseline"] = pinball(value, constant, network.QUANTILES).above
    flagged = np.concatenate([anomaly.flagged(held_out, store), anomaly.flagged(bad, store)])
    known = np.concatenate(
        [anomaly.flagged(learnt, store), anomaly.flagged(anomaly.others(learnt, learnt, store, seed=1), store)]
    )
    of_known = np.repeat([0.0, 1.0], len(learnt))
    share = {hit: float(of_known[known == hit].mean()) if (known == hit).any() else 0.5 for hit in (False, True)}
    found["anomaly/baseline"] = _entropy(np.where(flagged, share[True], share[False]), labels[:, 0])
    return found


def _entropy(score: npt.NDArray[Any], label: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    score = np.clip(score.astype(np.float64), 1e-6, 1 - 1e-6)
    found: npt.NDArray[np.float64] = -np.where(label > 0.5, np.log(score), np.log(1 - score))
    return found


# -- the command


def write(trained: Trained, folder: Path) -> None:
    """Write the model, the network that it was made from, what was found of it, its losses and its card."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sales.model").write_bytes(trained.content)
    trained.network.save(folder / "model.keras")
    (folder / "result.json").write_bytes(msgspec.json.format(msgspec.json.encode(trained.result)) + b"\n")
    np.savez_compressed(folder / "losses.npz", **trained.losses)  # type: ignore[arg-type]
    (folder / "CARD.md").write_text(card.text(trained.result))


def main() -> None:
    """Learn from the sales of a file or of a shop, and write a folder."""
    parser = argparse.ArgumentParser(prog="python -m training.served", description=__doc__)
    parser.add_argument("--shop", default="kaggle", choices=sorted(SHOPS), help="a shop to learn from")
    parser.add_argument("--sales", type=Path, help="sales to learn from: JSON lines, as tills send them")
    parser.add_argument("--champion", type=Path, help="a model's file that is judged on the same rows")
    parser.add_argument("--trials", type=int, default=TRIALS, help="settings that are tried for each tower")
    parser.add_argument("--out", type=Path, default=FOLDER, help="folder to write")
    given = parser.parse_args()
    try:
        if given.sales:
            content = given.sales.read_bytes()
            store, origin = settings.load(StoreSettings).store(), f"sha256 {hashlib.sha256(content).hexdigest()[:12]}"
            rows = [msgspec.json.decode(line) for line in content.splitlines()]
        else:
            shop = SHOPS[given.shop]()
            store, origin, rows = shop.store, shop.origin, shop.sales
        champion = given.champion.read_bytes() if given.champion else None
        hashed = hashlib.sha256(msgspec.json.encode(rows)).hexdigest()[:12]
        kept = Trials("served" if given.sales else given.shop, hashed)
        trained = train(rows, store, origin, kept, trials=given.trials, champion=champion)
        if not given.sales and not trained.result.parity <= sales_model.PARITY:  # so that no number is refused too
            sys.exit(f"the TFLite file differs from the Keras model by {trained.result.parity:.2e}: it is not kept")
        write(trained, given.out)
    except (TidemarkError, OSError, msgspec.DecodeError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
