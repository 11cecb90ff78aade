from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
import pytest
import sqlglot
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.cubes.test_engine import span
from tidemark.cubes import queried
from tidemark.cubes.athena import AthenaTable
from tidemark.cubes.build import build
from tidemark.cubes.counts import Stopped
from tidemark.cubes.cube import Cube
from tidemark.cubes.engine import Engine
from tidemark.cubes.queried import cube_of, query
from tidemark.cubes.table import Table
from tidemark.cubes.views import Question, Selection, Span, View
from tidemark.errors import BadRequest
from tidemark.tables.sources import Source

ROWS = 3_000
MOST_SQL = 262_144
"""Bytes that Athena takes as one query."""
RANDOM = f"""
SELECT
    random() * 7 - 2 AS plain,
    CASE WHEN random() < .1 THEN NULL WHEN random() < .05 THEN 'nan'::DOUBLE WHEN random() < .05 THEN 'inf'::DOUBLE
        ELSE exp(random() * 10) END AS spent,
    (CASE WHEN random() < .5 THEN random() / 1e6 ELSE exp(random() * 30) - 3 END)::FLOAT AS crowded,
    (exp(random() * 5) * 100)::DECIMAL(12, 2) AS price,
    (random() * 20)::INT AS quantity,
    CASE WHEN random() > .1 THEN TIMESTAMP '1969-12-01' + to_microseconds((random() * 7776e9)::BIGINT) END AS sold_at,
    TIMESTAMPTZ '2019-01-01 00:00:00+02' + to_seconds((random() * 1e9)::BIGINT) AS sent_at,
    DATE '2019-01-01' + (random() * 600)::INT AS "a ""day"" of sale",
    ['it''s', 'b', 'é', NULL][(1 + random() * random() * 4)::INT] AS branch,
    'c' || (random() * random() * 200)::INT AS "many",
    random() > .5 AS member,
    CASE WHEN random() < .01 THEN 5 END AS constant,
    NULL::DOUBLE AS nothing
FROM range({ROWS})
"""
MACROS = (
    "CREATE MACRO width_bucket(value, bins) AS CASE WHEN value IS NOT NULL "
    "THEN len(list_filter(bins, lambda bin: bin <= value)) END",
    "CREATE MACRO to_unixtime(moment) AS epoch(moment)",
)
"""What Trino's documentation says of its functions."""
GRIDS = [View("plain", "spent"), View("sold_at", "price"), View("branch", "many"), View("crowded", "sent_at")]


class Both:
    """One table, for the engine and for Ibis' DuckDB backend."""

    def __init__(self, folder: Path) -> None:
        self.backend: Any = ibis.duckdb.connect()
        connection: duckdb.DuckDBPyConnection = self.backend.con
        for statement in ("SELECT setseed(.25)", f"CREATE TABLE source AS {RANDOM}", *MACROS):
            connection.execute(statement)
        self.table: Table = build(connection.table("source"), folder / "table", "test")
        self.engine = Engine(self.table)
        self.rows: ir.Table = self.backend.table("source")
        self.asked: list[ir.Table] = []
        self.views = [*map(View, self.table.columns), *GRIDS]

    def asks(self, found: ir.Table) -> pa.Table:
        self.asked.append(found)
        return self.backend.to_pyarrow(found)

    def by_athenas_text(self, question: Question) -> tuple[Cube, str]:
        """The cube that the SQL for Athena leads to, translated for DuckDB."""
        text = str(ibis.to_sql(query(self.rows, question, self.table.columns), dialect="athena", pretty=False))
        (ours,) = sqlglot.transpile(text, read="athena", write="duckdb")
        found = self.backend.con.sql(ours).to_arrow_table()
        return cube_of(question, self.table.columns, found, ROWS), text


pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table")  # of Ibis, by itself


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    made = Both(tmp_path_factory.mktemp("both"))
    yield made
    made.engine.close()


def same(cube: Cube, other: Cube) -> bool:
    return np.array_equal(cube.sums, other.sums) and cube._replace(sums=other.sums) == other


@st.composite
def asked(draw: st.DrawFn, both: Both) -> Question:
    active, *shown = draw(st.lists(st.sampled_from(both.views), min_size=1, max_size=9, unique=True))

    def spans(view: View) -> tuple[Span, ...]:
        if view.y is not None:
            return (span(draw, 32), span(draw, 32))
        return tuple(span(draw, both.table.columns[view.x].missing + 1) for _ in range(draw(st.integers(1, 3))))

    selected = draw(st.lists(st.sampled_from(shown), max_size=3, unique=True)) if shown else []
    return Question(active, tuple(shown), tuple(Selection(view, spans(view)) for view in selected))


def test_the_columns_are_of_every_kind(both: Both) -> None:
    columns = both.table.columns.values()
    assert {column.scale for column in columns} == {"each", "linear", "log", "quantile", "calendar"}
    assert any("(other)" in column.labels for column in columns)


@settings(deadline=None, max_examples=15)
@given(st.data())
def test_a_query_finds_the_cube_that_the_engine_counts(both: Both, data: st.DataObject) -> None:
    question = data.draw(asked(both))
    found = both.asks(query(both.rows, question, both.table.columns))
    assert same(cube_of(question, both.table.columns, found, ROWS), both.engine.exact(question))


