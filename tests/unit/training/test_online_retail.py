"""The preparation of UCI's Online Retail: each step takes away what it names and nothing else."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from tidemark import data
from tidemark.errors import TidemarkError
from training.online_retail import COLUMNS, GUEST, baskets, extreme, prepare, read

GOOD = ("536365", "85123A", "WHITE HANGING HEART", 6, "2010-12-01 08:26", 2.55, 17850.0, "United Kingdom")


def lines(*rows: tuple[object, ...]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    return frame.assign(InvoiceDate=pd.to_datetime(frame["InvoiceDate"]))


def line(**changes: object) -> tuple[object, ...]:
    return tuple({**dict(zip(COLUMNS, GOOD, strict=True)), **changes}.values())


def test_a_good_line_stays_as_it_is() -> None:
    found = prepare(lines(line()))
    assert found.lines.iloc[0].to_dict() == {
        "invoice": "536365",
        "stock": "85123A",
        "quantity": 6,
        "at": pd.Timestamp("2010-12-01 08:26"),
        "price": 2.55,
        "customer": 17850,
        "country": "United Kingdom",
        "value": pytest.approx(15.3),
    }
    assert all(step.lines_before == step.lines_after == 1 for step in found.steps)


@pytest.mark.parametrize(
    ("step", "bad"),
    [
        ("repeated lines", line()),
        ("not paid for", line(StockCode="22086", UnitPrice=0.0)),
        ("not paid for", line(InvoiceNo="A563185", StockCode="22086", UnitPrice=-11062.06, Quantity=1)),
        ("not paid for", line(StockCode="22086", Quantity=-10)),
        ("not goods", line(StockCode="POST")),
        ("not goods", line(StockCode="BANK CHARGES")),
        ("not goods", line(InvoiceNo="C536379", StockCode="D", Quantity=-1)),
        ("returns", line(InvoiceNo="C536380", StockCode="22086", Quantity=-1)),
    ],
)
def test_each_step_takes_away_what_it_names(step: str, bad: tuple[object, ...]) -> None:
    found = prepare(lines(line(), bad))
    assert [one.name for one in found.steps if one.lines_after < one.lines_before] == [step]
    assert len(found.lines) == 1


@pytest.mark.parametrize(
    ("changes", "slip"),
    [
        ({}, True),
        ({"InvoiceDate": "2010-12-01 09:26"}, True),
        ({"InvoiceDate": "2010-12-01 09:27"}, False),
        ({"InvoiceDate": "2010-12-01 08:25"}, False),
        ({"Quantity": -5}, False),
        ({"CustomerID": 17851.0}, False),
        ({"UnitPrice": 2.5}, False),
    ],
)
def test_what_is_taken_back_whole_within_the_hour_was_a_slip(changes: dict[str, object], slip: bool) -> None:
    back = line(**{"InvoiceNo": "C536366", "Quantity": -6, **changes})
    found = prepare(lines(line(), back))
    assert len(found.lines) == (0 if slip else 1)
    assert len(found.returns) == (0 if slip else 1)


def test_one_cancellation_undoes_one_line() -> None:
    again = line(InvoiceNo="536399", InvoiceDate="2010-12-01 08:30")
    back = line(InvoiceNo="C536400", InvoiceDate="2010-12-01 08:40", Quantity=-6)
    found = prepare(lines(line(), again, back))
    assert list(found.lines["invoice"]) == ["536365"]


def test_nobody_s_cancellation_is_nobody_s_slip() -> None:
    back = line(InvoiceNo="C536366", Quantity=-6, CustomerID=None)
    found = prepare(lines(line(CustomerID=None), back))
    assert list(found.lines["customer"]) == [GUEST]
    assert list(found.returns["quantity"]) == [6]


def test_a_basket_is_an_invoice() -> None:
    found = baskets(
        prepare(
            lines(
                line(),
                line(StockCode="22086", Quantity=2, UnitPrice=1.25),
                line(InvoiceNo="536001", InvoiceDate="2010-12-01 08:00", CustomerID=None),
            )
        ).lines
    )
    assert list(found["invoice"]) == ["536001", "536365"]
    assert found.iloc[1][["lines", "items", "customer"]].to_list() == [2, 8, 17850]
    assert found.iloc[1]["value"] == pytest.approx(17.8)


def test_extremes_are_named() -> None:
    values = pd.DataFrame({"value": [9.0, 10.0, 11.0, 12.0, 8.0, 1e6, 1e-5]})
    assert extreme(values).to_list() == [False] * 5 + [True] * 2


def test_another_file_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(TidemarkError, match=r"other\.csv: expected the columns InvoiceNo"):
        read(tmp_path / "other.csv")


def test_the_real_file_is_prepared_as_it_was_seen() -> None:
    path = data.find("online_retail.csv.gz")
    if path is None:
        pytest.skip("online_retail.csv.gz is not here: `tidemark data fetch` brings it")
    found = prepare(read(path))
    assert [(step.name, step.lines_before - step.lines_after) for step in found.steps] == [
        ("repeated lines", 5_268),
        ("not paid for", 2_512),
        ("not goods", 2_957),
        ("slips of the hand", 848),
        ("returns", 8_244),
    ]
    assert len(found.lines) == 522_080
    made = baskets(found.lines)
    assert (len(made), int((made["customer"] == GUEST).sum())) == (19_724, 1_371)
    assert made["at"].is_monotonic_increasing
