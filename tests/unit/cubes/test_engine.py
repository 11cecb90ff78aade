from __future__ import annotations

import threading
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import duckdb
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidemark.cubes import table
from tidemark.cubes.build import build
from tidemark.cubes.counts import Stopped
from tidemark.cubes.cube import Cube
from tidemark.cubes.engine import Engine
from tidemark.cubes.table import Table
from tidemark.cubes.views import Question, Selection, Span, View
from tidemark.errors import BadRequest

ROWS = 200_000
RANDOM = """
SELECT
    (random() * 1000)::DOUBLE AS price,
    CASE WHEN random() < .1 THEN NULL ELSE exp(random() * 10) END AS spent,
    (random() * 20)::INT AS quantity,
    TIMESTAMP '2019-01-01' + to_seconds((random() * 7776000)::INT) AS sold_at,
    ['a', 'b', 'c', NULL][(1 + random() * random() * 4)::INT] AS branch,
    random() > .5 AS member
FROM range($rows)
"""
NUMBERS = [View("price"), View("spent"), View("quantity"), View("sold_at"), View("branch"), View("member")]
GRIDS = [View("price", "spent"), View("sold_at", "branch")]


def built(folder: Path, rows: int = ROWS, sample: int = ROWS) -> Table:
    with duckdb.connect() as connection:
        connection.execute("SELECT setseed(.5)")
        connection.execute(f"CREATE TABLE source AS {RANDOM.replace('$rows', str(rows))}")
        return build(connection.table("source"), folder / "table", "test", sample=sample)


@pytest.fixture(scope="module")
def random_table(tmp_path_factory: pytest.TempPathFactory) -> Table:
    return built(tmp_path_factory.mktemp("random"))


@pytest.fixture(scope="module")
def random_engine(random_table: Table) -> Iterator[Engine]:
    made = Engine(random_table)
    yield made
    made.close()


def place(held: Table, view: View, fine: bool) -> npt.NDArray[np.int64]:
    """Each row's place in a view: its zone or bar, or its cell."""
    column = held.columns[view.x]
    codes = held.codes(view.x).astype(np.int64)
    if view.y is None:
        return codes if fine else codes >> column.fine
    other = held.columns[view.y]
    return (held.codes(view.y).astype(np.int64) >> other.coarse) * 32 + (codes >> column.coarse)


