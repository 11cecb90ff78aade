from __future__ import annotations

import os
import subprocess
import sys
import tracemalloc
from collections import Counter, deque
from collections.abc import Iterable
from decimal import Decimal
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from simulator import faults, rich, run, sources
from simulator.faults import Drift, Labelled
from simulator.poster import first_unsold
from simulator.run import Pace, Summary, batches
from tests.samples import body
from tidemark import sale
from tidemark.cli.main import app
from tidemark.errors import Misuse
from tidemark.ingest import Examined, examine
from tidemark.sale import Rejection, Sale
from tidemark.scoring import RulesOnly
from tidemark.store import Store

MONEY = ("unit_price", "tax", "total")
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
    shares = {name: 0.1 for name in faults.FAULTS if name not in ("outlier", "price_drift")}
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


@pytest.mark.parametrize("factor", [1.25, 0.8])
def test_prices_drift_for_good_and_every_drifted_sale_is_labelled(factor: float) -> None:
    rows = drawn(900)
    shares = {name: 0.1 for name in faults.FAULTS if name != "price_drift"}
    still = list(faults.inject(rows, shares, 3, Store()))
    sent = list(faults.inject(rows, shares, 3, Store(), Drift(600, factor)))
    drifted = {row["invoice_id"] for row in rows[600:]}
    for before, item in zip(still, sent, strict=True):
        assert item.drifted == (item.row["invoice_id"].rstrip("!") in drifted)
        assert item.fault == (before.fault or ("price_drift" if item.drifted else None))
        if not item.drifted:
            assert item == before
        elif item.fault != "malformed":
            times = Decimal(item.row["unit_price"]) / Decimal(before.row["unit_price"])
            assert float(times) == pytest.approx(factor, rel=0.001)
            assert {**item.row, **dict.fromkeys(MONEY)} == {**before.row, **dict.fromkeys(MONEY)}
            assert isinstance(examine(body(item.row), Store(), RulesOnly()), Examined)


@pytest.mark.parametrize(
    ("share", "after", "price", "sales", "drift"),
    [
        (0.0, None, None, 1000, None),
        (0.25, None, None, 1000, Drift(750, 1.25)),
        (0.25, None, 0.8, 1000, Drift(750, 0.8)),
        (1.0, None, None, None, Drift(0, 1.25)),
        (0.0, 300, None, None, Drift(300, 1.25)),
        (0.0, 0, 2.0, 1000, Drift(0, 2.0)),
    ],
)
def test_a_drift_begins_where_it_is_told_to(
    share: float, after: int | None, price: float | None, sales: int | None, drift: Drift | None
) -> None:
    assert faults.drift_of(share, after, price, sales) == drift


@pytest.mark.parametrize(
    ("share", "after", "price", "sales", "message"),
    [
        (0.5, 100, None, 1000, "exclude each other"),
        (0.5, None, None, None, "this one is endless"),
        (0.0, -1, None, None, "--drift-after: expected 0 or more"),
        (0.0, 1000, None, 1000, "fewer than the run's sales, got 1000"),
        (0.0, None, 1.5, 1000, "--drift-price needs --drift-after"),
    ],
)
def test_a_drift_that_makes_no_sense_is_refused(
    share: float, after: int | None, price: float | None, sales: int | None, message: str
) -> None:
    with pytest.raises(Misuse, match=message):
        faults.drift_of(share, after, price, sales)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--drift-price", "0"), "--drift-price: expected 0.1 to 10, got 0"),
        (("--drift-price", "nan"), "--drift-price: expected 0.1 to 10, got nan"),
        (("--source", "rich", "--drift-demand", "11"), "--drift-demand: expected 0.1 to 10, got 11"),
        (("--source", "kaggle", "--drift-demand", "2"), "--drift-demand goes with --source rich"),
        (("--faults", "price_drift=2"), "price_drift needs a share in 0 to 1, got 2"),
    ],
)
def test_a_wrong_call_for_a_drift_gets_one_clear_line(words: tuple[str, ...], message: str) -> None:
    done = CliRunner().invoke(app, ["simulate", *words])
    assert isinstance(done.exception, Misuse)
    assert message in str(done.exception)


