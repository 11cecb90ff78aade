"""The committed sales model, as serving runs it."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest

from tests.samples import body, sale
from tidemark.adapters.litert_model import LiteRtScorer
from tidemark.errors import TidemarkError
from tidemark.ingest import Examined, examine
from tidemark.models import sales_model
from tidemark.models.champion import Champion
from tidemark.models.sales_model import Probe
from tidemark.scoring import Scores
from tidemark.store import Store

MODEL = Path(__file__).resolve().parents[2] / "models" / "sales" / "sales.model"
CONTENT = sales_model.loads(MODEL.read_bytes())


@pytest.fixture(scope="module")
def scorer() -> LiteRtScorer:
    return LiteRtScorer(CONTENT, Store())


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


def changed(**fields: object) -> LiteRtScorer:
    """A scorer of the committed model with some fields changed."""
    return LiteRtScorer(msgspec.structs.replace(CONTENT, **fields), Store())


def probe(**fields: object) -> Probe:
    return msgspec.structs.replace(CONTENT.probe, **fields)


@pytest.mark.parametrize("cut", [0, 1, 100, 5_000, -1])
def test_a_file_that_was_cut_off_is_refused(cut: int) -> None:
    with pytest.raises(TidemarkError, match="no sales model, or only a part of one"):
        sales_model.loads(MODEL.read_bytes()[:cut])


def test_a_file_that_is_something_else_is_refused() -> None:
    with pytest.raises(TidemarkError, match="no sales model"):
        sales_model.loads(b"TFL3 and more")
    with pytest.raises(TidemarkError, match="at most 300,000"):
        sales_model.loads(b"x" * 300_001)
    later = sales_model.dumps(msgspec.structs.replace(CONTENT, format=2))
    with pytest.raises(TidemarkError, match="of format 2"):
        sales_model.loads(later)
    for threshold in (0.0, -1.0, 1.5, float("nan")):
        with pytest.raises(TidemarkError, match="threshold"):
            sales_model.loads(sales_model.dumps(msgspec.structs.replace(CONTENT, threshold=threshold)))


def test_a_file_that_is_another_than_the_promoted_one_is_refused() -> None:
    content = MODEL.read_bytes()
    champion = Champion("sales", sales_model.fingerprint(content), "keras", "", "run", 0)
    assert sales_model.promoted(content, champion) == CONTENT
    never_alarms = sales_model.dumps(msgspec.structs.replace(CONTENT, threshold=1.0))
    assert sales_model.loads(never_alarms).threshold == 1.0
    with pytest.raises(TidemarkError, match="is not the one that was promoted"):
        sales_model.promoted(never_alarms, champion)


def test_a_model_of_other_features_is_refused() -> None:
    with pytest.raises(TidemarkError, match=r"other sale features .*: other"):
        changed(sale_features=(*CONTENT.sale_features, "other"))
    with pytest.raises(TidemarkError, match=r"other context features .*: branch=D"):
        LiteRtScorer(CONTENT, Store(branches=("A", "B", "C", "D")))


def test_a_network_that_is_none_or_another_is_refused() -> None:
    with pytest.raises(TidemarkError, match="does not run"):
        changed(network=b"TFL3 nonsense" * 99)
    with pytest.raises(TidemarkError, match="does not run"):
        changed(network=CONTENT.network[: len(CONTENT.network) // 2])
    wrong = [[score[0] + 0.01] for score in CONTENT.probe.anomaly]
    with pytest.raises(TidemarkError, match="something else than when it was trained: anomaly is off by"):
        changed(probe=probe(anomaly=wrong))
    with pytest.raises(TidemarkError, match="off by nan"):
        changed(probe=probe(quantiles=[[float("nan")] * 3] * len(wrong)))
    with pytest.raises(TidemarkError, match="the shape"):
        changed(probe=probe(segment=[]))
    with pytest.raises(TidemarkError, match="does not name each"):
        changed(segments=(*CONTENT.segments, "more"))
