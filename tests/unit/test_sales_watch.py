"""The watch of the sales model: well on sales like those that it learnt from, and not where they have changed."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from itertools import islice
from pathlib import Path

import msgspec
import pytest

from simulator import sources
from simulator.sources import Row, priced
from tests.samples import body
from tidemark.adapters.litert_model import LiteRtScorer
from tidemark.ingest import Examined, candidates_of, examine
from tidemark.ledger import Entry
from tidemark.models import sales_model
from tidemark.models.sales_findings import Finding
from tidemark.models.sales_watch import NEWEST, PROMPT_MS, Watch, Watched, watch
from tidemark.store import Store

STORE = Store()
MODEL = sales_model.loads((Path(__file__).resolve().parents[2] / "models" / "sales" / "sales.model").read_bytes())
SCORER = LiteRtScorer(MODEL, STORE)


def entries(change: Callable[[Row], Row] = lambda row: row, *, seed: int = 5, count: int = NEWEST) -> list[Entry]:
    rows = [change(row) for row in islice(sources.kaggle(seed, STORE), count)]
    found: list[Entry] = []
    for start in range(0, count, 500):
        examined = examine(body(*rows[start : start + 500]), STORE, SCORER)
        assert isinstance(examined, Examined)
        found += [candidate.entry for candidate in candidates_of(examined, 0)]
    return found


def seen(newest: list[Entry], truth: dict[str, bool] | None = None) -> tuple[Watch, dict[str, Finding]]:
    found = watch(newest, Watched(MODEL, 0, None, 5.0), STORE, truth or {})
    return found, {one.name: one for one in found.findings}


@pytest.mark.parametrize("seed", range(5, 10))
def test_sales_like_those_it_learnt_from_are_well(seed: int) -> None:
    found, said = seen(entries(seed=seed))
    assert found.status == "ok", found.findings
    assert (found.sales, found.prices) == (NEWEST, None)
    assert said["latency"].words == "One sale is scored in 5 µs."


def test_prices_that_have_moved_are_told_with_the_factor() -> None:
    def dearer(row: Row) -> Row:
        return {
            **row,
            **priced((Decimal(row["unit_price"]) * Decimal("1.25")).quantize(Decimal("0.01")), row["quantity"], STORE),
        }

    found, said = seen(entries(dearer))
    assert (found.status, said["prices"].status) == ("alert", "alert")
    assert found.prices is not None
    assert 1.1 < found.prices.factor < 1.6
    assert "dearer than when the model learnt" in said["prices"].words


def test_a_column_that_has_moved_is_named() -> None:
    _, said = seen(entries(lambda row: {**row, "branch": "A"}))
    assert said["features"].status == "alert"
    assert "Branch: moved far" in said["features"].words
    assert "Payment" not in said["features"].words
    _, said = seen(entries(lambda row: {**row, "rating": row["rating"] / 2}))
    assert "Rating: moved far" in said["features"].words
    assert said["scores"].status != "ok"


def test_quantiles_that_do_not_hold_any_more_are_told() -> None:
    def many(row: Row) -> Row:
        return {**row, **priced(Decimal(row["unit_price"]), row["quantity"] + 5, STORE)}

    _, said = seen(entries(many))
    assert said["calibration"].status == "alert"
    assert "of baskets lie in their interval" in said["calibration"].words


def test_alarms_beyond_the_usual_are_told_and_how_many_were_right() -> None:
    odd = entries(lambda row: {**row, **priced(Decimal(row["unit_price"]), row["quantity"] * 50, STORE)}, count=50)
    newest = entries()[:-50] + odd
    _, said = seen(newest)
    assert said["alarms"].status != "ok"
    assert said["precision"].words == "Of no alarm is the truth known yet."
    alarms = [entry.invoice_id for entry in newest if entry.anomaly]
    assert len(alarms) >= 40
    _, said = seen(newest, dict.fromkeys(alarms, True))
    assert said["precision"].status == "ok"
    assert said["precision"].words == f"{len(alarms)} of {len(alarms)} alarms whose truth is known were right."
    _, said = seen(newest, dict.fromkeys(alarms, False))
    assert said["precision"].status == "alert"


def test_few_sales_say_nothing() -> None:
    found, said = seen(entries(count=60))
    assert not found.judged
    assert (found.status, found.drift, set(said)) == ("ok", None, {"features", "serves", "precision", "latency"})
    assert seen([])[0].first is None


def test_what_is_seen_can_be_kept() -> None:
    found, _ = seen(entries())
    assert msgspec.json.decode(msgspec.json.encode(found), type=Watch) == found


def test_what_another_model_scored_is_not_held_against_this_one() -> None:
    newest = [msgspec.structs.replace(entry, model="another") for entry in entries(count=950)] + entries(count=50)
    found, said = seen(newest)
    assert (found.sales, found.judged) == (50, False)
    assert f"50 of the newest sales were scored by {MODEL.version}" in said["features"].words


def test_a_champion_that_does_not_score_is_told_of_after_a_minute() -> None:
    newest = [msgspec.structs.replace(entry, model="another", received_at=PROMPT_MS) for entry in entries(count=200)]
    for since, status in ((1, "ok"), (0, "alert")):
        found = watch(newest, Watched(MODEL, since, None, 5.0), STORE, {})
        (serves,) = [one for one in found.findings if one.name == "serves"]
        assert serves.status == status
    assert "is meant to serve, and the newest sale was scored by another" in serves.words
    assert not serves.calls_for_training


def test_a_shadow_is_told_beside() -> None:
    newest = [
        msgspec.structs.replace(entry, shadow="beside", shadow_score=0.9 if number < 7 else 0.1)
        for number, entry in enumerate(entries())
    ]
    shadow = msgspec.structs.replace(MODEL, version="beside", threshold=0.5)
    found = watch(newest, Watched(MODEL, 0, shadow, 5.0), STORE, {})
    (told,) = [one for one in found.findings if one.name == "shadow"]
    assert told.words.startswith("Beside it beside would have alarmed at 7 of 1,000 sales;")


def test_the_sales_of_one_morning_are_no_drift_of_the_hour() -> None:
    def morning(row: Row) -> Row:
        return {**row, "sold_at": f"2019-03-01T11:{int(row['sold_at'][14:16]):02}:00+00:00"}

    _, said = seen(entries(morning))
    assert "Hour" not in said["features"].words
    _, said = seen(entries(lambda row: {**row, "sold_at": f"{row['sold_at'][:11]}11:00:00+00:00"}))
    assert "Hour: moved far" in said["features"].words
