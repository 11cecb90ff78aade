from __future__ import annotations

from collections import Counter
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from simulator import faults, sources
from simulator.faults import Labelled
from simulator.poster import first_unsold
from simulator.run import Pace, batches
from tests.samples import body
from tidemark import sale
from tidemark.errors import Misuse
from tidemark.ingest import Examined, examine
from tidemark.sale import Rejection, Sale
from tidemark.scoring import RulesOnly
from tidemark.store import Store

HEADER = ",".join(sources._COLUMNS)
LINE = "750-67-8428,A,Yangon,Member,Female,Health and beauty,74.69,7,26.1415,548.9715,1/5/2019,13:08,Ewallet,9.1"


def drawn(count: int, seed: int = 1) -> list[sources.Row]:
    return list(islice(sources.kaggle(seed, Store()), count))


def test_a_csv_is_read_in_the_order_of_time_in_the_store_s_zone(tmp_path: Path) -> None:
    path = tmp_path / "s.csv"
    path.write_text("\n".join([HEADER, LINE, LINE.replace("750", "1").replace("13:08", "10:00")]))
    first, second = sources.read_csv(path, "Asia/Yangon")
    assert (first["invoice_id"], second["sold_at"]) == ("1-67-8428", "2019-01-05T13:08:00+06:30")
    assert second["unit_price"] == "74.69"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n", "these columns are missing: Invoice ID"),
        (f"{HEADER}\n{LINE.replace('1/5/2019', '2019-01-05')}\n", "line 2"),
        (f"{HEADER}\n{LINE}\n{LINE.replace(',7,', ',seven,')}\n", "line 3"),
        (f"{HEADER}\n750,A\n", "line 2"),
    ],
)
def test_a_csv_that_is_none_says_where(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "s.csv"
    path.write_text(text)
    with pytest.raises(Misuse, match=message):
        sources.read_csv(path, "UTC")


def test_a_file_that_is_not_there_is_said_to_be(tmp_path: Path) -> None:
    with pytest.raises(Misuse, match="No such file"):
        sources.read_csv(tmp_path / "none.csv", "UTC")


def test_the_endless_replay_begins_with_the_file_and_never_repeats_an_id() -> None:
    rows = drawn(10)
    found = list(islice(sources.replay(rows, repeat=True), 35))
    assert found[:10] == rows
    assert len({row["invoice_id"] for row in found}) == 35
    assert found[12] == next(sources.replay(rows, repeat=True, start=12))
    assert len(list(sources.replay(rows, repeat=False))) == 10


@pytest.mark.parametrize("sold", [0, 1, 2, 3, 7, 8, 100])
def test_a_stream_goes_on_where_it_stopped(sold: int) -> None:
    asked: list[str] = []

    def is_sold(name: str) -> bool:
        asked.append(name)
        return int(name) < sold

    assert first_unsold(str, is_sold) == sold
    assert len(asked) <= 2 * sold.bit_length() + 2


def test_drawn_sales_are_as_the_file_s_and_reproducible() -> None:
    rows = drawn(4000)
    assert rows == drawn(4000)
    assert rows != drawn(4000, seed=2)
    assert all(isinstance(row, Sale) for row in sale.decode(body(*rows[:500])))
    prices = np.array([float(row["unit_price"]) for row in rows])
    assert 10 <= prices.min() < 11
    assert 99 < prices.max() < 100
    assert abs(prices.mean() - 55) < 1.5
    quantities = Counter(row["quantity"] for row in rows)
    assert set(quantities) == set(range(1, 11))
    days = len({row["sold_at"][:10] for row in rows})
    assert abs(4000 / days - 1000 / 89) < 0.6


def test_every_good_row_is_still_sent_once_whatever_the_faults() -> None:
    rows = drawn(800)
    shares = {name: 0.1 for name in faults.FAULTS if name != "outlier"}
    sent = list(faults.inject(rows, shares, 3, Store()))
    kinds = Counter(item.fault for item in sent)
    assert set(kinds) == {None, *shares}
    good = [item.row for item in sent if item.fault in (None, "late", "out_of_order")]
    assert sorted(good, key=lambda row: row["invoice_id"]) == rows
    assert good != rows
    for item in sent:
        found = examine(body(item.row), Store(), RulesOnly())
        (row,) = found.rows if isinstance(found, Examined) else found
        assert isinstance(row, Rejection) == (item.fault == "malformed")
    assert sent == list(faults.inject(rows, shares, 3, Store()))


@pytest.mark.parametrize(
    ("text", "message"),
    [("fire=.1", "no fault 'fire'"), ("late=x", "share in 0 to 1, got 'x'"), ("late=2", "share in 0 to 1, got 2")],
)
def test_faults_that_make_no_sense_are_refused(text: str, message: str) -> None:
    with pytest.raises(Misuse, match=message):
        faults.parse(text)


def test_batches_hold_everything_and_at_most_500() -> None:
    labelled = [Labelled(row, None) for row in drawn(1200)]
    for pace in (Pace(), Pace(rate=100_000), Pace(speed_up=1e12)):
        found = list(batches(labelled, pace))
        assert [item for batch in found for item in batch] == labelled
        assert max(map(len, found)) <= 500