def passes(held: Table, view: View, spans: tuple[Span, ...]) -> npt.NDArray[np.bool_]:
    at = place(held, view, fine=True)
    if view.y is None:
        found: npt.NDArray[np.bool_] = np.any([(at >= span.first) & (at < span.end) for span in spans], axis=0)
        return found
    across, up = spans
    return (at % 32 >= across.first) & (at % 32 < across.end) & (at // 32 >= up.first) & (at // 32 < up.end)


def by_hand(held: Table, cube: Cube, spans: tuple[Span, ...]) -> list[int]:
    """What a brush should tell, counted row by row."""
    question = cube.question
    brushed = passes(held, question.active, spans)
    selected = {found.view: passes(held, found.view, found.spans) for found in question.selections}
    bins = [int(np.logical_and.reduce([brushed, *selected.values()]).sum())]
    for part in cube.parts:
        others = [rows for view, rows in selected.items() if view != part.view]
        shown = np.logical_and.reduce([brushed, *others])
        bins += np.bincount(place(held, part.view, fine=False)[shown], minlength=part.end - part.first).tolist()
    return bins


def span(draw: st.DrawFn, end: int) -> Span:
    first = draw(st.integers(0, end))
    return Span(first, draw(st.integers(first, end)))


@st.composite
def questions(draw: st.DrawFn, held: Table) -> tuple[Question, tuple[Span, ...]]:
    views = draw(st.lists(st.sampled_from(NUMBERS + GRIDS), min_size=1, max_size=8, unique=True))
    active, shown = views[0], tuple(views[1:])

    def spans(view: View, most: int) -> tuple[Span, ...]:
        if view.y is not None:
            return (span(draw, 32), span(draw, 32))
        return tuple(span(draw, held.columns[view.x].missing + 1) for _ in range(draw(st.integers(1, most))))

    selected = draw(st.lists(st.sampled_from(shown), max_size=3, unique=True)) if shown else []
    return Question(active, shown, tuple(Selection(view, spans(view, 3)) for view in selected)), spans(active, 1)


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_every_brush_counts_what_counting_row_by_row_does(
    random_table: Table, random_engine: Engine, data: st.DataObject
) -> None:
    question, brush = data.draw(questions(random_table))
    cube = random_engine.exact(question)
    assert cube.exact
    assert cube.brush(*brush).tolist() == by_hand(random_table, cube, brush)


def test_without_a_brush_all_rows_are_counted(random_table: Table, random_engine: Engine) -> None:
    for active in (View("price"), View("price", "spent")):
        cube = random_engine.exact(Question(active, (View("branch"),)))
        everything = cube.brush()
        assert everything[0] == ROWS
        part = cube.parts[0]
        assert everything[part.first : part.end].sum() == ROWS


def test_counts_are_those_of_the_rows_themselves(tmp_path: Path) -> None:
    held = built(tmp_path)
    column = held.columns["price"]
    low, high = column.edges[100], column.edges[200]
    with duckdb.connect() as connection:
        connection.execute("SELECT setseed(.5)")
        connection.execute(f"CREATE TABLE source AS {RANDOM.replace('$rows', str(ROWS))}")
        asked = f"SELECT branch, count(*) FROM source WHERE price >= {low!r} AND price < {high!r} GROUP BY branch"
        expected = dict(connection.execute(asked).fetchall())
    cube = Engine(held).exact(Question(View("price"), (View("branch"),)))
    bins = cube.brush(Span(100, 200))[1:].tolist()
    labels = held.columns["branch"].labels
    assert dict(zip([*labels, None], bins, strict=True)) == expected


def test_a_sample_answers_with_what_was_drawn(tmp_path: Path) -> None:
    cube = Engine(built(tmp_path, sample=1000)).sampled(Question(View("price"), (View("member"),)))
    assert (cube.counted, cube.rows, cube.exact) == (1000, ROWS, False)
    assert cube.brush()[0] == 1000


def test_an_answer_that_nobody_waits_for_is_given_up(tmp_path: Path) -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(Stopped):
        Engine(built(tmp_path)).exact(Question(View("member"), (View("branch"),)), stop)


def test_an_empty_table_has_empty_views(tmp_path: Path) -> None:
    made = Engine(built(tmp_path, rows=0))
    for question, way in product(
        [Question(View("price"), (View("branch"), View("sold_at", "spent"))), Question(View("price", "member"), ())],
        [made.exact, made.sampled],
    ):
        assert not way(question).brush().any()


@pytest.mark.parametrize(
    ("question", "words"),
    [
        (Question(View("cost"), ()), "no column 'cost'; there are price, spent"),
        (Question(View("price"), (View("price"),)), "twice"),
        (Question(View("price"), tuple(NUMBERS[1:] + GRIDS + [View("spent", "price")] * 2)), "10 views; at most 9"),
        (Question(View("price"), (), (Selection(View("branch"), ()),)), "selected in branch cannot be read"),
        (Question(View("price"), (), (Selection(GRIDS[1], (Span(0, 1),)),)), "selected in sold_at × branch cannot"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(random_engine: Engine, question: Question, words: str) -> None:
    with pytest.raises(BadRequest, match=words):
        random_engine.exact(question)


def test_a_folder_that_is_no_table_is_told(tmp_path: Path, random_table: Table) -> None:
    with pytest.raises(BadRequest, match="no binned table"):
        Table.open(tmp_path)
    (tmp_path / table.DESCRIPTION).write_bytes((random_table.folder / table.DESCRIPTION).read_bytes())
    table.codes_file(tmp_path, 0).write_bytes(b"\0" * 10)
    with pytest.raises(BadRequest, match="10 bytes, not 400,000; build the table anew"):
        Table.open(tmp_path)
    (tmp_path / table.DESCRIPTION).write_text('{"version": 99, "made_of": "", "rows": 0, "sampled": 0, "columns": []}')
    with pytest.raises(BadRequest, match="binned by version 99"):
        Table.open(tmp_path)
