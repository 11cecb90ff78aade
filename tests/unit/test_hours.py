"""Items an hour out of the cells: what a plain count of the sales gives, whatever is kept of past days."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from simulator import sources
from tests.counted import counters
from tests.samples import PSEUDONYMS, body, sale
from tidemark.adapters.memory import MemoryLedger, MemoryStream
from tidemark.adapters.memory_runs import MemoryObjects
from tidemark.cells import Cell
from tidemark.ingest import Ingest
from tidemark.models.demand import Series
from tidemark.models.forecasts import ALL
from tidemark.models.hours import DAYS, FOLDER, HourlyItems
from tidemark.scoring import RulesOnly
from tidemark.store import Store
from tidemark.writer import Clock


class Shop(MemoryLedger):
    """A ledger with its cells, which tells what is read of them."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self.objects, self.reads = MemoryObjects(), Counter[str]()
        self._ingest = Ingest(store, RulesOnly(), self, MemoryStream(), PSEUDONYMS)
        self.hours = HourlyItems(counters(self, store.zone), self.objects, store)

    def sell(self, *rows: Any) -> None:
        clock = Clock(now_ms=lambda: 0, sleep=lambda _: None, remaining=lambda: 60.0)
        for start in range(0, len(rows), 500):
            results = self._ingest.post(body(*rows[start : start + 500]), clock).answer.results
            assert {result.status for result in results} == {"accepted"}

    def read(self, since: int | None = None, until: int | None = None) -> Iterator[Cell]:
        assert since is not None
        assert until is not None
        self.reads["many" if until - since > 1440 else "day"] += 1
        return super().read(since, until)


def sold(found: Series) -> float:
    """All items; those of the series `all` are those of the others together."""
    together = found.counts[:, :, :-1].sum(axis=2)
    assert found.names[-1] == ALL
    assert found.counts[:, :, -1].tolist() == together.tolist()
    return float(together.sum())


def minute(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp()) // 60


def plainly(rows: list[Any], found: Series, store: Store, until: int) -> list[list[list[float]]]:
    """The same count, sale by sale."""
    items: Counter[tuple[str, int, str]] = Counter()
    for row in rows:
        at = datetime.fromisoformat(row["sold_at"])
        if at.timestamp() // 3600 < until // 60:
            local = at.astimezone(ZoneInfo(store.zone))
            for name in (f"{row['branch']} · {row['product_line']}", ALL):
                items[str(local.date()), local.hour, name] += row["quantity"]
    return [
        [[float(items[str(day), int(hour), name]) for name in found.names] for hour in found.hours]
        for day in found.days
    ]


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Kolkata"])
def test_it_is_what_a_plain_count_gives(zone: str) -> None:
    store = Store(zone=zone)
    rows = list(islice(sources.kaggle(4, store), 700))
    shop = Shop(store)
    shop.sell(*rows)
    until = minute(max(row["sold_at"] for row in rows)) + 1
    if zone != "Asia/Kolkata":  # whose hours begin at half past
        found = shop.hours.until(until)
        assert found.counts.tolist() == plainly(rows, found, store, until)
    again = shop.hours.until(until)
    assert again.counts.sum() > 100
    assert again.counts.shape == (len(again.days), 11, len(again.names))
    assert len(again.days) <= DAYS
    assert again.days.tolist() == sorted(again.days.tolist())


def test_past_days_are_counted_once_and_a_look_reads_two_days() -> None:
    shop = Shop(Store())
    rows = [
        sale(f"s-{n}", sold_at=(datetime.fromisoformat("2019-03-01T12:30:00+00:00") + timedelta(hours=n)).isoformat())
        for n in range(24 * 40)
    ]
    shop.sell(*rows)
    until = minute("2019-04-09T15:20:00Z")
    first = shop.hours.until(until)
    assert shop.reads == {"many": 1}
    shop.reads.clear()
    assert shop.hours.until(until).counts.tolist() == first.counts.tolist()
    assert shop.reads == {"day": 2}
    shop.objects.put(f"{FOLDER}2019-03-20.json", b"rubbish")
    assert shop.hours.until(until).counts.tolist() == first.counts.tolist()


def test_the_hour_that_has_begun_and_what_the_store_has_not_are_left_out() -> None:
    shop = Shop(Store())
    shop.sell(
        sale("1", sold_at="2019-03-01T11:59:00Z", quantity=2, tax=None, total=None),
        sale("2", sold_at="2019-03-01T12:01:00Z", quantity=3, tax=None, total=None),
        sale("3", sold_at="2019-03-01T11:00:00Z", branch="Moon", tax=None, total=None),
        sale("4", sold_at="2019-03-01T11:00:00Z", product_line="Rockets", tax=None, total=None),
        sale("5", sold_at="2019-03-01T09:59:00Z", tax=None, total=None),
    )
    found = shop.hours.until(minute("2019-03-01T12:30:00Z"))
    assert found.names == ("A · Health and beauty", "all")
    assert found.counts[0, :, 0].tolist() == [0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0]
    assert sold(shop.hours.until(minute("2019-03-01T13:00:00Z"))) == 5


def test_a_late_sale_of_yesterday_is_counted_and_one_before_is_not() -> None:
    shop = Shop(Store())
    until = minute("2019-03-05T12:30:00Z")
    shop.sell(sale("1", sold_at="2019-03-05T11:00:00Z"))
    assert sold(shop.hours.until(until)) == 7
    shop.sell(sale("2", sold_at="2019-03-04T11:00:00Z"), sale("3", sold_at="2019-03-01T11:00:00Z"))
    assert sold(shop.hours.until(until)) == 14


def test_other_opening_hours_count_anew() -> None:
    shop = Shop(Store())
    shop.sell(sale("1", sold_at="2019-03-01T11:00:00Z"), sale("2", sold_at="2019-03-05T11:00:00Z"))
    until = minute("2019-03-05T12:30:00Z")
    assert shop.hours.until(until).counts.shape[1] == 11
    longer = HourlyItems(counters(shop), shop.objects, Store(opens=8))
    assert longer.until(until).counts.shape[1] == 13
    assert sold(longer.until(until)) == 14


def test_before_the_first_sale_there_is_one_empty_day() -> None:
    found = Shop(Store()).hours.until(minute("2019-03-01T12:30:00Z"))
    assert found.counts.shape == (1, 11, 0)
