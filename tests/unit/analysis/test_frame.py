"""Rows and features that a stranger would take by the same rules."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from pyarrow import parquet

from tests.unit.analysis.conftest import MakeFrame
from tidemark.analysis import placed
from tidemark.analysis.leakage import identities, tied


def test_every_nth_row_is_taken_from_the_first_on(make: MakeFrame) -> None:
    frame = make(most=30, a=list(range(100)))
    assert (frame.table_rows, frame.step, frame.rows) == (100, 4, 25)
    assert frame.values["a"].tolist() == list(range(0, 100, 4))


def test_levels_are_ordered_by_how_many_have_them(make: MakeFrame) -> None:
    frame = make(kind=["b", "a", "c", "a", "b", None], n=[1.0, 2.0, float("nan"), 4.0, float("inf"), 6.0])
    assert frame.features["kind"].levels == ("a", "b", "c")
    assert frame.labels("kind") == ["b", "a", "c", "a", "b", None]
    assert np.isnan(frame.values["n"]).tolist() == [False, False, True, False, True, False]


def test_rare_levels_are_joined_and_names_of_rows_left_out(make: MakeFrame) -> None:
    frame = make(city=[f"city {n % 40:02}" for n in range(400)], invoice=[f"{n}" for n in range(400)], one=["x"] * 400)
    assert len(frame.features["city"].levels) == 30
    assert frame.features["city"].levels[-1] == "other"
    assert int((frame.values["city"] == 29).sum()) == 110  # 11 cities of 10 rows
    assert {one.column: one.reason.partition(":")[0] for one in frame.left_out} == {
        "invoice": "it names the row",
        "one": "it has one value only",
    }


def test_a_time_gives_its_hour_and_day_unless_a_column_says_the_same(make: MakeFrame) -> None:
    moments = [datetime(2024, 1, 1, tzinfo=UTC) + timedelta(hours=7 * n) for n in range(300)]
    frame = make(at=moments, hour=[moment.hour for moment in moments])
    assert set(frame.features) == {"hour", "at: weekday"}
    assert frame.labels("at: weekday")[:2] == ["Monday", "Monday"]
    assert [one.column for one in frame.left_out] == ["at: hour"]


def test_arithmetic_is_found_whatever_its_form(make: MakeFrame, random: np.random.Generator) -> None:
    a, b, c, d = random.uniform(-3, 9, (4, 500))
    e = random.uniform(1, 9, 500)
    frame = make(
        a=a,
        b=b,
        c=c,
        d=d,
        e=e,
        total=a * b * 1.05,
        cost=c + 2 * d + 4,
        ratio=np.exp(a) / e,
        noise=a + random.normal(size=500),
    )
    found = {identity.target: identity.words for identity in identities(frame)}
    assert found == {"a": "a = 0.9524 × total ÷ b"} or "total" in found
    assert tied("cost", identities(frame)).keys() == {"c", "d"}
    assert tied("total", identities(frame)).keys() == {"a", "b"}
    assert tied("noise", identities(frame)) == {}


def test_what_was_found_stands_beside_the_table_s_own_columns(
    make: MakeFrame, random: np.random.Generator, tmp_path: Path
) -> None:
    frame = make(x=random.normal(size=300), residual=random.normal(size=300))
    found = {"residual": np.arange(300.0), "score": np.full(300, 2.0)}
    first = placed.write(frame, found, tmp_path, "one")
    assert placed.write(frame, found, tmp_path, "two") != first, "one analysis does not take another's file"
    rows = parquet.read_table(first)
    assert rows.column_names == ["residual (found)", "score", "x", "residual"]
    assert rows.column("residual").to_pylist() == frame.values["residual"].tolist()
    for number in range(placed.KEPT + 2):
        newest = placed.write(frame, found, tmp_path, str(number))
    assert newest.exists()
    assert len(list(tmp_path.iterdir())) == placed.KEPT


def test_a_name_for_another_is_an_identity_and_a_name_for_each_row_is_not(make: MakeFrame) -> None:
    city = ["Yangon", "Mandalay", "Naypyitaw", "Yangon"] * 30
    frame = make(
        branch=[{"Yangon": "A", "Mandalay": "B", "Naypyitaw": "C"}[name] for name in city],
        city=city,
        coast=["yes" if name == "Yangon" else "no" for name in city],
        colour=["red", "blue", "green", "red", "blue"] * 24,
        number=np.arange(120.0),
    )
    assert {identity.words for identity in identities(frame)} == {
        "branch is city by another name",
        "each branch has one coast",
        "each city has one coast",
    }
    assert tied("branch", identities(frame)).keys() == {"city", "coast"}
    assert tied("colour", identities(frame)) == {}
