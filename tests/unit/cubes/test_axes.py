from __future__ import annotations

import json
from pathlib import Path

import duckdb
import msgspec
import numpy as np
import pytest

from tests.vectors import cubes
from tidemark.cubes import axes
from tidemark.cubes.axes import axis, frame, key_of, number_text, time_text, view_of
from tidemark.cubes.build import build
from tidemark.cubes.columns import Column, of_categories, of_numbers, of_times
from tidemark.cubes.engine import Engine
from tidemark.cubes.views import Question, Span, View

NOON = 1_546_344_000_000  # 2019-01-01T12:00Z
DAY = 86_400_000


def test_the_vectors_that_the_page_must_pass_are_ours() -> None:
    assert json.loads(cubes.PATH.read_text()) == json.loads(json.dumps(cubes.vectors())), (
        "run `python -m tests.vectors.cubes`"
    )


@pytest.mark.parametrize(
    ("value", "width", "text"),
    [(10, 0.25, "10"), (10.5, 0.25, "10.5"), (1234.5678, 0.01, "1,234.57"), (-0.001, 0.0001, "−0.001"), (0, 0, "0")],
)
def test_a_number_has_the_digits_that_tell_it_from_the_next(value: float, width: float, text: str) -> None:
    assert number_text(value, width) == text


@pytest.mark.parametrize(
    ("width", "text"), [(DAY, "1 Jan 2019"), (3_600_000, "1 Jan 2019 12:00"), (1_000, "1 Jan 2019 12:00:00")]
)
def test_a_moment_is_told_as_exactly_as_its_zone(width: float, text: str) -> None:
    assert time_text(NOON, width) == text


@pytest.mark.parametrize(
    "column",
    [
        of_numbers("x", np.random.default_rng(1).uniform(-3, 1e6, 1000), whole=False),
        of_numbers("x", np.exp(np.random.default_rng(1).uniform(0, 12, 1000)), whole=False),
        of_numbers("x", np.arange(10.0), whole=True),
        of_times("x", NOON, NOON + 90 * DAY),
        of_times("x", NOON, NOON + 3 * DAY / 24),
        of_times("x", NOON, NOON + 4000 * DAY),
    ],
)
def test_ticks_stand_in_order_on_the_axis(column: Column) -> None:
    ticks = axis(column, gaps=False).ticks
    places = [place for place, _ in ticks]
    assert 2 <= len(ticks) <= 13
    assert places == sorted(places)
    assert all(0 <= place <= 1 for place in places)
    assert len({text for _, text in ticks}) == len(ticks)


def test_views_are_named_whatever_their_columns_are_called() -> None:
    for view in (View("x"), View("a × b", '","')):
        assert view_of(key_of(view)) == view
    for wrong in ("x", "[]", '["a", "b", "c"]', "[1]"):
        with pytest.raises(msgspec.DecodeError):
            view_of(wrong)


def test_what_is_copied_as_sql_finds_the_rows_that_were_counted(tmp_path: Path) -> None:
    query = """SELECT random() * 7 AS "a ""b", exp(random() * 9)::DOUBLE AS spent, TIMESTAMP '2019-01-01' +
        to_milliseconds((random() * 1e10)::BIGINT) AS at_, ['it''s', 'b', NULL][1 + (random() * 2)::INT] AS branch
        FROM range(20000)"""
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE source AS {query}")
        table = build(connection.table("source"), tmp_path / "table", "test")
        engine = Engine(table)
        for name, column in table.columns.items():
            told = axis(column, gaps=True)
            cube = engine.exact(Question(View(name), ()))
            for place in {0, column.zones // 2, column.zones - 2}:
                low, high = told.literals[place], told.literals[place + 1] if place + 1 < len(told.literals) else ""
                least = f"{told.identifier} >= {low} AND " if place else ""
                condition = (
                    f"{told.identifier} = {low}" if told.kind == "category" else f"{least}{told.identifier} < {high}"
                )
                (count,) = connection.execute(f"SELECT count(*) FROM source WHERE {condition}").fetchall()[0]
                assert cube.brush(Span(place, place + 1))[0] == count, condition


def test_a_frame_is_read_back_as_it_was(tmp_path: Path) -> None:
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE source AS SELECT range AS x, range % 3 AS y FROM range(100)")
        table = build(connection.table("source"), tmp_path / "table", "test")
    views = (View("x"), View("y"))
    cube = Engine(table).exact(Question(views[1], (views[0],)))
    content = frame(7, "source", table, cube, views)
    length = int.from_bytes(content[:4], "little")
    assert length % 4 == 0
    header = json.loads(content[4 : 4 + length])
    assert (header["look"], header["active"], header["rows"]) == (7, key_of(views[1]), 100)
    assert [view["part"] for view in header["views"]] == [list(cube.parts[0][1:]), None]
    sums = np.frombuffer(content, "<u4", offset=4 + length).reshape(header["shape"])
    assert np.array_equal(sums, cube.sums)
    assert axes.axis(table.columns["x"], gaps=False).texts[0] == "0"


def test_many_categories_keep_their_last_for_the_rest() -> None:
    told = axis(of_categories("x", [f"c{number}" for number in range(100)]), gaps=False)
    assert (told.texts[-1], told.literals[-1], told.literals[0]) == ("(other)", "", "'c0'")
