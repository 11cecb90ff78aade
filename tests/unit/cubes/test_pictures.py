"""What Python shows of a cube is what is counted row by row."""

from __future__ import annotations

from typing import Any

import duckdb
import numpy as np
import pytest

from streamlit_app.explorer.plain import bars, grid, spans_of
from tidemark.cubes.axes import axis
from tidemark.cubes.build import build
from tidemark.cubes.engine import Engine
from tidemark.cubes.look import Look
from tidemark.cubes.pictures import pictures
from tidemark.cubes.table import Table
from tidemark.cubes.views import Selection, Span, View

X, KIND, BOTH = View("x"), View("kind"), View("x", "y")


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Table:
    with duckdb.connect() as connection:
        connection.execute("SELECT setseed(.5)")
        connection.execute(
            "CREATE TABLE source AS SELECT CASE WHEN random() < .1 THEN NULL ELSE random() * 10 END AS x,"
            " random() * 5 AS y, ['a', 'b', NULL][1 + (random() * 2)::INT] AS kind FROM range(20000)"
        )
        return build(connection.table("source"), tmp_path_factory.mktemp("tables") / "table", "test")


def codes(table: Table, name: str, halved: int = 0) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return table.codes(name).astype(np.int64) >> halved


def test_every_view_shows_what_passes_the_others(table: Table) -> None:
    column, y = table.columns["x"], table.columns["y"]
    spans = {X: (Span(40, 120), Span(column.missing, column.missing + 1)), KIND: (Span(0, 1),)}
    spans[BOTH] = (Span(2, 20), Span(0, 9))
    x = codes(table, "x")
    across, up = codes(table, "x", column.coarse), codes(table, "y", y.coarse)
    passes = {
        X: ((x >= 40) & (x < 120)) | (x == column.missing),
        KIND: codes(table, "kind") == 0,
        BOTH: (across >= 2) & (across < 20) & (up < 9),
    }
    bins = {X: x >> column.fine, KIND: codes(table, "kind"), BOTH: up * 32 + across}
    whole = passes[X] & passes[KIND] & passes[BOTH]
    engine = Engine(table)
    for active in (X, KIND, BOTH):
        look = Look((X, KIND, BOTH), active).at(active, [Selection(view, one) for view, one in spans.items()])
        found, total = pictures(engine.exact(look.question), table.columns, look)
        assert total == whole.sum()
        for view, picture in found.items():
            others = [rows for one, rows in passes.items() if one != view or one == active]
            expected = np.bincount(bins[view][np.logical_and.reduce(others)], minlength=len(picture.shown))
            assert picture.shown.tolist() == expected.tolist()
    engine.close()


def test_a_chart_s_own_selection_means_zones(table: Table) -> None:
    x, y, kind = (axis(table.columns[name], table.gaps(name)) for name in ("x", "y", "kind"))
    assert spans_of({"brush": {"from": [2.5, 5.0]}}, [x]) == (Span(20, 40),)
    assert spans_of({"brush": {"from": [x.bars - 1, x.bars + 2]}}, [x]) == (
        Span((x.bars - 1) * 8, x.bars * 8),
        Span(x.missing, x.missing + 1),
    )
    assert spans_of({"brush": {"from": [x.bars + 0.6, x.bars + 2]}}, [x]) == (Span(x.missing, x.missing + 1),)
    assert spans_of({"brush": [{"code": 1}, {"code": 0}]}, [kind]) == (Span(0, 1), Span(1, 2))
    assert spans_of({"brush": {"x": [1.2, 3.9], "y": [4, 4.1]}}, [x, y]) == (Span(1, 4), Span(4, 5))
    nothings: list[Any] = [{}, {"brush": {}}, {"brush": []}, None]
    for nothing in nothings:
        assert spans_of(nothing, [x]) == ()


def test_charts_hold_every_row_once(table: Table) -> None:
    look, engine = Look((X, KIND, BOTH), X), Engine(table)
    found, _ = pictures(engine.exact(look.question), table.columns, look)
    engine.close()
    x, y, kind = (axis(table.columns[name], table.gaps(name)) for name in ("x", "y", "kind"))
    for rows in (bars(x, found[X], 1)[1], bars(kind, found[KIND], 1)[1], grid([x, y], found[BOTH], 1)[1]):
        with_y = "y" in rows[0]
        missing = int((table.codes("x") == table.columns["x"].missing).sum()) if with_y else 0
        assert sum(row["shown"] for row in rows) == table.rows - missing
