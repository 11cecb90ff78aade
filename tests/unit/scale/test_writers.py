"""The simulation says of writers and tables what the real code does."""

from __future__ import annotations

import json
from hashlib import md5
from itertools import islice
from typing import Any, cast

import pytest

from benchmarks.scale import dollars, limits, page, partitions, points, real, use, writers
from benchmarks.scale.load import SHAPES, Load
from simulator.sources import kaggle
from tests.samples import PSEUDONYMS
from tidemark import cells
from tidemark.adapters.dynamodb import DynamoLedger
from tidemark.adapters.litert_model import LiteRtScorer
from tidemark.adapters.redis_stream import NoStream
from tidemark.costs import item_size, per_sale
from tidemark.ingest import Ingest
from tidemark.models import sales_model
from tidemark.models.keys import SALES_FILE
from tidemark.models.sales_registry import BUNDLED
from tidemark.settings import StoreSettings
from tidemark.writer import Clock, new_name

COUNTS, BYTES = 0.03, 0.05  # how far the simulation may be off


@pytest.mark.parametrize("number", range(len(points.WRITES)), ids=[point.what for point in points.WRITES])
def test_what_writers_write_is_what_the_simulation_says(number: int) -> None:
    true, point = page.wrote(number), points.WRITES[number]
    found = writers.simulate(point.load, point.writers)
    assert found.transactions == pytest.approx(true.transactions, rel=COUNTS)
    assert found.items == pytest.approx(true.items, rel=COUNTS)
    assert found.cells == pytest.approx(true.cells, rel=COUNTS)
    assert found.combos == pytest.approx(true.combos, rel=BYTES)
    assert found.cell_bytes == pytest.approx(true.cell_bytes, rel=BYTES)
    assert found.cell_units / point.load.batch + use.LEDGER_UNITS == pytest.approx(
        true.cell_units / point.load.batch + true.ledger_units, rel=COUNTS
    )


def test_a_sale_scored_by_the_model_is_as_large_as_assumed() -> None:
    sizes: list[int] = []

    class Weighing:
        def transact_write_items(self, *, TransactItems: list[dict[str, Any]], ClientRequestToken: str) -> None:  # noqa: N803
            sizes.extend(item_size.size(p["Put"]["Item"]) for p in TransactItems if p["Put"]["TableName"] == "ledger")

    store = StoreSettings(store_opens=0, store_closes=24).store()
    scorer = LiteRtScorer(sales_model.loads((BUNDLED / SALES_FILE).read_bytes()), store)
    ingest = Ingest(store, scorer, DynamoLedger(cast("Any", Weighing()), per_sale.TABLES), NoStream(), PSEUDONYMS)
    rows = list(islice(kaggle(1, store), 200))
    clock = Clock(now_ms=lambda: 1_767_614_400_123, sleep=lambda _: None, remaining=lambda: 10.0)
    ingest.post(json.dumps({"sales": rows}).encode(), clock)
    assert len(sizes) == len(rows)
    assert sum(sizes) / len(sizes) == pytest.approx(limits.LEDGER_BYTES.value, rel=BYTES)
    assert max(sizes) <= limits.ITEM_UNIT.value, "a sale that is larger costs twice as much"


@pytest.mark.parametrize("count", [1, 8, 40, 300])
def test_writers_fall_on_shards_as_their_names_do(count: int) -> None:
    of_shard, _ = partitions.hottest(count, cells.SHARDS, 4, seed=1)
    trials = 300
    most = 0
    for _ in range(trials):
        shards = [cells.shard(new_name()) for _ in range(count)]
        most += max(shards.count(one) for one in range(cells.SHARDS))
    assert of_shard == pytest.approx(most / trials / count, rel=0.06)


def test_one_partition_holds_more_than_one_shard_now_and_then() -> None:
    of_shard, of_partition = partitions.hottest(1_000, 8, 4, seed=1)
    keys = [md5(f"{hour}#{shard}".encode()).digest()[0] % 4 for hour in range(5_000) for shard in range(8)]
    hours = [keys[first : first + 8] for first in range(0, len(keys), 8)]
    most = sum(max(hour.count(place) for place in range(4)) for hour in hours) / len(hours) / 8
    assert of_partition == pytest.approx(most, rel=0.1)
    assert of_partition > 2 * of_shard


def test_a_post_of_100_takes_as_long_as_the_cost_of_sales_assumes() -> None:
    assert writers.post_ms(100, 2, 51) == pytest.approx(per_sale.INGEST_MS)


def test_environments_are_as_many_as_work_at_once_and_as_lambda_asks_for() -> None:
    assert writers.environments(0.1, 100) == 1
    assert writers.environments(100, 100) == 20, "ten at once on average, and three deviations"
    assert writers.environments(1_000, 12) == 100, "each takes ten requests a second at most (AWS)"


def test_a_million_sales_cost_what_the_command_cost_says() -> None:
    said = sum(line.usd for line in per_sale.lines(100))
    load = Load(sales_per_second=100, batch=100, mixed=True)
    assert sum(dollars.a_million(use.outcome(load)).values()) == pytest.approx(said, rel=0.05)


def test_twice_the_sales_use_no_less_of_any_limit() -> None:
    for shape, made in SHAPES.items():
        less, more = use.outcome(made(20_000)), use.outcome(made(40_000))
        for before, after in zip(less.uses, more.uses, strict=True):
            assert after.used >= 0.95 * before.used, (shape, before, after)


def test_the_same_seed_gives_the_same_outcome() -> None:
    assert use.outcome(SHAPES["stores"](1_000)) == use.outcome(SHAPES["stores"](1_000))


def test_a_wrong_writer_would_be_noticed() -> None:
    """The real code with cells by writer and *hour* would touch fewer: the tolerance tells them apart."""
    point = next(point for point in points.WRITES if "20 s" in point.what)
    whole_hours = writers.simulate(Load(**{**point.load.__dict__, "spread_minutes": 0.0}), point.writers)
    true = page.wrote(points.WRITES.index(point))
    assert abs(whole_hours.cells / true.cells - 1) > 3 * COUNTS
    assert real.write(point.load, point.writers).cells == pytest.approx(true.cells, rel=COUNTS)
