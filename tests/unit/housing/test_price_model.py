"""The price model as it serves."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.housing.blocks import dataset, strangers
from tidemark.errors import TidemarkError
from tidemark.housing import candidates, training
from tidemark.housing.dataset import Dataset
from tidemark.housing.price_model import REASONS, PriceModel, quantile
from tidemark.housing.training import Contender, contend, serving


@pytest.fixture(scope="module")
def learnt() -> Dataset:
    return dataset(800)


@pytest.fixture(scope="module", params=["lightgbm", "random forest"])
def contender(request: pytest.FixtureRequest, learnt: Dataset) -> Contender:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(candidates.LIGHTGBM, "n_estimators", 60)
        return contend(request.param, learnt)


@pytest.fixture(scope="module")
def model(contender: Contender, learnt: Dataset) -> PriceModel:
    return serving(contender, learnt, {"algorithm": contender.name})


def test_it_says_what_was_learnt(contender: Contender, model: PriceModel) -> None:
    asked = strangers(150, seed=2)
    said, learnt = model.estimates(asked), contender.estimates(asked)
    for name in ("price", "low", "high", "bands"):
        np.testing.assert_allclose(getattr(said, name), getattr(learnt, name), rtol=1e-9)


def test_it_survives_its_file_bit_for_bit(model: PriceModel) -> None:
    again = PriceModel.loads(model.dumps())
    assert again.dumps() == model.dumps()
    blocks = strangers(50, seed=3)
    assert (again.prices(blocks) == model.prices(blocks)).all()
    assert again.facts == model.facts


def test_a_price_lies_in_its_interval_and_bands_add_up(model: PriceModel) -> None:
    found = model.estimates(strangers(200, seed=4))
    assert (found.low <= found.high).all()
    assert (found.low < found.price).mean() > 0.99
    np.testing.assert_allclose(found.bands.sum(axis=1), 1)
    assert (found.bands >= 0).all()
    assert found.price.max() <= model.cap


def test_reasons_add_up_to_the_difference_from_the_typical_block(model: PriceModel) -> None:
    blocks = strangers(6, seed=5)
    typical = model.prices(model.typical)[0]
    for price, reasons in zip(model.prices(blocks), model.reasons(blocks), strict=True):
        assert set(reasons) == set(REASONS)
        assert sum(reasons.values()) == pytest.approx(price - typical, abs=1e-6)


def test_the_typical_block_has_no_reasons(model: PriceModel) -> None:
    assert max(abs(dollars) for dollars in model.reasons(model.typical)[0].values()) < 1e-6


@pytest.mark.parametrize("content", [b"", b"rubbish", b"PK\x03\x04" + b"\0" * 40])
def test_what_is_no_model_is_refused(content: bytes) -> None:
    with pytest.raises(TidemarkError, match="no price model"):
        PriceModel.loads(content)


def test_a_model_with_a_part_missing_is_refused(model: PriceModel) -> None:
    with np.load(io.BytesIO(model.dumps())) as file:
        arrays = {name: array for name, array in file.items() if name != "errors"}
    out = io.BytesIO()
    np.savez(out, **arrays)
    with pytest.raises(TidemarkError, match="errors"):
        PriceModel.loads(out.getvalue())


@given(st.lists(st.floats(-10, 10), min_size=1, max_size=200), st.sampled_from([0.05, 0.95]))
def test_a_conformal_quantile_leaves_its_share_out(values: list[float], share: float) -> None:
    ordered = np.sort(np.array(values))
    found = quantile(ordered, share)
    if share > 0.5 and len(values) >= 19:
        assert (ordered <= found).sum() >= share * (len(values) + 1) - 1e-9
    if share < 0.5 and len(values) >= 19:
        assert (ordered < found).sum() <= share * (len(values) + 1)
    assert ordered[0] <= found <= ordered[-1]


def test_the_errors_kept_are_the_errors_made(learnt: Dataset, contender: Contender) -> None:
    assert (np.diff(contender.errors) >= 0).all()
    assert len(contender.errors) <= training.QUANTILES
