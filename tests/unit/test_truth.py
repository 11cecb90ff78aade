"""What ws_server holds and tells."""

from __future__ import annotations

from typing import Any

import msgspec

from tests.property.faulty_ledger import FaultyLedger, LossyStream, environment, post
from tests.samples import sale
from tidemark.cells import Cell
from ws_server.ticks import Ticker
from ws_server.truth import Truth

TICKETS, SALES = 3, 5  # places in a row, behind line, customer and payment


def committed(*rows: dict[str, object]) -> list[Cell]:
    ledger, stream = FaultyLedger(), LossyStream()
    assert post(environment(ledger, stream), list(rows))
    return stream.sent[-1]


def since(truth: Truth, cursor: str | None) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(truth.since(truth.number_of(cursor)))
    return found


def told(truth: Truth) -> dict[str, Any]:
    mark = truth.mark
    truth.advance()
    found: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(truth.tell(mark)))
    return found


class Listeners:
    """An audience that remembers."""

    def __init__(self, count: int = 1) -> None:
        self.count = count
        self.heard: list[dict[str, Any]] = []

    def __len__(self) -> int:
        return self.count

    def send(self, event: str, content: bytes) -> None:
        assert event == "tick"
        self.heard.append(msgspec.json.decode(content))


def test_ticks_tell_only_the_newest_of_each_cell() -> None:
    listeners = Listeners()
    ticker = Ticker(Truth(), [listeners])
    ledger, stream = FaultyLedger(), LossyStream()
    ingest = environment(ledger, stream)
    for number in range(5):
        post(ingest, [sale(str(number))])
        ticker.merge(stream.sent[-1], [], 100 - number, (number, 0))
    ticker.merge(stream.sent[0], [], 1, (5, 0))  # old, and told before
    ticker.tick(0)
    ticker.tick(0)
    (tick,) = listeners.heard
    ((_, _, version, (row,)),) = tick["cells"]
    assert row[TICKETS] == version == 5
    assert tick["oldest"] == 96


def test_audiences_in_turn_are_told_all_that_is_new_to_them() -> None:
    truth = Truth()
    audiences = [Listeners(), Listeners(), Listeners(count=0)]
    ticker = Ticker(truth, audiences)
    for turn, branch in enumerate("ABCDEF"):
        ticker.merge(committed(sale(branch, branch=branch)), [], 100 + turn, (turn, 0))
        ticker.tick(turn)
    first, second, nobody = (audience.heard for audience in audiences)
    assert [len(tick["cells"]) for tick in first] == [1, 3]
    assert [len(tick["cells"]) for tick in second] == [2, 3]
    assert [tick["oldest"] for tick in (*first, *second)] == [100, 101, 100, 102]
    assert nobody == []
    for heard in (first, second):
        names: list[str] = []
        for before, tick in zip([f"{truth.epoch}.0.0-0", *(t["cursor"] for t in heard)], heard, strict=False):
            assert tick["before"] == before
            assert tick["names"][0] == len(names)
            names += tick["names"][1]
            assert all(cell[1] < len(names) for cell in tick["cells"])


def test_a_load_is_told_at_once() -> None:
    truth = Truth()
    Ticker(truth, [Listeners()]).merge(committed(sale("a")), [], 0, (0, 0))
    assert len(since(truth, None)["cells"]) == 1


def test_what_several_writers_counted_is_summed() -> None:
    truth = Truth()
    truth.merge(committed(sale("a"), sale("b")))
    truth.merge(committed(sale("c")))
    truth.merge(committed(sale("d", payment="Cash"), sale("e", branch="B")))
    tick = told(truth)
    assert sorted([row[TICKETS] for row in rows] for *_, rows in tick["cells"]) == [[1], [3, 1]]
    assert len(truth) == 2


def test_a_cursor_gives_what_changed_since_and_everything_to_strangers() -> None:
    truth = Truth()
    truth.merge(committed(sale("a")))
    first = told(truth)
    assert (first["before"], first["cursor"]) == (f"{truth.epoch}.0.0-0", f"{truth.epoch}.1.0-0")
    truth.merge(committed(sale("b", branch="B")))
    assert since(truth, first["cursor"])["cells"] == []  # it is told with the next tick
    second = told(truth)
    assert second["before"] == first["cursor"]
    assert since(truth, first["cursor"])["cells"] == second["cells"]
    assert since(truth, second["cursor"])["cells"] == []
    for unknown in (
        None,
        "",
        "x",
        f"{truth.epoch}.",
        f"{truth.epoch}.{'9' * 5000}.0-0",
        f"{truth.epoch}.٣.0-0",
        f"{truth.epoch}.x.0-0",
        f"{truth.epoch}.99.0-0",
    ):
        everything = since(truth, unknown)
        assert everything["whole"]
        assert len(everything["cells"]) == 2


def test_to_a_cursor_of_another_server_everything_is_told() -> None:
    one, other = Truth(), Truth()
    lost = committed(sale("b", branch="B"))
    for truth in (one, other):
        truth.merge(committed(sale("a")), position=(1000, 1))
    other.merge(lost)  # found by loading: it was never in the stream
    told(other)
    one.merge(committed(sale("c", branch="C")), position=(1000, 2))
    everything = since(other, told(one)["cursor"])
    assert everything["whole"]
    assert len(everything["cells"]) == 2


def test_names_are_told_once_and_whole_with_a_snapshot() -> None:
    truth = Truth()
    truth.merge(committed(sale("a")))
    first = told(truth)
    truth.merge(committed(sale("b", branch="New")))
    second = told(truth)
    assert first["names"][0] == 0
    assert second["names"] == [len(first["names"][1]), ["New"]]
    whole = [0, [*first["names"][1], "New"]]
    assert since(truth, first["cursor"])["names"] == whole
    assert msgspec.json.decode(truth.names()) == {"epoch": truth.epoch, "names": whole}


def test_nothing_new_is_no_tick() -> None:
    truth = Truth()
    cells = committed(sale("a"))
    assert truth.merge(cells)
    told(truth)
    before = truth.mark
    assert not truth.merge(cells)
    truth.advance()
    assert truth.mark == before
