"""The gate in front of the sales: better beyond chance, whole, small, quick; or refused with the reason."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from flows import sales_gate
from flows.sales_gate import judge, unfit
from tidemark.models import sales_model
from tidemark.models.keys import SALES_FILE
from tidemark.models.sales_model import LARGEST
from tidemark.models.sales_registry import BUNDLED
from tidemark.store import Store

CONTENT = (BUNDLED / SALES_FILE).read_bytes()
MODEL = sales_model.loads(CONTENT)
DRAW = np.random.default_rng(3)
BASE = DRAW.gamma(2.0, 0.3, 2_000)
BETTER, MUCH_BETTER = BASE - 0.05, BASE - 0.1


def changed(**fields: object) -> bytes:
    return sales_model.dumps(msgspec.structs.replace(MODEL, **fields))


def test_the_committed_model_may_score() -> None:
    assert unfit(CONTENT, MODEL_PARITY, Store()) is None


MODEL_PARITY = 2e-6


@pytest.mark.parametrize(
    ("content", "parity", "words"),
    [
        (CONTENT, 2e-5, "the TFLite file differs from the Keras model by 2.0e-05, more than 1e-05"),
        (CONTENT, float("nan"), "the TFLite file differs from the Keras model by nan"),
        (CONTENT[:-9], 0.0, "this file is no sales model, or only a part of one"),
        (CONTENT + bytes(LARGEST), 0.0, "a sales model has at most 300,000 bytes"),
        (changed(network=MODEL.network[:5_000]), 0.0, "does not run"),
        (changed(sale_features=("weight", *MODEL.sale_features[1:])), 0.0, "trained on other sale features"),
        (changed(threshold=0.0), 0.0, "the model's threshold is 0.0"),
    ],
    ids=["parity", "no number", "cut off", "too large", "network", "schema", "threshold"],
)
def test_what_may_not_score_is_told_why(content: bytes, parity: float, words: str) -> None:
    found = unfit(content, parity, Store())
    assert found is not None
    assert words in found


def test_one_that_is_slow_may_not_score(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sales_gate, "SLOWEST_US", 0.01)
    found = unfit(CONTENT, 0.0, Store())
    assert found is not None
    assert "to score, more than 0" in found


def test_a_better_one_is_promoted_and_a_fault_refuses_it() -> None:
    losses = {"anomaly/ours": MUCH_BETTER, "anomaly/baseline": BASE, "anomaly/champion": BETTER}
    assert judge(losses, None).promoted
    refused = judge(losses, "it is broken")
    assert (refused.promoted, refused.reason) == (False, "refused: it is broken")


def test_one_that_is_better_than_the_baseline_alone_is_refused() -> None:
    losses = {"anomaly/ours": BETTER, "anomaly/baseline": BASE, "anomaly/champion": MUCH_BETTER}
    verdict = judge(losses, None)
    assert not verdict.promoted
    assert verdict.reason.startswith("refused: worse than the champion by 0.0500 of cross entropy")
    assert verdict.over_baseline.low > 0


def test_one_that_is_worse_at_baskets_is_refused() -> None:
    losses = {"anomaly/ours": MUCH_BETTER, "anomaly/baseline": BASE, "anomaly/champion": BETTER}
    alike = losses | {"quantiles/ours": BASE, "quantiles/champion": BASE}
    assert judge(alike, None).promoted
    worse = losses | {"quantiles/ours": BASE, "quantiles/champion": BETTER}
    assert judge(worse, None).reason == "refused: worse than the champion at baskets, by 0.0500 of pinball loss"


def test_without_a_champion_the_baseline_decides() -> None:
    assert judge({"anomaly/ours": BETTER, "anomaly/baseline": BASE}, None).promoted
    assert not judge({"anomaly/ours": BASE, "anomaly/baseline": BASE}, None).promoted