def test_each_source_drifts_on_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "state.json").write_text('{"endpoints": {"api": "http://x"}, "tokens": {"ingest": "t", "read": "t"}}')
    (tmp_path / "s.csv").write_text("\n".join([HEADER, *(LINE.replace("750", str(100 + n)) for n in range(40))]))
    monkeypatch.setenv("TIDEMARK_HOME", str(tmp_path))
    sent: list[Labelled] = []

    def keep(labelled: Iterable[Labelled], **_: object) -> Summary:
        sent[:] = labelled
        return Summary()

    monkeypatch.setattr(run, "run", keep)

    def call(*words: str) -> list[str | None]:
        CliRunner().invoke(app, ["simulate", "--json", *words], catch_exceptions=False)
        return [item.fault for item in sent]

    csv = ("--source", "csv", "--file", str(tmp_path / "s.csv"))
    assert call(*csv, "--faults", "price_drift=.25") == [None] * 30 + ["price_drift"] * 10
    assert {item.row["unit_price"] for item in sent} == {"74.69", "93.36"}
    assert call(*csv, "--limit", "20", "--drift-after", "15") == [None] * 15 + ["price_drift"] * 5
    drift = ("--limit", "50", "--faults", "price_drift=.2", "--drift-price", "2")
    for source in ("kaggle", "rich"):
        assert call("--source", source, *drift) == [None] * 40 + ["price_drift"] * 10
    assert not any(call("--source", "rich", "--limit", "9", "--drift-after", "5", "--drift-price", "1"))
    days = []
    for demand in ("1", "4"):
        call("--source", "rich", "--limit", "6000", "--drift-after", "500", "--drift-demand", demand)
        days.append(len({item.row["sold_at"][:10] for item in sent}))
    assert days[1] < days[0]


DIGEST = """
from hashlib import sha256
from itertools import islice

import msgspec

from simulator import faults, rich, sources
from tidemark.store import Store

shares = {name: 0.1 for name in faults.FAULTS if name != "price_drift"}
for rows in (rich.World(1, Store()).rows(), sources.kaggle(1, Store())):
    sent = faults.inject(islice(rows, 2_000), shares, 1, Store(), faults.Drift(1_000, 1.25))
    print(sha256(msgspec.json.encode(list(sent))).hexdigest())
"""


def test_a_seed_says_every_row_whatever_process_draws_it() -> None:
    said = [
        subprocess.run(
            [sys.executable, "-c", DIGEST],
            env={**os.environ, "PYTHONHASHSEED": seed},
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert said[0] == said[1]
    assert len(set(said[0].split())) == 2


SOURCES = {"rich": lambda: rich.World(1, Store()).rows(), "kaggle": lambda: sources.kaggle(1, Store())}


@pytest.mark.parametrize("source", SOURCES)
def test_a_row_is_the_same_in_a_short_run_and_in_a_long_one(source: str) -> None:
    long = list(islice(SOURCES[source](), 20_000))
    assert list(islice(SOURCES[source](), 1_000)) == long[:1_000]
    pieces = SOURCES[source]()
    assert [row for size in (1, 999, 4_000) for row in islice(pieces, size)] == long[:5_000]
    sent = [list(faults.inject(rows, {"outlier": 0.1}, 1, Store())) for rows in (long[:1_000], long)]
    assert sent[0] == sent[1][:1_000]


def test_memory_does_not_grow_with_the_rows() -> None:
    shares = {name: 0.1 for name in faults.FAULTS if name != "price_drift"}

    def peak(count: int) -> int:
        rows = islice(rich.World(1, Store()).rows(), count)
        tracemalloc.start()
        try:
            deque(faults.inject(rows, shares, 1, Store(), Drift(1_000, 1.25)), maxlen=0)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(500)  # what is loaded once
    assert peak(20_000) < 2 * peak(5_000)  # a day, whose sales differ, is held at a time


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
