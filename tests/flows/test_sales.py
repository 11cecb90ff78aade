"""The sales model on the real servers: watched, trained where it is off, taken within a minute, rolled back."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from itertools import islice
from typing import Any

import httpx
import msgspec
import pytest

from simulator import sources
from simulator.sources import Row, priced
from tests.flows.cloud import Flows
from tidemark.local.supervisor import wait_until
from tidemark.models import sales_model
from tidemark.models.champion import Champion, Decision, Gain
from tidemark.models.keys import DEMAND, SALES, SALES_FILE, SHADOW
from tidemark.models.registry import Made, ModelRegistry
from tidemark.models.sales_registry import BUNDLED, SalesRegistry
from tidemark.models.standing import LOOK_EVERY_S
from tidemark.runs import SALES_MODEL, SALES_WATCH
from tidemark.store import Store

BUNDLED_MODEL = sales_model.loads((BUNDLED / SALES_FILE).read_bytes())
PROMPT_S = 60
ARCHIVED_S = 60
LEARNT_FROM = 1_000
ASKED = "(one was asked for|one is at work|the last one ended less than 30 minutes ago)"
"""A watch of the schedule, or the test before, may have asked already."""


def same(row: Row) -> Row:
    return row


def dearer(row: Row) -> Row:
    price = (Decimal(row["unit_price"]) * Decimal("1.25")).quantize(Decimal("0.01"))
    return {**row, **priced(price, row["quantity"], Store())}


class Till:
    """Posts sales to a running cloud; whom it sells to is never told."""

    def __init__(self, flows: Flows) -> None:
        self.flows, self.sent = flows, 0
        self._rows: Iterator[Row] = sources.kaggle(23, Store())

    def sell(self, count: int, change: Callable[[Row], Row] = same) -> list[dict[str, Any]]:
        """Post some sales, each once; the results. They are in the lake when it returns."""
        rows = [change(row) for row in islice(self._rows, count)]
        found = [one for start in range(0, count, 200) for one in self._post(rows[start : start + 200])["results"]]
        assert {one["status"] for one in found} == {"accepted"}
        self.sent += count
        last = rows[-1]["invoice_id"]
        wait_until(lambda: last in self._archived(), "the lake", seconds=ARCHIVED_S, every=1)
        return found

    def model(self) -> str:
        """Who scores a sale now."""
        return str(self._post([next(self._rows)])["model"])

    def _post(self, rows: list[Row]) -> Any:
        state = self.flows.home.state()
        answer = httpx.post(
            f"{state.endpoints['api']}/v1/sales",
            json={"sales": rows},
            headers={"Authorization": f"Bearer {state.tokens['ingest']}"},
            timeout=40,
        )
        assert answer.status_code == 200, answer.text
        return answer.json()

    def _archived(self) -> set[str]:
        return {entry.invoice_id for entry in self.flows.newest_sales(1_000)}


@pytest.fixture(scope="module")
def till(running: Flows) -> Till:
    return Till(running)


@pytest.fixture
def stocked(till: Till) -> Till:
    """With enough sales to learn from."""
    till.sell(max(0, LEARNT_FROM - till.sent) or 1)
    return till


def seen(flows: Flows) -> dict[str, Any]:
    """What the API says that the newest watch saw."""
    found: dict[str, Any] = flows.get("/v1/models/sales")["seen"]
    return found


def test_the_watch_waits_for_the_first_sale_and_then_finds_the_model_well(running: Flows, till: Till) -> None:
    if not till.sent:
        assert running.flow(SALES_WATCH).headline == "no sale has come yet"
    till.sell(LEARNT_FROM)
    run = running.flow(SALES_WATCH)
    assert run.headline.endswith("sales looked at: all is well"), run.headline
    found = seen(running)
    assert (found["model"], found["champion"], found["status"]) == (BUNDLED_MODEL.version, None, "ok")
    assert found["training"] == "nothing calls for a training"
    words = {one["part"]: one["words"] for one in found["worth"]}
    assert words["Basket value"] == "no better than constant quantiles"
    report = running.report(run)
    assert "| Prices | ok | Prices are what they were. |" in report
    assert "| Basket value | no better than constant quantiles |" in report
    card = httpx.get(
        f"{running.home.state().endpoints['api']}/v1/models/sales/card",
        headers={"Authorization": f"Bearer {running.home.state().tokens['read']}"},
        timeout=20,
    )
    assert card.text == (BUNDLED / "CARD.md").read_text()


@pytest.mark.long
@pytest.mark.timeout(1_200)
def test_prices_that_move_are_seen_and_ask_for_a_training_whose_result_the_gate_judges(
    running: Flows, stocked: Till
) -> None:
    stocked.sell(300, dearer)
    running.flow(SALES_WATCH)
    found = seen(running)
    prices = next(one for one in found["findings"] if one["name"] == "prices")
    assert (prices["status"], found["status"]) == ("alert", "alert"), found
    assert "dearer than when the model learnt" in prices["words"]
    assert re.fullmatch(rf"(sales, )?prices.* calls? for a training: {ASKED}", found["training"])
    wait_until(lambda: bool(running.index.page(SALES_MODEL, limit=1).runs), "the training's end", seconds=900, every=2)
    (run,) = running.index.page(SALES_MODEL, limit=1).runs
    assert run.status == "completed", run.headline
    (decision,) = [one for one in running.index.decisions(SALES, limit=20) if one.run == run.id]
    assert decision.over_baseline is not None
    assert decision.reason in run.headline
    registered = running.rows("mlflow", "SELECT value FROM model_version_tags WHERE key = 'fingerprint'")
    assert decision.challenger in registered
    champion = running.index.champion(SALES)
    assert decision.promoted == (champion is not None and champion.fingerprint == decision.challenger)
    said = running.as_the_worker(PYFUNC.format(decision.challenger))
    assert "score median segment 1" in said
    forecasts(running, run.id)


def forecasts(running: Flows, training: str) -> None:
    """On noise the gate refuses what forecasts demand; crowned all the same, it forecasts."""
    before = running.get("/v1/forecast")
    (decision,) = [one for one in before["decisions"] if one["run"] == training]
    assert decision["reason"].startswith("refused: ")
    assert before["outlook"]["why"] == "no model of demand has passed the gate yet"
    registry = ModelRegistry(DEMAND, running.index, running.objects, without="nobody forecasts")
    crowned = msgspec.convert(decision, Decision)
    assert registry.crown(crowned.challenger, crowned, version=None, replacing=None)
    running.flow(SALES_WATCH)
    outlook = running.get("/v1/forecast")["outlook"]
    assert outlook["why"] is None
    assert "no better than" in outlook["worth"][0]["words"] or "worse than" in outlook["worth"][0]["words"]
    everything = [one for one in outlook["forecasts"]["coming"] if one["series"] == "all"]
    assert [one["lead"] for one in everything] == list(range(1, len(everything) + 1))
    assert all(0 <= one["low"] <= one["median"] <= one["high"] for one in everything)
    assert len({one["series"] for one in outlook["forecasts"]["coming"]}) == 19
    running.run("model", "rollback", "demand")
    running.flow(SALES_WATCH)
    assert running.get("/v1/forecast")["outlook"]["why"] == "no model of demand has passed the gate yet"


def variant(version: str, **fields: Any) -> Made:
    """The committed model under another name."""
    content = sales_model.dumps(msgspec.structs.replace(BUNDLED_MODEL, version=version, **fields))
    return Made(content, b"", (BUNDLED / "result.json").read_bytes(), f"# {version}")


def promote(running: Flows, made: Made) -> Champion:
    """Crown a model, past the gate."""
    registry = SalesRegistry(running.index, running.objects)
    before = running.index.champion(SALES)
    fingerprint = registry.keep(made)
    at = time.time_ns() // 1_000_000
    decision = Decision(at, SALES, "test", fingerprint, None, True, "promoted", 0, Gain(1, 1, 1), None)
    assert registry.crown(fingerprint, decision, version=None, replacing=before)
    champion = running.index.champion(SALES)
    assert champion is not None
    return champion


@pytest.mark.long
def test_a_champion_is_taken_within_a_minute_and_so_are_shadow_and_roll_back(running: Flows, stocked: Till) -> None:
    till = stocked

    def serves(version: str) -> None:
        wait_until(lambda: till.model() == version, f"{version} to serve", seconds=PROMPT_S, every=1)

    if running.index.champion(SALES) is not None:  # the training of the test before was promoted
        running.run("model", "rollback")
    serves(BUNDLED_MODEL.version)
    first = promote(running, variant("first"))
    serves("first")
    shadow = SalesRegistry(running.index, running.objects).keep(variant("beside"))
    running.run("model", "shadow", shadow)

    def shadowed() -> bool:
        till.sell(1)
        return running.newest_sales(1)[0].shadow == "beside"

    wait_until(shadowed, "the shadow", seconds=PROMPT_S, every=1)
    (entry,) = running.newest_sales(1)
    assert (entry.model, entry.shadow_score) == ("first", entry.score), "the same network under another name"
    watched = running.flow(SALES_WATCH)
    assert "Beside it beside would have alarmed at" in running.report(watched)

    second = promote(running, variant("second"))
    assert running.index.champion(SHADOW) is None
    running.index.keep_model(second.fingerprint, variant("second").content[:-9])
    running.flow(SALES_WATCH)
    found = {one["name"]: one for one in seen(running)["findings"]}
    assert "is not the one that was promoted" in found["broken"]["words"]
    assert re.fullmatch(f"champion calls for a training: {ASKED}", seen(running)["training"])
    ends = time.monotonic() + LOOK_EVERY_S + 5
    while time.monotonic() < ends:  # those that score have asked at least once
        assert till.model() == "first", "a half-finished upload leaves the one before"

    running.run("model", "rollback")
    again = running.index.champion(SALES)
    assert again is not None
    assert (again.fingerprint, again.previous) == (first.fingerprint, None)
    running.run("model", "rollback")
    serves(BUNDLED_MODEL.version)
    decisions = running.get("/v1/models/sales")["decisions"]
    assert [one["reason"].partition(":")[0] for one in decisions[:2]] == ["rolled back by hand"] * 2
    refused = running.refuse("model", "rollback")
    assert "there is no champion to roll back" in refused


PYFUNC = """
import mlflow, pandas
from mlflow import MlflowClient
(found,) = MlflowClient().search_model_versions("name = 'sales' AND tags.fingerprint = '{}'")
model = mlflow.pyfunc.load_model(f"models:/sales/{{found.version}}")
row = dict(invoice_id="1", sold_at="2019-01-05T13:08:00Z", branch="A", customer_type="Member",
           product_line="Health and beauty", unit_price="74.69", quantity=7, payment="Ewallet")
said = model.predict(pandas.DataFrame([row]))
print(*[name for name in ("score", "median", "segment") if name in said.columns], len(said))
"""
