"""The committed sales model, as serving runs it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.samples import body, sale
from tidemark.adapters.litert_model import LiteRtScorer
from tidemark.errors import TidemarkError
from tidemark.ingest import Examined, examine
from tidemark.scoring import Scores
from tidemark.store import Store

MODEL = Path(__file__).resolve().parents[2] / "models" / "sales"


@pytest.fixture(scope="module")
def scorer() -> LiteRtScorer:
    return LiteRtScorer(MODEL, Store())


def scored(scorer: LiteRtScorer, *rows: dict[str, object]) -> Scores:
    examined = examine(body(*rows), Store(), scorer)
    assert isinstance(examined, Examined)
    return examined.scores


def test_it_tells_corrupted_sales_from_good_ones(scorer: LiteRtScorer) -> None:
    good = [sale(), sale(unit_price="15.28", quantity=5, tax="3.82", total="80.22")]
    bad = [
        sale(unit_price="7469", tax=None, total=None),
        sale(quantity=400, tax=None, total=None),
        sale(total="100"),
        sale(sold_at="2019-01-05T03:00:00Z"),
    ]
    found = scored(scorer, *good, *bad)
    assert found.score is not None
    assert np.all(found.score[:2] < scorer.threshold)
    assert np.all(found.score[2:] >= scorer.threshold)
    assert found.anomaly.tolist() == [False, False, True, True, True, True]


def test_quantiles_are_money_and_ascend(scorer: LiteRtScorer) -> None:
    found = scored(scorer, sale(), sale(branch="unknown", payment="unknown"))
    assert found.basket_quantiles is not None
    assert found.basket_quantiles.shape == (2, 3)
    assert np.all(np.diff(found.basket_quantiles, axis=1) > 0)
    assert np.all((found.basket_quantiles > 1) & (found.basket_quantiles < 5_000))


def test_a_score_does_not_depend_on_the_batch(scorer: LiteRtScorer) -> None:
    rows = [sale(f"s{n}", quantity=1 + n % 10, tax=None, total=None) for n in range(300)]
    together = scored(scorer, *rows).score
    assert together is not None
    alone = [scored(scorer, row).score for row in rows[:12]]
    assert np.allclose(together[:12], np.concatenate([s for s in alone if s is not None]), atol=1e-6)


def test_a_file_that_is_not_the_card_s_is_refused(tmp_path: Path) -> None:
    shutil.copytree(MODEL, tmp_path / "m")
    (tmp_path / "m" / "model.tflite").write_bytes(b"not a model")
    with pytest.raises(TidemarkError, match="sha256 differs"):
        LiteRtScorer(tmp_path / "m", Store())
    with pytest.raises(TidemarkError, match="no model in"):
        LiteRtScorer(tmp_path, Store())


def test_a_model_of_other_features_is_refused(tmp_path: Path) -> None:
    shutil.copytree(MODEL, tmp_path / "m")
    card = json.loads((MODEL / "model.json").read_text())
    (tmp_path / "m" / "model.json").write_text(json.dumps({**card, "sale_features": ["other"]}))
    with pytest.raises(TidemarkError, match="other features"):
        LiteRtScorer(tmp_path / "m", Store())