@pytest.mark.parametrize("place", [0, 1, 2, 5, 8, 9, 13, 14, 16])
def test_what_is_written_for_athena_finds_it_too(both: Both, place: int) -> None:
    active = both.views[place]
    shown = tuple(view for view in (*both.views[place + 1 :], *both.views[:place]))[:8]
    selections = tuple(
        Selection(view, (Span(1, 9), Span(3, 30)) if view.y else (Span(0, 2), Span(3, 40))) for view in shown[::2]
    )
    question = Question(active, shown, selections)
    cube, text = both.by_athenas_text(question)
    assert same(cube, both.engine.exact(question))
    assert len(text.encode()) < MOST_SQL
    assert text.count('FROM "source"') == 1, "the table is read once"


def test_a_table_elsewhere_is_opened_sampled_and_asked(both: Both, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(queried, "SAMPLED", 1_000)
    source = Source("elsewhere", "Elsewhere", "", "source", "test", lambda to: to.table("source"))
    counts = queried.opened(source, both.rows, both.asks, tmp_path)
    at = counts.table.columns["sold_at"]
    (ends,) = both.backend.con.sql("SELECT epoch_ms(min(sold_at)), epoch_ms(max(sold_at)) FROM source").fetchall()
    assert at.edges[0] <= ends[0] <= ends[1] < at.edges[-1], "the first and the last of all, not of the sample"
    question = Question(View("branch"), (View("sold_at"), View("spent")), (Selection(View("spent"), (Span(9, 99),)),))
    guess, cube = counts.sampled(question), counts.exact(question)
    assert (guess.exact, guess.rows, cube.rows) == (False, ROWS, ROWS)
    assert 800 < guess.counted < 1_200
    whole = Engine(build(both.backend.con.table("source"), tmp_path / "whole", "test", known=counts.table.columns))
    assert same(cube, whole.exact(question))
    asked = len(both.asked)
    again = queried.opened(source, both.rows, both.asks, tmp_path)
    known = again.known(question)
    assert known is not None
    assert same(known, cube)
    assert len(both.asked) == asked + 1, "how many rows there are; sample and answer are kept"
    stop = threading.Event()
    stop.set()
    with pytest.raises(Stopped):
        again.start(Question(View("branch"), ()), stop).result()
    for made in (counts, again, whole):
        made.close()


def test_a_table_with_nothing_to_look_at_is_refused(tmp_path: Path) -> None:
    source = Source("elsewhere", "Elsewhere", "", "source", "test", lambda to: to.table("source"))
    with pytest.raises(BadRequest, match="Elsewhere: 0 columns can be looked at"):
        queried.opened(source, ibis.table({"x": "array<int64>"}), lambda _: pa.table({}), tmp_path)


def test_an_empty_table_elsewhere_has_empty_views(both: Both, tmp_path: Path) -> None:
    source = Source("elsewhere", "Elsewhere", "", "source", "test", lambda to: to.table("source"))
    counts = queried.opened(source, both.rows.filter(both.rows.quantity < 0), both.asks, tmp_path)
    question = Question(View("sold_at"), (View("branch"), View("plain", "spent")))
    assert not counts.exact(question).brush().any()
    counts.close()


class Cursor(NamedTuple):
    """What is used of pyathena's cursors."""

    found: pa.Table
    data_scanned_in_bytes: int = 1_000_000

    def as_arrow(self) -> pa.Table:
        return self.found

    def close(self) -> None:
        pass


class StandIn:
    """Ibis' backend of Athena, but for who answers: DuckDB, to the text that was written for Athena."""

    def __init__(self, both: Both) -> None:
        self.both = both

    def table(self, name: str, database: str) -> ir.Table:
        assert (name, database) == ("source", "main")
        return self.both.rows

    def compile(self, found: ir.Table) -> str:
        return str(ibis.to_sql(found, dialect="athena"))

    def raw_sql(self, text: str) -> Cursor:
        (ours,) = sqlglot.transpile(text, read="athena", write="duckdb")
        return Cursor(self.both.backend.con.sql(ours).to_arrow_table())


def test_a_table_in_athena_is_opened_and_counted(both: Both, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setattr(queried, "SAMPLED", 1_000)
    monkeypatch.setattr("ibis.athena.from_connection", lambda connection: StandIn(both))
    table = AthenaTable("athena://main/source", "primary", "s3://results/")
    counts = table.opened(tmp_path)
    assert "2.0 MB" in table.source().about
    whole = Engine(build(both.backend.con.table("source"), tmp_path / "whole", "test", known=counts.table.columns))
    question = Question(View("sold_at"), (View("branch"), GRIDS[0]), (Selection(View("branch"), (Span(0, 1),)),))
    assert same(counts.exact(question), whole.exact(question))
    assert "3.0 MB" in table.source().about
    (found,) = both.backend.con.sql(f"SELECT count(*) FROM {table.source().sql.split('.')[1]}").fetchall()
    assert found == (counts.table.rows,)
    for made in (counts, whole):
        made.close()


@pytest.mark.parametrize("path", ["athena://", "athena://sales", "athena://a/b/c"])
def test_what_names_no_table_in_athena_is_refused(path: str) -> None:
    with pytest.raises(BadRequest, match="a table in Athena is named athena://database/table"):
        AthenaTable(path, "primary", "")


def test_that_nobody_is_signed_in_to_aws_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    with pytest.raises(BadRequest, match="no AWS region is set"):
        AthenaTable("athena://a/b", "primary", "s3://results/")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    with pytest.raises(BadRequest, match="there are no AWS credentials here"):
        AthenaTable("athena://a/b", "primary", "s3://results/")
