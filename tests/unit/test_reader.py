"""ws_server while cells become history: what it holds is the ledger, whatever it is told, and when."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from redis import Redis

from tests.property.faulty_ledger import FaultyLedger, LossyStream, environment, post
from tests.samples import sale
from tests.unit.test_truth import TICKETS, Listeners, since
from tidemark.adapters.memory_history import MemoryHistory
from tidemark.cells import Cell, CellKey
from tidemark.history.compaction import Compactor
from tidemark.history.counters import Counters
from tidemark.writer import Clock
from ws_server.reader import Reader
from ws_server.snapshots import Snapshots
from ws_server.ticks import Ticker
from ws_server.truth import Truth

DAY = 86_400
NOW = 1_546_700_000  # 2019-01-05 14:53:20 UTC


class Page:
    """A shop, its live page, and a browser that looks at it."""

    def __init__(self) -> None:
        self.ledger, self.stream = FaultyLedger(), LossyStream()
        self.history = MemoryHistory(self.ledger)
        self.counters = Counters(self.ledger, self.history, "UTC")
        self.truth, self.listeners = Truth(), Listeners()
        self.ticker = Ticker(self.truth, [self.listeners])
        self.now = float(NOW)
        self.reader = self.begin(self.truth, self.ticker)
        self.ingest = environment(self.ledger, self.stream)
        self.sold = 0

    def begin(self, truth: Truth, ticker: Ticker) -> Reader:
        return Reader(Redis(), self.counters, truth, ticker, "UTC", 60, lambda: self.now)

    def sell(self, time: str = "13:08", *, told: bool = True, branch: str = "A") -> None:
        self.sold += 1
        assert post(
            self.ingest,
            [sale(f"s{self.sold}", sold_at=f"2019-01-05T{time}:00Z", branch=branch, product_line=str(self.sold))],
        )
        if told:
            self.tell(self.stream.sent[-1])

    def tell(self, cells: list[Cell]) -> None:
        self.reader.hear(cells, [], 1)
        self.ticker.tick(0)

    def compact(self) -> None:
        clock = Clock(lambda: 0, lambda seconds: None, lambda: 60.0)
        assert Compactor(self.ledger, self.history, "UTC").run(clock, before=1).done

    def holds(self) -> list[str]:
        """The product lines that are held, one of each sale, each as often as it is counted."""
        self.truth.advance()
        found = since(self.truth, None)
        names = found["names"][1]
        rows = [row for cell in found["cells"] for row in cell[3]]
        return sorted((names[row[0]] for row in rows for _ in range(row[TICKETS])), key=int)

    def is_right(self) -> bool:
        return self.holds() == [str(n + 1) for n in range(self.sold)]


@pytest.fixture
def page() -> Page:
    made = Page()
    made.sell("13:08")
    made.sell("13:20")
    made.reader.load()
    return made


def test_history_is_not_added_to_what_it_is_the_sum_of(page: Page) -> None:
    epoch = page.truth.epoch
    page.compact()
    page.reader.load()
    assert page.is_right()
    page.sell("13:09")
    page.compact()
    page.reader.load()
    assert page.is_right()
    assert page.truth.epoch == epoch, "pages go on with what they have"


def test_history_that_stays_the_same_is_not_added_by_a_later_load(page: Page) -> None:
    page.compact()
    for _ in range(3):
        page.reader.load()
        assert page.is_right()
    page.sell("13:09")
    page.reader.load()
    assert page.is_right()


def test_history_is_taken_where_something_of_it_was_never_told(page: Page) -> None:
    page.sell("13:09", told=False)
    page.compact()
    assert not page.is_right()
    page.reader.load()
    assert page.is_right()


def test_of_a_page_that_began_later_what_is_told_again_is_in_its_history(page: Page) -> None:
    page.compact()
    page.truth, page.listeners = Truth(), Listeners()
    page.ticker = Ticker(page.truth, [page.listeners])
    page.reader = page.begin(page.truth, page.ticker)
    page.reader.load()
    assert page.is_right()
    for cells in page.stream.sent:
        page.tell(cells)  # the repairing stream is hours late
    assert page.is_right()
    page.sell("13:30")
    assert page.is_right(), "a late sale of an old hour"
    page.sell("13:30")
    assert page.is_right()


def test_what_is_told_while_a_load_lasts_is_kept(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    page.compact()
    page.now += 3 * DAY  # so that everything is taken anew
    read = page.counters.by_hour

    def slowly(minutes_from: int | None = None) -> Any:
        found = list(read(minutes_from))
        page.sell("13:09")
        page.sell("15:00")
        return found

    monkeypatch.setattr(page.counters, "by_hour", slowly)
    page.reader.load()
    assert page.is_right()


def test_days_past_are_held_by_the_hour_and_browsers_fetch_everything(page: Page) -> None:
    page.sell("13:21", branch="B")
    snapshots = Snapshots(page.truth)
    old = snapshots.since(None)
    page.compact()
    page.now += 3 * DAY
    page.reader.load()
    assert page.is_right()
    assert len(page.truth) == 2, "an hour of each branch"
    page.ticker.tick(0)
    tick = page.listeners.heard[-1]
    assert tick["cells"] == []
    position = tick["before"].split(".")[2]
    assert tuple(map(int, position.split("-"))) > tuple(map(int, old.cursor.split(".")[2].split("-")))
    assert tick["before"].split(".")[0] != old.cursor.split(".")[0]
    fetched = msgspec.json.decode(snapshots.since(old.cursor).plain)
    assert fetched["whole"]
    assert len(fetched["cells"]) == 2
    page.sell("16:00")
    told = page.listeners.heard[-1]
    assert told["before"] == tick["cursor"] == fetched["cursor"]
    assert len(told["cells"]) == 1


def test_a_cell_that_became_history_unheard_makes_it_load_soon(page: Page) -> None:
    page.compact()
    page.now += 3 * DAY
    page.reader.load()
    page.sell("13:40", told=False)
    unheard = page.stream.sent[-1]
    page.compact()
    page.tell(unheard)
    assert page.reader._asked.is_set()
    page.reader.load()
    assert page.is_right()


def test_a_doubtful_cell_is_one_of_an_hour_that_is_history() -> None:
    truth = Truth()
    truth.merge([Cell(CellKey(60, "A", "history"), 3, 0, {})])
    assert truth.is_doubtful(CellKey(75, "A", "w"), 60)
    assert not truth.is_doubtful(CellKey(75, "B", "w"), 60)
    assert not truth.is_doubtful(CellKey(60, "A", "history"), 60)
    truth.merge([Cell(CellKey(75, "A", "w"), 1, 0, {})])
    assert not truth.is_doubtful(CellKey(75, "A", "w"), 60)
