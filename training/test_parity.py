"""Keras and TFLite say the same: of the committed pair, and of any network the conversion is given."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest

from tidemark.features import SALE, Featurizer
from tidemark.models import sales_model
from tidemark.store import Store
from training import anomaly, baskets, demand, network, segments, served
from training.shops import supermarket

STORE = Store()
CONTEXT = len(Featurizer(STORE).context_names)


def drawn(rows: int, columns: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(rows, columns)).astype(np.float32)


def basket() -> keras.Model:
    made = [baskets.build(drawn(300, 7), 4.0, baskets.Settings(pieces=4, units=8), number) for number in range(3)]
    return baskets.averaged(made)


def hours() -> keras.Model:
    return demand.averaged([demand.build(drawn(300, 7), demand.Settings(units=8), number) for number in range(2)])


@pytest.mark.parametrize("rows", [1, 2, 500])
def test_any_network_survives_the_conversion(rows: int) -> None:
    keras.utils.set_random_seed(rows)
    features = drawn(rows, 7, rows) * 2
    for model, inputs in (
        (basket(), {"features": features}),
        (hours(), {"features": features, "level": drawn(rows, 1)}),
    ):
        content = network.to_tflite(model)
        assert network.parity(model, content, inputs) <= 1e-5
        given = inputs if len(inputs) > 1 else features
        assert np.ptp(np.asarray(model(given)["mean"])) > 0 or rows == 1


def test_parity_is_no_number_where_one_of_them_says_none() -> None:
    model = basket()
    content = network.to_tflite(model)
    broken = [weights * np.nan for weights in model.get_weights()]
    model.set_weights(broken)
    assert not network.parity(model, content, {"features": drawn(3, 7)}) <= 1e-5


def test_segments_are_those_of_the_nearest_centre() -> None:
    centres = np.array([[0, 0], [5, 5], [0, 9]])
    rows = np.concatenate([drawn(200, 2, seed) + centre for seed, centre in enumerate(centres)]).astype(np.float32)
    found = segments.learn("customers", ("a", "b"), rows)
    assert len(found.centres) == 3
    assert found.silhouette.better
    assert found.stability > 0.95
    said = np.asarray(segments.network_of(found)(rows)["segment"])
    scaled = (rows - found.mean) / np.array(found.spread)
    nearest = ((scaled[:, None] - np.array(found.centres)[None]) ** 2).sum(axis=2).argmin(axis=1)
    assert np.array_equal(said.argmax(axis=1), nearest)
    assert np.allclose(said.sum(axis=1), 1, atol=1e-5)


def test_noise_has_no_segments() -> None:
    found = segments.learn("baskets", ("a", "b"), np.random.default_rng(1).uniform(size=(800, 2)).astype(np.float32))
    assert found.silhouette.verdict == "no better than shuffled columns"


def test_quantiles_ascend() -> None:
    model = baskets.build(drawn(300, 7), 4.0, baskets.Settings())
    assert np.all(np.diff(np.asarray(model(drawn(100, 7) * 100)["quantiles"]), axis=1) >= 0)


def test_the_committed_pair_agrees_on_the_sales() -> None:
    folder: Path = served.FOLDER
    content = sales_model.loads((folder / "sales.model").read_bytes())
    model = keras.models.load_model(folder / "model.keras")
    found = Featurizer(STORE)(anomaly.batch(supermarket().sales, STORE))
    inputs = {"sale": found.sale, "context": found.context}
    assert network.parity(model, content.network, inputs) <= 1e-5
    assert content.version in (folder / "CARD.md").read_text()
    assert len(SALE) + CONTEXT == found.sale.shape[1] + found.context.shape[1]
